-- Is any topic out of the ordinary now?
SELECT topic, state, observed, expected, ratio, chance, since, ready FROM trends_latest

-- Is any topic out of the ordinary now?
SELECT topic, state, observed, expected, low, high, ratio, per_year, outlets, since, ready FROM trends_latest

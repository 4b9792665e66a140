-- How did a topic's flow compare with what was expected, hour by hour?
-- :topic = efficiency  topic
-- :days = 7            how far back
SELECT hour, state, observed, round(expected, 1) AS expected, low, high, per_year, outlets, feeds FROM trends
WHERE topic = :topic AND hour >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-' || :days || ' days') ORDER BY hour DESC

-- The present state of each topic: stories in the last 24 hours against what was expected of the same feeds.
SELECT topic, state, observed, round(expected, 1) AS expected, round(observed / nullif(expected, 0), 1) AS ratio,
       chance, round(surprise, 2) AS surprise, feeds, since, ready, window_start, window_end, evaluated
FROM trends
WHERE id IN (SELECT max(id) FROM trends GROUP BY topic)
ORDER BY topic

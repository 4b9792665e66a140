-- The present state of each topic: stories of the window against what was expected of the same feeds, the range in which
-- nine of ten such windows lie, and how often a year chance alone brings as much.
SELECT topic, state, observed, round(expected, 1) AS expected, low, high,
       round(observed / nullif(expected, 0), 1) AS ratio, chance, round(surprise, 2) AS surprise,
       round(per_year, 2) AS per_year, outlets, round(share, 4) AS share, round(usual_share, 4) AS usual_share, feeds,
       since, ready, window_start, window_end, evaluated
FROM trends
WHERE id IN (SELECT max(id) FROM trends GROUP BY topic)
ORDER BY topic

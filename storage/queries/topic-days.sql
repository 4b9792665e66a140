-- How many stories did each topic have per day?
-- :days = 30  how far back
SELECT day, sum(stories) FILTER (WHERE topic = 'efficiency') AS efficiency,
       sum(stories) FILTER (WHERE topic = 'capex') AS capex, sum(stories) FILTER (WHERE topic = 'geopolitics') AS geopolitics
FROM topic_days WHERE day > date('now', '-' || :days || ' days') GROUP BY day ORDER BY day DESC

-- How much does each feed bring, and how much of it carries a topic?
-- :days = 30  how far back
SELECT f.name AS feed, count(DISTINCT i.id) AS items, count(DISTINCT s.item_id) AS with_topic,
       round(100.0 * count(DISTINCT s.item_id) / count(DISTINCT i.id), 1) AS percent, max(i.published) AS newest
FROM items i JOIN feeds f ON f.id = i.feed_id LEFT JOIN signals s ON s.item_id = i.id
WHERE i.published >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-' || :days || ' days')
GROUP BY +i.feed_id ORDER BY items DESC

-- Which recent items was the model least sure about?
-- :limit = 20  how many
SELECT round(c.probability, 2) AS probability, c.topic, f.name AS feed, i.title, i.url FROM items i
JOIN classifications c ON c.item_id = i.id JOIN feeds f ON f.id = i.feed_id
WHERE i.published >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-30 days') AND c.probability BETWEEN 0.35 AND 0.65
ORDER BY abs(c.probability - 0.5), i.published DESC LIMIT :limit

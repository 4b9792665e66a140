-- Which recent items, not labelled yet, was the model least sure about?
-- :topic = %   topic, or % for all
-- :days = 30   how far back
-- :limit = 20  how many
SELECT round(c.probability, 2) AS probability, t.threshold, t.topic, coalesce(s.words, '') AS words, f.name AS feed,
       i.title, i.url, i.id
FROM items i CROSS JOIN thresholds t
CROSS JOIN classifications c ON c.item_id = i.id AND c.model = t.model AND c.topic = t.topic
JOIN feeds f ON f.id = i.feed_id LEFT JOIN signals s ON s.item_id = i.id AND s.topic = t.topic
WHERE i.published >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-' || :days || ' days') AND t.topic LIKE :topic
  AND NOT EXISTS (SELECT 1 FROM labels l WHERE l.item_id = i.id AND l.topic = t.topic)
ORDER BY abs(c.probability - t.threshold), i.published DESC, i.id, t.topic LIMIT :limit

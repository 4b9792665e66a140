-- What people said of items, newest first, and what the model in use thinks: one row for each item and topic.
SELECT l.labelled, l.topic, l.carries, round(c.probability, 2) AS probability, t.threshold,
       (c.probability >= t.threshold) = l.carries AS agrees, f.name AS feed, i.title, i.url, i.lang, i.published, l.item_id
FROM labels l
JOIN items i ON i.id = l.item_id
JOIN feeds f ON f.id = i.feed_id
LEFT JOIN thresholds t ON t.topic = l.topic
LEFT JOIN classifications c ON c.item_id = l.item_id AND c.model = t.model AND c.topic = l.topic
ORDER BY l.labelled DESC, l.item_id DESC, l.topic

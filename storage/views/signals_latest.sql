-- Items that carry a topic, newest first: one row for each item and topic.
SELECT s.published, s.topic, round(s.probability, 2) AS probability, f.name AS feed, i.title, i.url, i.lang,
       i.summary, i.seen, s.words, s.model, s.item_id, m.story_id
FROM signals s
JOIN items i ON i.id = s.item_id
JOIN feeds f ON f.id = i.feed_id
LEFT JOIN story_items m ON m.item_id = s.item_id
ORDER BY s.published DESC, s.item_id DESC

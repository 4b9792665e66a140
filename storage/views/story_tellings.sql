-- The items that tell each story, in order of publication, newest story first: how new each was (percent), and what it is
-- to those before it: the first, a copy of one's words, an update by the same outlet, or a retelling.
SELECT m.story_id, m.novelty,
       CASE WHEN m.novelty = 100 THEN 'first' WHEN m.relation = 'first' THEN 'retelling' ELSE m.relation END AS relation,
       f.name AS feed, i.title, i.url, i.published, m.item_id
FROM story_items m
JOIN items i ON i.id = m.item_id
JOIN feeds f ON f.id = i.feed_id
ORDER BY m.story_id DESC, i.published, i.id

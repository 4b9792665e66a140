-- Stories, most recently told first: how many items and outlets tell each, and which topics it carries.
SELECT t.first_published, t.last_published, t.title, t.url, t.outlets, t.items,
       (SELECT group_concat(topic, ', ') FROM (
          SELECT DISTINCT s.topic FROM story_items m JOIN signals s ON s.item_id = m.item_id
          WHERE m.story_id = t.id ORDER BY s.topic)) AS topics,
       t.id AS story_id
FROM stories t
ORDER BY t.last_published DESC, t.id DESC

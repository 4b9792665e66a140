-- Stories, most recently told first: how many items and outlets tell each, how many of those in words
-- of their own, which topics it carries,
-- and the words that decided about its most probable one.
SELECT t.first_published, t.last_published, t.title, t.url, t.outlets, t.independent, t.items,
       (SELECT group_concat(topic, ', ') FROM (
          SELECT DISTINCT s.topic FROM story_items m JOIN signals s ON s.item_id = m.item_id
          WHERE m.story_id = t.id ORDER BY s.topic)) AS topics,
       coalesce((SELECT words FROM ( -- of the row with the maximum, as SQLite promises for max()
          SELECT s.words, max(s.probability) FROM story_items m JOIN signals s ON s.item_id = m.item_id
          WHERE m.story_id = t.id AND s.words <> '')), '') AS words,
       t.id AS story_id
FROM stories t
ORDER BY t.last_published DESC, t.id DESC

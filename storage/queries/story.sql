-- Who told a story, in which order, and how new was each telling?
-- :story = 1  story_id, as in stories_latest; one that was merged into another finds that one
WITH RECURSIVE same(id) AS (
  SELECT CAST(:story AS INTEGER) UNION SELECT g.into_id FROM same JOIN story_merges g ON g.story_id = same.id)
SELECT published, feed, relation, novelty, title, url, item_id, story_id FROM story_tellings
WHERE story_id IN (SELECT id FROM same)

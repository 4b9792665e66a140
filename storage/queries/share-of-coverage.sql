-- What share of all stories did each topic have per day?
-- :days = 30  how far back
SELECT day, topic, stories, all_stories, round(100 * share, 1) AS percent FROM topic_days
WHERE day > date('now', '-' || :days || ' days')

-- What are the latest items of a topic?
-- :topic = %   topic, or % for all
-- :limit = 20  how many
SELECT published, topic, probability, words, feed, title, url, item_id FROM signals_latest WHERE topic LIKE :topic LIMIT :limit

-- Which stories of the last days do most outlets carry?
-- :topic = %   topic, or % for all
-- :days = 7    how far back
-- :limit = 20  how many
SELECT outlets, items, topics, first_published, title, url FROM stories_latest
WHERE topics LIKE '%' || :topic || '%' AND last_published >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-' || :days || ' days')
ORDER BY outlets DESC, items DESC, last_published DESC LIMIT :limit

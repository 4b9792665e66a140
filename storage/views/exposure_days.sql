-- What is known of each feed on each local day, newest first: for how many hours nothing of it is missing, polls that
-- worked and that did not, and what it brought, whatever the topic.
SELECT d.day, f.name AS feed, round(d.hours, 1) AS hours, d.polls, d.failures, d.stories, d.items, d.feed_id
FROM feed_days d
JOIN feeds f ON f.id = d.feed_id
ORDER BY d.day DESC, f.name

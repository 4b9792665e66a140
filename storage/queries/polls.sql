-- How often was each feed asked, how often was there nothing new to send (304), and how long did it take?
-- :days = 7  how far back
WITH timed AS (
  SELECT feed_id, status, error, bytes, new_items, seconds,
         row_number() OVER (PARTITION BY feed_id ORDER BY seconds) AS place, count(*) OVER (PARTITION BY feed_id) AS polls
  FROM fetches
  WHERE started >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-' || :days || ' days') AND NOT pushed)
SELECT f.name AS feed, t.polls, sum(t.status IS 304) AS unchanged, sum(t.error IS NOT NULL) AS failures,
       sum(t.new_items) AS new_items, sum(t.bytes) AS bytes,
       max(CASE WHEN t.place = (t.polls + 1) / 2 THEN t.seconds END) AS median_seconds, max(t.seconds) AS worst_seconds
FROM timed t JOIN feeds f ON f.id = t.feed_id GROUP BY t.feed_id ORDER BY failures DESC, bytes DESC

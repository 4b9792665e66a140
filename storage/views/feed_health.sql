-- The feeds of the configuration: those in trouble first, then by name. minutes: between two polls; per_day: its news a
-- day; waits_for: its domain said "too often", and no feed of it is asked before then; moved_to: where it is asked, or
-- where it seems to be moving; pushed: how its subscription at a hub stands.
SELECT f.name, f.state, coalesce(f.state_since, f.added) AS since, f.trouble, f.error, f.status,
       f.last_poll, f.last_ok, f.last_news,
       CASE WHEN f.next_poll < '9999' THEN f.next_poll END AS next_poll, f.failures,
       round(f.every / 60.0, 1) AS minutes, f.fixed, round(f.rate, 2) AS per_day,
       (SELECT d.closed_until FROM domains d
        WHERE d.domain = f.domain AND d.closed_until > strftime('%Y-%m-%dT%H:%M:%SZ', 'now')) AS waits_for,
       f.kind, f.lang, f.url, coalesce(f.address, f.moved_to) AS moved_to,
       (SELECT s.state FROM subscriptions s WHERE s.feed_id = f.id) AS pushed,
       (SELECT count(*) FROM items i WHERE i.feed_id = f.id) AS items,
       (SELECT max(published) FROM items i WHERE i.feed_id = f.id) AS newest, f.id AS feed_id
FROM feeds f
WHERE f.active
ORDER BY CASE f.state WHEN 'gone' THEN 0 WHEN 'blocked' THEN 1 WHEN 'failing' THEN 2 WHEN 'stale' THEN 3 WHEN 'new' THEN 4
         ELSE 5 END, f.name

-- The feeds of the configuration: failing ones first, then by name.
SELECT f.name, CASE WHEN f.last_poll IS NULL THEN 'new' WHEN f.failures > 0 THEN 'failing' ELSE 'ok' END AS state,
       f.status, f.last_poll, f.last_ok, f.next_poll, f.failures, f.error, f.kind, f.lang, f.url,
       (SELECT count(*) FROM items i WHERE i.feed_id = f.id) AS items,
       (SELECT max(published) FROM items i WHERE i.feed_id = f.id) AS newest, f.id AS feed_id
FROM feeds f
WHERE f.active
ORDER BY f.failures = 0, f.name

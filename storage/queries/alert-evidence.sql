-- Which items does an alert rest on?
-- :alert = 1  alert_id, as in alerts-history
SELECT i.published, f.name AS feed, i.title, i.url FROM alert_items e
JOIN items i ON i.id = e.item_id JOIN feeds f ON f.id = i.feed_id WHERE e.alert_id = :alert ORDER BY i.published

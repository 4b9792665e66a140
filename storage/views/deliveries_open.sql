-- Messages that have not reached their channel: waiting, being retried, or given up.
SELECT a.headline, d.channel, d.state, d.attempts, d.next_try, d.error, a.created, d.alert_id, d.id AS delivery_id
FROM deliveries d
JOIN alerts a ON a.id = d.alert_id
WHERE d.state <> 'sent'
ORDER BY d.id

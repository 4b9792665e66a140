-- What was alerted, and did it arrive?
-- :limit = 20  how many
SELECT created, severity, topic, headline, deliveries, alert_id FROM alerts_history LIMIT :limit

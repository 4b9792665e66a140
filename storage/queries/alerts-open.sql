-- What was alerted and still lasts?
SELECT since, severity, rule, topic, headline, updated, repeats, acked, alert_id FROM alerts_open

-- Which alerts wait, why, and until when?
SELECT held_until, why, rule, severity, topic, headline, alert_id FROM alerts_waiting

-- Alerts that wait, those first that are looked at next: why, and until when.
SELECT a.held_until, a.why, a.rule, a.severity, a.topic, a.headline, a.created, a.id AS alert_id
FROM alerts a
WHERE a.state = 'held' AND a.held_until > ''
ORDER BY a.held_until, a.id

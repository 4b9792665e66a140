-- Alerts, newest first: what was said, why, and what became of each delivery.
SELECT a.created, a.severity, a.topic, a.headline, json_extract(a.finding, '$.explanation') AS explanation, a.rule,
       a.kind, (SELECT group_concat(channel || ': ' || state, ', ') FROM (
          SELECT channel, state FROM deliveries d WHERE d.alert_id = a.id ORDER BY channel)) AS deliveries,
       (SELECT count(*) FROM alert_items e WHERE e.alert_id = a.id) AS evidence, a.id AS alert_id
FROM alerts a
ORDER BY a.id DESC

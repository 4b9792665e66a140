-- Alerts, newest first: what was said, why, and what became of it. state: told, held, carried (within the alert told_in),
-- muted or silenced; why it was not told at once; thread: the key of the alert that began what this one goes on with.
SELECT a.created, a.severity, a.topic, a.headline, json_extract(a.finding, '$.explanation') AS explanation, a.rule,
       a.kind, (SELECT group_concat(channel || ': ' || state, ', ') FROM (
          SELECT channel, state FROM deliveries d WHERE d.alert_id = a.id ORDER BY channel)) AS deliveries,
       (SELECT count(*) FROM alert_items e WHERE e.alert_id = a.id) AS evidence, a.id AS alert_id,
       a.thread, a.phase, a.state, a.why, a.held_until, a.told_in, a.acked, a.ack_note
FROM alerts a
ORDER BY a.id DESC

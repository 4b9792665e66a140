-- What was alerted and still lasts, the latest beginning first: the newest headline of its thread, when that was raised,
-- how many alerts the thread has, how many of them are reminders, and when a person acknowledged it.
SELECT s.created AS since, s.rule, s.severity, s.topic, a.headline, a.created AS updated, s.kind,
       (SELECT count(*) FROM alerts n WHERE n.thread = s.thread) AS alerts,
       (SELECT count(*) FROM alerts n WHERE n.thread = s.thread AND instr(n.key, s.thread || ':repeat:') = 1) AS repeats,
       (SELECT max(n.acked) FROM alerts n WHERE n.thread = s.thread) AS acked, s.state, s.thread, s.id AS alert_id
FROM alerts s
JOIN alerts a ON a.id = (SELECT max(n.id) FROM alerts n WHERE n.thread = s.thread)
WHERE s.kind <> 'match' AND s.phase = 'start' AND (
    SELECT n.phase FROM alerts n WHERE n.thread = s.thread ORDER BY n.id DESC LIMIT 1) <> 'end'
ORDER BY s.created DESC, +s.id DESC

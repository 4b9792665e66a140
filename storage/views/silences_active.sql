-- Silences in force: nobody is told of the rule (empty: of any), or of this topic of it (empty: of any), until then.
SELECT s.since, s.until, s.rule, s.topic, s.reason, s.id AS silence_id
FROM silences s
WHERE s.until > strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
ORDER BY s.id

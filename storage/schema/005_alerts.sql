-- Alerts that last, wait and are grouped; what servers called their messages; silences.

ALTER TABLE alerts ADD COLUMN thread TEXT NOT NULL DEFAULT '';       -- key of the alert that began what this one goes on with
ALTER TABLE alerts ADD COLUMN phase TEXT NOT NULL DEFAULT 'once';    -- once; or start, update, end of something that lasts
ALTER TABLE alerts ADD COLUMN state TEXT NOT NULL DEFAULT 'told';    -- told, held, carried (by told_in), muted, silenced
ALTER TABLE alerts ADD COLUMN held_until TEXT;                       -- while held: when it is looked at again; afterwards: when it was told
ALTER TABLE alerts ADD COLUMN why TEXT NOT NULL DEFAULT '';          -- why it was not told at once
ALTER TABLE alerts ADD COLUMN told_in INTEGER REFERENCES alerts(id); -- the alert whose message carried it
ALTER TABLE alerts ADD COLUMN strength REAL NOT NULL DEFAULT 0;      -- how remarkable, among alerts of its rule
ALTER TABLE alerts ADD COLUMN acked TEXT;                            -- when a person said that it needs no reminder ...
ALTER TABLE alerts ADD COLUMN ack_note TEXT;                         -- ... and why
UPDATE alerts SET thread = key;
UPDATE alerts SET finding = json_remove(json_set(finding, '$.charts', json_array(json_object(
    'topic', topic, 'days', json_extract(finding, '$.days'), 'expected', json_extract(finding, '$.expected')))), '$.days')
WHERE json_array_length(finding, '$.days') > 0;
CREATE INDEX alerts_by_rule ON alerts(rule, created);
CREATE INDEX alerts_by_thread ON alerts(thread, id, phase);
CREATE INDEX alerts_lasting ON alerts(rule, phase, created, thread, key, state, acked, strength, kind, held_until)
  WHERE kind <> 'match';
DROP INDEX alerts_by_kind; -- of 004: nothing asks by kind any more
CREATE INDEX alerts_by_told_in ON alerts(told_in) WHERE told_in IS NOT NULL;
CREATE INDEX alert_items_by_item ON alert_items(item_id, alert_id);
CREATE INDEX alerts_held ON alerts(held_until) WHERE state = 'held';

ALTER TABLE deliveries ADD COLUMN receipt TEXT NOT NULL DEFAULT '';  -- what the server calls the message
ALTER TABLE deliveries ADD COLUMN reached TEXT NOT NULL DEFAULT '[]'; -- JSON: recipients that took it while others still wait
ALTER TABLE deliveries ADD COLUMN refused TEXT NOT NULL DEFAULT '';  -- which recipients will never get it, and why
ALTER TABLE deliveries ADD COLUMN resends INTEGER NOT NULL DEFAULT 0; -- how often a person asked to have it sent once more
CREATE INDEX deliveries_failed ON deliveries(channel, id) WHERE state = 'failed';

CREATE TABLE silences (              -- a person's wish not to be told for a time; findings are recorded all the same
  id INTEGER PRIMARY KEY,
  rule TEXT,                         -- NULL: any rule
  topic TEXT,                        -- NULL: any topic
  since TEXT NOT NULL,
  until TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT ''
);

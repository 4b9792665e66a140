-- The tables. Times are UTC, ISO 8601 text to the second (2026-01-31T08:00:00Z); probabilities run from 0 to 1.

CREATE TABLE feeds (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,         -- as in feeds.yaml
  url TEXT NOT NULL,
  lang TEXT,                         -- two-letter code from feeds.yaml, if given
  kind TEXT,                         -- lab, press, policy, ... from feeds.yaml, if given
  every INTEGER NOT NULL,            -- seconds between two polls
  active INTEGER NOT NULL DEFAULT 1, -- 0 once the feed has left feeds.yaml
  added TEXT NOT NULL,
  next_poll TEXT NOT NULL,           -- when it is due
  etag TEXT,                         -- the server's validators, byte for byte
  modified TEXT,
  body_hash TEXT,                    -- SHA-256 of the last document that was parsed
  failures INTEGER NOT NULL DEFAULT 0, -- since the last success
  status INTEGER,                    -- HTTP status of the last poll, if it got one
  error TEXT,                        -- why the last poll failed; NULL when it worked
  last_poll TEXT,
  last_ok TEXT,
  first_ok TEXT,                     -- its first good answer: that answer's entries are its backlog
  covered_since TEXT                 -- from here on nothing this feed published is missing
);

CREATE TABLE fetches (               -- one row for every poll of the last 180 days
  id INTEGER PRIMARY KEY,
  feed_id INTEGER NOT NULL REFERENCES feeds(id),
  started TEXT NOT NULL,
  seconds REAL NOT NULL,
  status INTEGER,                    -- HTTP status; NULL when there was no answer
  bytes INTEGER NOT NULL,            -- on the wire
  entries INTEGER NOT NULL,          -- in the document; 0 when unchanged
  new_items INTEGER NOT NULL,
  error TEXT
);
CREATE INDEX fetches_by_feed ON fetches(feed_id, started);
CREATE INDEX fetches_by_started ON fetches(started);

CREATE TABLE items (                 -- every entry of every feed, once
  id INTEGER PRIMARY KEY,
  feed_id INTEGER NOT NULL REFERENCES feeds(id),
  guid TEXT,
  url TEXT,
  title TEXT NOT NULL,               -- plain text
  summary TEXT NOT NULL,             -- plain text
  lang TEXT,                         -- two-letter code
  published TEXT NOT NULL,           -- the feed's own date; when missing or absurd, the time it was seen
  seen TEXT NOT NULL,
  backlog INTEGER NOT NULL,          -- 1: came with the feed's first answer, so it raises no alert
  identity TEXT NOT NULL,            -- hash by which the entry is recognised within its feed
  pending TEXT,                      -- the step it waits for: classify, group, judge; NULL when through
  UNIQUE (feed_id, identity)
);
CREATE INDEX items_by_published ON items(published);
CREATE INDEX items_by_seen ON items(seen);
CREATE INDEX items_by_feed ON items(feed_id, published);
CREATE INDEX items_pending ON items(pending, backlog, id) WHERE pending IS NOT NULL;

CREATE TABLE item_keys (             -- hashes of guid, link and title, to recognise an entry that comes again
  feed_id INTEGER NOT NULL,
  key INTEGER NOT NULL,
  item_id INTEGER NOT NULL REFERENCES items(id),
  PRIMARY KEY (feed_id, key, item_id)
) WITHOUT ROWID;

CREATE TABLE classifications (       -- what each model said of each item; a new model adds rows, nothing is rewritten
  item_id INTEGER NOT NULL REFERENCES items(id),
  model TEXT NOT NULL,
  topic TEXT NOT NULL,
  probability REAL NOT NULL,
  classified TEXT NOT NULL,
  PRIMARY KEY (item_id, model, topic)
) WITHOUT ROWID;

CREATE TABLE signals (               -- item x topic at or above the topic's threshold
  item_id INTEGER NOT NULL REFERENCES items(id),
  topic TEXT NOT NULL,
  probability REAL NOT NULL,
  model TEXT NOT NULL,
  published TEXT NOT NULL,           -- copied from the item
  created TEXT NOT NULL,
  PRIMARY KEY (item_id, topic)
) WITHOUT ROWID;
CREATE INDEX signals_by_topic ON signals(topic, published);
CREATE INDEX signals_by_published ON signals(published, item_id);

CREATE TABLE stories (               -- one event, told by one or more items
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,                 -- what its retellings share
  title TEXT NOT NULL,               -- of the item that told it first
  url TEXT,
  first_published TEXT NOT NULL,
  last_published TEXT NOT NULL,
  items INTEGER NOT NULL,
  outlets INTEGER NOT NULL           -- different feeds that carry it
);
CREATE INDEX stories_by_last ON stories(last_published, id);
CREATE INDEX stories_by_key ON stories(key);

CREATE TABLE story_items (
  item_id INTEGER PRIMARY KEY REFERENCES items(id),
  story_id INTEGER NOT NULL REFERENCES stories(id)
);
CREATE INDEX story_items_by_story ON story_items(story_id);

CREATE TABLE topic_counts (          -- a rollup of signals; a story counts on the day and for the feed that told it first
  day TEXT NOT NULL,                 -- UTC day of publication, 2026-01-31
  topic TEXT NOT NULL,
  feed_id INTEGER NOT NULL REFERENCES feeds(id),
  stories INTEGER NOT NULL,
  items INTEGER NOT NULL,
  PRIMARY KEY (topic, day, feed_id)
) WITHOUT ROWID;
CREATE INDEX topic_counts_by_day ON topic_counts(day);

CREATE TABLE trends (                -- a topic's flow against what was expected: the last look of each hour
  id INTEGER PRIMARY KEY,
  topic TEXT NOT NULL,
  hour TEXT NOT NULL,
  evaluated TEXT NOT NULL,
  window_start TEXT NOT NULL,
  window_end TEXT NOT NULL,
  observed INTEGER NOT NULL,         -- stories
  expected REAL NOT NULL,            -- stories
  chance REAL NOT NULL,              -- probability of so many or more by chance
  surprise REAL NOT NULL,            -- -log10(chance)
  state TEXT NOT NULL,               -- learning, normal, surging
  since TEXT NOT NULL,               -- when this state began
  feeds INTEGER NOT NULL,            -- feeds compared
  ready TEXT,                        -- while learning: when a baseline will be there
  UNIQUE (topic, hour)
);

CREATE TABLE alerts (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,          -- one occasion, one alert
  rule TEXT NOT NULL,                -- name of the rule in feeds.yaml
  kind TEXT NOT NULL,                -- trend, match, ...
  severity TEXT NOT NULL,
  topic TEXT NOT NULL,
  headline TEXT NOT NULL,
  created TEXT NOT NULL,
  finding TEXT NOT NULL              -- everything the message says, as JSON
);
CREATE INDEX alerts_by_created ON alerts(created);

CREATE TABLE alert_items (           -- the evidence
  alert_id INTEGER NOT NULL REFERENCES alerts(id),
  item_id INTEGER NOT NULL REFERENCES items(id),
  PRIMARY KEY (alert_id, item_id)
) WITHOUT ROWID;

CREATE TABLE deliveries (            -- the outbox: one row for each alert and channel
  id INTEGER PRIMARY KEY,
  alert_id INTEGER NOT NULL REFERENCES alerts(id),
  channel TEXT NOT NULL,             -- name in feeds.yaml
  state TEXT NOT NULL,               -- pending, sent, failed
  attempts INTEGER NOT NULL DEFAULT 0, -- counted when one begins
  next_try TEXT,                     -- NULL unless pending
  sent TEXT,                         -- when the server said that it took the message
  error TEXT,                        -- of the last attempt
  UNIQUE (alert_id, channel)
);
CREATE INDEX deliveries_pending ON deliveries(next_try) WHERE state = 'pending';

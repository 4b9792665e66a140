-- Polling at each feed's own pace: states, hints, moves, hashes of entries, closed domains, hubs.

ALTER TABLE feeds ADD COLUMN fixed INTEGER NOT NULL DEFAULT 0; -- 1: the user chose `every`; 0: the feed's own pace does
ALTER TABLE feeds ADD COLUMN rate REAL;            -- news a day, as of last_ok; NULL before it is known
ALTER TABLE feeds ADD COLUMN state TEXT NOT NULL DEFAULT 'new'; -- new, ok, failing, stale, blocked, gone
ALTER TABLE feeds ADD COLUMN state_since TEXT;     -- when that state began
ALTER TABLE feeds ADD COLUMN before TEXT;          -- the state before it
ALTER TABLE feeds ADD COLUMN before_since TEXT;    -- ... and when that one began
ALTER TABLE feeds ADD COLUMN trouble TEXT;         -- why the last poll failed, in one word; NULL when it worked
ALTER TABLE feeds ADD COLUMN last_news TEXT;       -- when it last brought something new
ALTER TABLE feeds ADD COLUMN address TEXT;         -- where it is asked, when it moved for good
ALTER TABLE feeds ADD COLUMN moved_to TEXT;        -- a move that is not believed yet: seen `moved_times` times ...
ALTER TABLE feeds ADD COLUMN moved_since TEXT;     -- ... since then
ALTER TABLE feeds ADD COLUMN moved_times INTEGER;
ALTER TABLE feeds ADD COLUMN hints TEXT;           -- what its document says about asking for it, as JSON
ALTER TABLE feeds ADD COLUMN domain TEXT NOT NULL DEFAULT ''; -- its registered domain
UPDATE feeds SET state = CASE WHEN last_poll IS NULL THEN 'new' WHEN failures > 0 THEN 'failing' ELSE 'ok' END,
                 state_since = CASE WHEN failures > 0 THEN coalesce(last_ok, added) ELSE coalesce(first_ok, last_poll) END,
                 last_news = (SELECT max(seen) FROM items i WHERE i.feed_id = feeds.id AND i.backlog < 2);

CREATE TABLE documents (             -- hashes of the entries of each feed's last document: what is in there needs no reading
  feed_id INTEGER PRIMARY KEY REFERENCES feeds(id),
  blocks BLOB NOT NULL               -- 8 bytes for each entry
);

CREATE TABLE domains (               -- registered domains that said "too often" (HTTP 429) or "later" (503)
  domain TEXT PRIMARY KEY,
  closed_until TEXT NOT NULL         -- until then none of their feeds is asked
) WITHOUT ROWID;

ALTER TABLE fetches ADD COLUMN trouble TEXT;       -- why it failed, in one word
ALTER TABLE fetches ADD COLUMN pushed INTEGER NOT NULL DEFAULT 0; -- 1: brought by the feed's hub, not asked for
DROP INDEX fetches_by_feed; -- a third of the record's size, for questions that go through all of it anyway

CREATE TABLE subscriptions (         -- feeds whose hub was asked to push what is new (WebSub)
  feed_id INTEGER PRIMARY KEY REFERENCES feeds(id),
  hub TEXT NOT NULL,
  topic TEXT NOT NULL,               -- the address under which the hub knows the feed
  token TEXT NOT NULL UNIQUE,        -- the last part of our callback address
  secret TEXT NOT NULL,              -- shared with the hub alone: it signs what it pushes
  state TEXT NOT NULL,               -- asked, active, refused
  lease_until TEXT,
  next_try TEXT,                     -- when the hub is asked again
  error TEXT
);

CREATE INDEX alerts_by_kind ON alerts(kind, key); -- which troubles of feeds were told

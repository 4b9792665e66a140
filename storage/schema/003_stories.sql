-- Stories by likeness; counts by local day, with exposure; looks that can be replayed.

CREATE TABLE embeddings (            -- what recent items mean, as the classifier's network puts it
  item_id INTEGER PRIMARY KEY REFERENCES items(id),
  model TEXT NOT NULL,               -- vectors of different models cannot be compared
  vector BLOB NOT NULL               -- half-precision floats, little-endian, of length one
);

DROP INDEX stories_by_key;
ALTER TABLE stories DROP COLUMN key;
ALTER TABLE stories ADD COLUMN independent INTEGER NOT NULL DEFAULT 1; -- different feeds that tell it in words of their own

ALTER TABLE story_items ADD COLUMN placed_in INTEGER;  -- the story it was put into at first; another one after a merge
ALTER TABLE story_items ADD COLUMN relation TEXT NOT NULL DEFAULT 'retelling'; -- first, copy, update, retelling
ALTER TABLE story_items ADD COLUMN novelty INTEGER NOT NULL DEFAULT 100; -- percent: 100, 75, 56, 42 ... in order of publication
UPDATE story_items SET placed_in = story_id;
UPDATE story_items SET novelty = novelty(told.rank), relation = told.relation FROM ( -- as far as it can still be told
  SELECT item_id, rank,
         CASE WHEN rank = 1 THEN 'first' WHEN same_words > 1 THEN 'copy' WHEN same_feed > 1 THEN 'update' ELSE 'retelling' END
         AS relation
  FROM (SELECT m.item_id, row_number() OVER (PARTITION BY m.story_id ORDER BY i.published, i.id) AS rank,
               row_number() OVER (PARTITION BY m.story_id, i.feed_id ORDER BY i.published, i.id) AS same_feed,
               row_number() OVER (PARTITION BY m.story_id, i.title, i.summary ORDER BY i.published, i.id) AS same_words
        FROM story_items m JOIN items i ON i.id = m.item_id)) AS told
WHERE story_items.item_id = told.item_id;
UPDATE stories SET independent = (
  SELECT count(DISTINCT i.feed_id) FROM story_items m JOIN items i ON i.id = m.item_id
  WHERE m.story_id = stories.id AND m.relation <> 'copy');

CREATE TABLE story_merges (          -- two stories turned out to be one; a merged story's id is never given again
  story_id INTEGER PRIMARY KEY,      -- the story that is no more
  into_id INTEGER NOT NULL,          -- the story that has its items now; it may be merged later itself
  item_id INTEGER NOT NULL,          -- the item that made the connection
  merged TEXT NOT NULL
) WITHOUT ROWID;

ALTER TABLE topic_counts ADD COLUMN weight REAL NOT NULL DEFAULT 0; -- stories, retellings counting a little: at most 1.2 a story
DROP INDEX topic_counts_by_day;
CREATE INDEX topic_counts_by_day ON topic_counts(day, feed_id); -- days are those of `calendar` from now on

CREATE TABLE feed_days (             -- what each feed brought on each local day, whatever the topic, and how long it was covered
  day TEXT NOT NULL,                 -- local day of publication, 2026-01-31, in the time zone of `calendar`
  feed_id INTEGER NOT NULL REFERENCES feeds(id),
  stories INTEGER NOT NULL DEFAULT 0, -- that it told first
  items INTEGER NOT NULL DEFAULT 0,
  hours REAL NOT NULL DEFAULT 0,     -- of that day for which nothing of this feed is missing
  polls INTEGER NOT NULL DEFAULT 0,  -- that worked
  failures INTEGER NOT NULL DEFAULT 0, -- polls that did not
  PRIMARY KEY (day, feed_id)
) WITHOUT ROWID;

CREATE TABLE exposures (             -- when a feed's flow is known without a gap; a poll that worked makes the last one longer
  feed_id INTEGER NOT NULL REFERENCES feeds(id),
  since TEXT NOT NULL,
  until TEXT NOT NULL,
  opened TEXT NOT NULL,              -- when that became known; what was published a day before came as a backlog
  PRIMARY KEY (feed_id, since)
) WITHOUT ROWID;
INSERT INTO exposures SELECT id, covered_since, last_ok, coalesce(first_ok, last_ok) FROM feeds
WHERE covered_since IS NOT NULL AND last_ok IS NOT NULL;
ALTER TABLE feeds DROP COLUMN covered_since;

CREATE TABLE calendar (              -- one row: the time zone whose days are counted
  zone TEXT NOT NULL
);

CREATE TABLE looks (                 -- each time that trends and alert rules looked: what a replay goes through again
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  last_item INTEGER NOT NULL         -- the newest item (by id) that was there
);
CREATE INDEX looks_by_at ON looks(at);
ALTER TABLE items ADD COLUMN look INTEGER; -- at which the alert rules saw it

ALTER TABLE thresholds ADD COLUMN read_since TEXT; -- items published from here on were all read by this model; NULL: all

ALTER TABLE trends ADD COLUMN low INTEGER NOT NULL DEFAULT 0;   -- chance keeps nine of ten days between low ...
ALTER TABLE trends ADD COLUMN high INTEGER NOT NULL DEFAULT 0;  -- ... and high
ALTER TABLE trends ADD COLUMN score REAL NOT NULL DEFAULT 0;    -- log odds of a surge (or of a drop, where state says so)
ALTER TABLE trends ADD COLUMN per_year REAL NOT NULL DEFAULT 365; -- how often a year chance alone brings such a score
ALTER TABLE trends ADD COLUMN outlets INTEGER NOT NULL DEFAULT 0; -- feeds that told the window's stories
ALTER TABLE trends ADD COLUMN share REAL;                       -- of all stories of the window that carry the topic
ALTER TABLE trends ADD COLUMN usual_share REAL;                 -- what that share was expected to be
ALTER TABLE trends ADD COLUMN way TEXT;                         -- rise or fall: of the present or the last episode ...
ALTER TABLE trends ADD COLUMN episode TEXT;                     -- ... when it began ...
ALTER TABLE trends ADD COLUMN alarmed TEXT;                     -- ... and when it was last rare enough for the budget

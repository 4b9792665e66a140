-- Reasons, people's corrections, and models that learned from them.

ALTER TABLE signals ADD COLUMN words TEXT NOT NULL DEFAULT ''; -- that decided, strongest first, separated by ", "

CREATE TABLE labels (                -- what a person said of an item: this decides, whatever a model says
  item_id INTEGER NOT NULL REFERENCES items(id),
  topic TEXT NOT NULL,
  carries INTEGER NOT NULL,          -- 1: the item carries the topic; 0: it does not
  labelled TEXT NOT NULL,
  PRIMARY KEY (item_id, topic)
) WITHOUT ROWID;

CREATE TABLE thresholds (            -- from which probability on an item becomes a signal, for each topic in use
  topic TEXT PRIMARY KEY,
  model TEXT NOT NULL,
  threshold REAL NOT NULL,
  since TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE heads (                 -- what `monitor train` learned from labels: one output layer for each topic
  topic TEXT PRIMARY KEY,
  model TEXT NOT NULL,               -- the name under which its results are stored
  base TEXT NOT NULL,                -- the model whose embeddings and logits it reads
  weights TEXT NOT NULL,             -- JSON array of numbers, see monitor.signals.heads
  labels INTEGER NOT NULL,           -- that it learned from
  fitted TEXT NOT NULL
) WITHOUT ROWID;

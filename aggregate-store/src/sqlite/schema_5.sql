-- Schema version 5: epochs of sources, and counts by source and day.

-- A source in one of its epochs; 0 is the first. No id is given twice.
CREATE TABLE source_5 (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    UNIQUE (name, epoch)
);
INSERT INTO source_5 (id, name, epoch) SELECT id, name, 0 FROM source;
DROP TABLE source;
ALTER TABLE source_5 RENAME TO source;

-- From which day on (YYYYMMDD; 0 is the beginning) which epoch of a source is in use; the empty name is every source that has
-- no rows. Without any row it is epoch 0. How often this or rules changed is epochs_number in meta.
CREATE TABLE epoch (
    source TEXT NOT NULL,
    first_day INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    PRIMARY KEY (source, first_day)
) WITHOUT ROWID;
-- The texts by which sources are folded that have rules of their own.
CREATE TABLE source_rules (
    source TEXT PRIMARY KEY,
    rules TEXT NOT NULL
) WITHOUT ROWID;

-- Rebuilds under way: of a source, or of all (the empty name), of these days (0 and 99999999 are no bounds). What they
-- folded, and what they could not. No number is given twice.
CREATE TABLE rebuild (
    epoch INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL UNIQUE,
    first_day INTEGER NOT NULL,
    last_day INTEGER NOT NULL,
    rules TEXT,
    fold_code INTEGER,
    fold_settings TEXT
);
CREATE TABLE rebuilt (
    epoch INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    key TEXT NOT NULL,
    submission_date INTEGER NOT NULL,
    records INTEGER NOT NULL,
    PRIMARY KEY (epoch, chunk)
) WITHOUT ROWID;
CREATE TABLE rebuilt_errored (
    epoch INTEGER NOT NULL,
    incarnation BLOB NOT NULL,      -- 16 bytes
    sequence INTEGER NOT NULL,
    submission_date INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    position INTEGER NOT NULL,
    reason TEXT NOT NULL,
    source INTEGER NOT NULL,
    PRIMARY KEY (epoch, incarnation, sequence)
) WITHOUT ROWID;

-- Pings by source, day (0 is all days that were deleted) and what became of them; and by reason. Their sums over what is in use
-- are those of counter and reason, unless what an older program counted is among these (counted_by_source in meta).
CREATE TABLE count_by_day (
    source INTEGER NOT NULL,
    submission_date INTEGER NOT NULL,
    folded INTEGER NOT NULL,
    repeated INTEGER NOT NULL,
    stored_only INTEGER NOT NULL,
    errored_pings INTEGER NOT NULL,
    PRIMARY KEY (source, submission_date)
) WITHOUT ROWID;
CREATE TABLE reason_by_day (
    source INTEGER NOT NULL,
    submission_date INTEGER NOT NULL,
    kind TEXT NOT NULL,             -- errored, refused
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (source, submission_date, kind, reason)
) WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('epochs_number', '0');
INSERT INTO meta (name, value)
SELECT 'counted_by_source', CASE WHEN EXISTS (SELECT 1 FROM folded) THEN 'no' ELSE 'yes' END;

-- source: where the ping came from; nothing of what an older program wrote.
ALTER TABLE errored ADD COLUMN source INTEGER;
CREATE INDEX errored_by_source ON errored (source, submission_date);

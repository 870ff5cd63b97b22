-- The tables of the newest schema, version 5, at once: what the steps from schema_1.sql on make of nothing.

-- name: schema_version, fold_code, fold_settings, epochs_number, counted_by_source, client_secret
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('epochs_number', '0'), ('counted_by_source', 'yes');

-- Dictionaries.
CREATE TABLE string (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
);
CREATE TABLE layout (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,          -- the ping's histogram_type
    min INTEGER NOT NULL,
    max INTEGER NOT NULL,
    bin_count INTEGER NOT NULL,
    UNIQUE (kind, min, max, bin_count)
);
-- A source in one of its epochs; 0 is the first. No id is given twice.
CREATE TABLE source (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    UNIQUE (name, epoch)
);
-- packed: ids of strings, of dimension and value by turns, ascending by dimension, as variable-length numbers. What a ping did
-- not state is left out. No id is given twice.
CREATE TABLE dimension_set (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source INTEGER NOT NULL,
    submission_date INTEGER NOT NULL,
    packed BLOB NOT NULL,
    UNIQUE (source, submission_date, packed)
);
CREATE INDEX dimension_set_by_date ON dimension_set (submission_date);
-- Which sets bear a value: members is a Roaring bitmap of their ids, those of one segment (id / 65536) in a row. dimension and
-- value are ids of strings; dimension 0 is the submission date, whose value is the number.
CREATE TABLE set_value (
    source INTEGER NOT NULL,
    dimension INTEGER NOT NULL,
    value INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    members BLOB NOT NULL,
    PRIMARY KEY (source, dimension, value, segment)
) WITHOUT ROWID;
-- No number of a chunk is given twice, and what a number stands for stays known for as long as copies and errored pings may
-- name it: for a chunk that is deleted before them, gone is the day of its records.
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incarnation BLOB NOT NULL,      -- 16 bytes
    boot INTEGER NOT NULL,
    plan INTEGER NOT NULL,
    gone INTEGER,
    UNIQUE (incarnation, boot, plan)
);
CREATE INDEX chunk_gone ON chunk (gone) WHERE gone IS NOT NULL;
CREATE TABLE incarnation (
    id INTEGER PRIMARY KEY,
    bits BLOB NOT NULL UNIQUE       -- 16 bytes
);

-- Aggregates. A metric's cells lie together; value is a stored cell of the crate `sketch`.
CREATE TABLE cell (
    metric INTEGER NOT NULL,
    dimension_set INTEGER NOT NULL,
    process INTEGER NOT NULL,
    label INTEGER NOT NULL,
    layout INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (metric, dimension_set, process, label, layout)
) WITHOUT ROWID;
-- How many cells of a source, channel and version bear a value. dimension: the id of its name, with os_version as the detail of
-- os; -1 the metric, -2 the process, -3 the submission date (the number, no string).
CREATE TABLE listing (
    source INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    version INTEGER NOT NULL,
    dimension INTEGER NOT NULL,
    value INTEGER NOT NULL,
    detail INTEGER NOT NULL,
    cells INTEGER NOT NULL,
    PRIMARY KEY (source, channel, version, dimension, value, detail)
) WITHOUT ROWID;
-- Values of which every copy may be taken in. kind: 1 a sketch of clients, whose image is a canonical DataSketches image of the
-- crate `sketch`, up to about 4 KiB: hence a table with row ids. projection: 1 users by application, channel, version and os.
-- metric: 0 all pings.
CREATE TABLE union_value (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    projection INTEGER NOT NULL,
    dimension_set INTEGER NOT NULL,
    metric INTEGER NOT NULL,
    image BLOB NOT NULL,
    UNIQUE (kind, projection, dimension_set, metric)
);
CREATE INDEX union_value_by_set ON union_value (dimension_set);
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

-- What was folded. received is in microseconds since 1970-01-01T00:00:00Z.
CREATE TABLE folded (
    chunk INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    submission_date INTEGER NOT NULL,
    records INTEGER NOT NULL
);
CREATE INDEX folded_by_date ON folded (submission_date);
-- Chunks of errored pings whose bodies were tried again: those of at most inflated_bytes are folded, or in errored.
CREATE TABLE retried (
    chunk INTEGER PRIMARY KEY,
    inflated_bytes INTEGER NOT NULL
);
CREATE TABLE seen (
    document BLOB NOT NULL,         -- 16 bytes
    incarnation INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    received INTEGER NOT NULL,
    submission_date INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    position INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    PRIMARY KEY (document, incarnation, sequence)
) WITHOUT ROWID;
CREATE TABLE errored (
    incarnation BLOB NOT NULL,      -- 16 bytes
    sequence INTEGER NOT NULL,
    submission_date INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    position INTEGER NOT NULL,
    reason TEXT NOT NULL,
    source INTEGER,                 -- where the ping came from; nothing of what an older program wrote
    PRIMARY KEY (incarnation, sequence)
) WITHOUT ROWID;
CREATE INDEX errored_by_date ON errored (submission_date);
CREATE INDEX errored_by_source ON errored (source, submission_date);
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

-- name: folded, repeated, stored_only, errored_pings, newest_received
CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
-- kind: errored, refused
CREATE TABLE reason (
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (kind, reason)
) WITHOUT ROWID;

-- Which layer of memory each writer wrote last, in the transaction of its sums. persisted_at is in microseconds since
-- 1970-01-01T00:00:00Z.
CREATE TABLE layer (
    writer BLOB PRIMARY KEY,        -- 16 bytes
    number INTEGER NOT NULL,
    persisted_at INTEGER NOT NULL
) WITHOUT ROWID;

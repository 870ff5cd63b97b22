-- Schema version 1.

-- name: schema_version, fold_code, fold_settings
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

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
-- submission_date is the number YYYYMMDD in every table; all other dimensions are ids of strings.
-- The index answers which sets of a channel and version match without reading the table.
CREATE TABLE dimension_set (
    id INTEGER PRIMARY KEY,
    channel INTEGER NOT NULL,
    version INTEGER NOT NULL,
    submission_date INTEGER NOT NULL,
    build_date INTEGER NOT NULL,
    application INTEGER NOT NULL,
    architecture INTEGER NOT NULL,
    os INTEGER NOT NULL,
    os_version INTEGER NOT NULL,
    e10s INTEGER NOT NULL,
    UNIQUE (channel, version, submission_date, build_date, application, architecture, os, os_version, e10s)
);
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY,
    incarnation BLOB NOT NULL,      -- 16 bytes
    boot INTEGER NOT NULL,
    plan INTEGER NOT NULL,
    UNIQUE (incarnation, boot, plan)
);
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
-- How many cells of a channel and version bear a value. kind: 1 metric, 2 application, 3 architecture,
-- 4 os with os_version as detail, 5 process, 6 e10s, 7 build date, 8 submission date (the number, no string).
CREATE TABLE listing (
    channel INTEGER NOT NULL,
    version INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    value INTEGER NOT NULL,
    detail INTEGER NOT NULL,
    cells INTEGER NOT NULL,
    PRIMARY KEY (channel, version, kind, value, detail)
) WITHOUT ROWID;
-- image is a canonical DataSketches image of the crate `sketch`, up to about 4 KiB: hence a table with row ids.
CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    submission_date INTEGER NOT NULL,
    application INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    version INTEGER NOT NULL,
    os INTEGER NOT NULL,
    image BLOB NOT NULL,
    UNIQUE (submission_date, application, channel, version, os)
);

-- What was folded. received is in microseconds since 1970-01-01T00:00:00Z.
CREATE TABLE folded (
    chunk INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    submission_date INTEGER NOT NULL,
    records INTEGER NOT NULL
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
    PRIMARY KEY (incarnation, sequence)
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

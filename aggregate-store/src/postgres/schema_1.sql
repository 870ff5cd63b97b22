-- Schema version 1. Texts of clients are BYTEA, for they may hold U+0000; bytes in order are UTF-8 in order.

-- Which aggregates these are, for an index to know whose chunks it lists: 16 bytes, drawn once.
CREATE TABLE highwater_aggregates.about (
    id SMALLINT PRIMARY KEY CHECK (id = 1),
    incarnation BYTEA NOT NULL
);
INSERT INTO highwater_aggregates.about (id, incarnation) VALUES (1, uuid_send(gen_random_uuid()));

-- The rules under which everything here was folded.
CREATE TABLE highwater_aggregates.fold_version (
    id SMALLINT PRIMARY KEY CHECK (id = 1),
    code BIGINT NOT NULL,
    settings BYTEA NOT NULL
);

-- Dictionaries. A text is found by its digest, for an index holds no text of more than some KB.
CREATE TABLE highwater_aggregates.string (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bytes BYTEA NOT NULL
);
CREATE UNIQUE INDEX string_by_digest ON highwater_aggregates.string (sha256(bytes));
CREATE TABLE highwater_aggregates.layout (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind BIGINT NOT NULL,               -- the ping's histogram_type
    min BIGINT NOT NULL,
    max BIGINT NOT NULL,
    bin_count BIGINT NOT NULL,
    UNIQUE (kind, min, max, bin_count)
);
-- submission_date is the number YYYYMMDD in every table; all other dimensions are ids of strings.
CREATE TABLE highwater_aggregates.dimension_set (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
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
CREATE INDEX dimension_set_by_date ON highwater_aggregates.dimension_set (submission_date);

-- Aggregates. value is a stored cell of the crate `sketch`. The cells of a dimension set lie together: a question looks
-- its sets up and reads a metric in each, a deletion takes whole sets.
CREATE TABLE highwater_aggregates.cell (
    dimension_set INTEGER NOT NULL,
    metric INTEGER NOT NULL,
    process INTEGER NOT NULL,
    label INTEGER NOT NULL,
    layout INTEGER NOT NULL,
    value BYTEA NOT NULL,
    PRIMARY KEY (dimension_set, metric, process, label, layout)
);
-- How many cells of a channel and version bear a value. kind: 1 metric, 2 application, 3 architecture,
-- 4 os with os_version as detail, 5 process, 6 e10s, 7 build date, 8 submission date (the number, no string).
CREATE TABLE highwater_aggregates.listing (
    channel INTEGER NOT NULL,
    version INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    value INTEGER NOT NULL,
    detail INTEGER NOT NULL,
    cells BIGINT NOT NULL,
    PRIMARY KEY (channel, version, kind, value, detail)
);
-- image is a canonical DataSketches image of the crate `sketch`.
CREATE TABLE highwater_aggregates.users (
    submission_date INTEGER NOT NULL,
    application INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    version INTEGER NOT NULL,
    os INTEGER NOT NULL,
    image BYTEA NOT NULL,
    PRIMARY KEY (submission_date, application, channel, version, os)
);

-- What was folded. received is in microseconds since 1970-01-01T00:00:00Z; incarnations and documents have 16 bytes.
CREATE TABLE highwater_aggregates.folded (
    incarnation BYTEA NOT NULL,
    boot BIGINT NOT NULL,
    plan BIGINT NOT NULL,
    key BYTEA NOT NULL,
    is_errors BOOLEAN NOT NULL,         -- a chunk of errored pings, by its key
    submission_date INTEGER NOT NULL,
    records BIGINT NOT NULL,
    PRIMARY KEY (incarnation, boot, plan)
);
CREATE INDEX folded_by_date ON highwater_aggregates.folded (submission_date);
-- Chunks of errored pings whose bodies were tried again: those of at most inflated_bytes are folded, or in errored.
CREATE TABLE highwater_aggregates.retried (
    incarnation BYTEA NOT NULL,
    boot BIGINT NOT NULL,
    plan BIGINT NOT NULL,
    inflated_bytes BIGINT NOT NULL,
    PRIMARY KEY (incarnation, boot, plan)
);
CREATE TABLE highwater_aggregates.seen (
    document BYTEA NOT NULL,
    incarnation BYTEA NOT NULL,
    sequence BIGINT NOT NULL,
    received BIGINT NOT NULL,
    submission_date INTEGER NOT NULL,
    chunk_incarnation BYTEA NOT NULL,
    chunk_boot BIGINT NOT NULL,
    chunk_plan BIGINT NOT NULL,
    position BIGINT NOT NULL,
    counted BOOLEAN NOT NULL,
    PRIMARY KEY (document, incarnation, sequence)
);
CREATE TABLE highwater_aggregates.errored (
    incarnation BYTEA NOT NULL,
    sequence BIGINT NOT NULL,
    submission_date INTEGER NOT NULL,
    chunk_incarnation BYTEA NOT NULL,
    chunk_boot BIGINT NOT NULL,
    chunk_plan BIGINT NOT NULL,
    position BIGINT NOT NULL,
    reason BYTEA NOT NULL,
    PRIMARY KEY (incarnation, sequence)
);
CREATE INDEX errored_by_date ON highwater_aggregates.errored (submission_date);

-- kind 'counter': folded, repeated, stored_only, errored_pings, newest_received; 'errored' and 'refused': by reason.
CREATE TABLE highwater_aggregates.counter (
    kind TEXT COLLATE "C" NOT NULL,
    name BYTEA NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (kind, name)
);

-- Who folds what. A holder lives until its time is over; a lease lasts as long as its holder, and fence rises with each
-- claim. A holder is 16 bytes.
CREATE TABLE highwater_aggregates.holder (
    holder BYTEA PRIMARY KEY,
    expires TIMESTAMPTZ NOT NULL
);
CREATE TABLE highwater_aggregates.lease (
    shard INTEGER PRIMARY KEY,
    holder BYTEA,
    fence BIGINT NOT NULL
);
INSERT INTO highwater_aggregates.lease (shard, fence) SELECT shard, 0 FROM generate_series(0, 63) AS shard;

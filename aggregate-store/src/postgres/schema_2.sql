-- Schema version 2: any source, and dimension sets that are lists. What is in the tables of version 1 becomes the source
-- telemetry/main. Sets keep their ids, so that cells stay as they are.

-- Behind the gate of those that write, and before everybody's eyes at once.
SELECT pg_advisory_xact_lock(8606217354014312);
LOCK TABLE highwater_aggregates.dimension_set, highwater_aggregates.cell, highwater_aggregates.listing,
    highwater_aggregates.users, highwater_aggregates.string IN ACCESS EXCLUSIVE MODE;

-- name: <namespace>/<document type>. No row of it is ever removed, as none of string and layout is.
CREATE TABLE highwater_aggregates.source (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name BYTEA NOT NULL
);
CREATE UNIQUE INDEX source_by_digest ON highwater_aggregates.source (sha256(name));
INSERT INTO highwater_aggregates.source (name) VALUES ('telemetry/main');

-- What stands in a pair for a column of version 1, and the id of what was not stated.
INSERT INTO highwater_aggregates.string (bytes)
SELECT name::BYTEA FROM unnest(ARRAY['channel', 'version', 'build_date', 'application', 'architecture', 'os', 'os_version',
    'e10s']) AS name
WHERE NOT EXISTS (SELECT FROM highwater_aggregates.string WHERE sha256(bytes) = sha256(name::BYTEA));
CREATE TABLE highwater_aggregates.columns_1 AS SELECT
    (SELECT id FROM highwater_aggregates.source) AS source,
    (SELECT id::BIGINT << 32 FROM highwater_aggregates.string WHERE sha256(bytes) = sha256('channel')) AS channel,
    (SELECT id::BIGINT << 32 FROM highwater_aggregates.string WHERE sha256(bytes) = sha256('version')) AS version,
    (SELECT id::BIGINT << 32 FROM highwater_aggregates.string WHERE sha256(bytes) = sha256('build_date')) AS build_date,
    (SELECT id::BIGINT << 32 FROM highwater_aggregates.string WHERE sha256(bytes) = sha256('application')) AS application,
    (SELECT id::BIGINT << 32 FROM highwater_aggregates.string WHERE sha256(bytes) = sha256('architecture')) AS architecture,
    (SELECT id::BIGINT << 32 FROM highwater_aggregates.string WHERE sha256(bytes) = sha256('os')) AS os,
    (SELECT id::BIGINT << 32 FROM highwater_aggregates.string WHERE sha256(bytes) = sha256('os_version')) AS os_version,
    (SELECT id::BIGINT << 32 FROM highwater_aggregates.string WHERE sha256(bytes) = sha256('e10s')) AS e10s,
    COALESCE((SELECT id FROM highwater_aggregates.string WHERE sha256(bytes) = sha256('UNKNOWN')), 0) AS unknown;

-- pairs: of ids of strings, dimension * 2^32 + value, ascending. What a ping did not state is left out. A set is named by
-- cells, or by union values, or both.
CREATE TABLE highwater_aggregates.dimension_set_2 (
    id INTEGER GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME highwater_aggregates.dimension_set_ids),
    source INTEGER NOT NULL,
    submission_date INTEGER NOT NULL,
    pairs BIGINT[] NOT NULL
);
INSERT INTO highwater_aggregates.dimension_set_2 (id, source, submission_date, pairs) OVERRIDING SYSTEM VALUE
SELECT s.id, n.source, s.submission_date, ARRAY(
    SELECT pair FROM unnest(ARRAY[n.channel + s.channel, n.version + s.version, n.build_date + s.build_date,
        n.application + s.application, n.architecture + s.architecture, n.os + s.os, n.os_version + s.os_version,
        n.e10s + s.e10s]) AS pair
    WHERE pair & 4294967295 <> n.unknown ORDER BY pair)
FROM highwater_aggregates.dimension_set s CROSS JOIN highwater_aggregates.columns_1 n ORDER BY s.id;
-- Ids go on where they were.
SELECT setval('highwater_aggregates.dimension_set_ids', last_value, is_called)
FROM highwater_aggregates.dimension_set_id_seq;
DROP TABLE highwater_aggregates.dimension_set;
ALTER TABLE highwater_aggregates.dimension_set_2 RENAME TO dimension_set;
ALTER TABLE highwater_aggregates.dimension_set ADD CONSTRAINT dimension_set_by_id PRIMARY KEY (id),
    ADD CONSTRAINT dimension_set_by_pairs UNIQUE (source, submission_date, pairs);

-- How many cells of a source, channel and version bear a value. dimension: the id of its name, with os_version as the detail
-- of os; -1 the metric, -2 the process, -3 the submission date (the number, no string).
CREATE TABLE highwater_aggregates.listing_2 (
    source INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    version INTEGER NOT NULL,
    dimension INTEGER NOT NULL,
    value INTEGER NOT NULL,
    detail INTEGER NOT NULL,
    cells BIGINT NOT NULL
);
INSERT INTO highwater_aggregates.listing_2 (source, channel, version, dimension, value, detail, cells)
SELECT n.source, l.channel, l.version, CASE l.kind
    WHEN 1 THEN -1 WHEN 2 THEN n.application >> 32 WHEN 3 THEN n.architecture >> 32 WHEN 4 THEN n.os >> 32
    WHEN 5 THEN -2 WHEN 6 THEN n.e10s >> 32 WHEN 7 THEN n.build_date >> 32 WHEN 8 THEN -3 END, l.value, l.detail, l.cells
FROM highwater_aggregates.listing l CROSS JOIN highwater_aggregates.columns_1 n;
DROP TABLE highwater_aggregates.listing;
ALTER TABLE highwater_aggregates.listing_2 RENAME TO listing;
ALTER TABLE highwater_aggregates.listing
    ADD CONSTRAINT listing_by_value PRIMARY KEY (source, channel, version, dimension, value, detail);

-- Values of which every copy may be taken in. kind: 1 a sketch of clients, whose image is a canonical DataSketches image of
-- the crate `sketch`. projection: 1 users by application, channel, version and os. metric: 0 all pings.
CREATE TABLE highwater_aggregates.union_value (
    kind INTEGER NOT NULL,
    projection INTEGER NOT NULL,
    dimension_set INTEGER NOT NULL,
    metric INTEGER NOT NULL,
    image BYTEA NOT NULL,
    PRIMARY KEY (dimension_set, kind, projection, metric)
);
CREATE VIEW highwater_aggregates.users_1 AS
SELECT n.source, u.submission_date, ARRAY(
    SELECT pair FROM unnest(ARRAY[n.application + u.application, n.channel + u.channel, n.version + u.version, n.os + u.os])
        AS pair
    WHERE pair & 4294967295 <> n.unknown ORDER BY pair) AS pairs, u.image
FROM highwater_aggregates.users u CROSS JOIN highwater_aggregates.columns_1 n;
INSERT INTO highwater_aggregates.dimension_set (source, submission_date, pairs)
SELECT source, submission_date, pairs FROM highwater_aggregates.users_1
ON CONFLICT (source, submission_date, pairs) DO NOTHING;
INSERT INTO highwater_aggregates.union_value (kind, projection, dimension_set, metric, image)
SELECT 1, 1, s.id, 0, u.image FROM highwater_aggregates.users_1 u
JOIN highwater_aggregates.dimension_set s USING (source, submission_date, pairs);
DROP VIEW highwater_aggregates.users_1;
DROP TABLE highwater_aggregates.columns_1;
DROP TABLE highwater_aggregates.users;
CREATE INDEX dimension_set_by_date ON highwater_aggregates.dimension_set (submission_date);
-- Which sets bear a value. Sets are few and asked for often: none waits in a list that each question would read.
CREATE INDEX dimension_set_by_pair ON highwater_aggregates.dimension_set USING GIN (pairs) WITH (fastupdate = off);
ANALYZE highwater_aggregates.dimension_set;

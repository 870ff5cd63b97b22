//! The tables of the index in PostgreSQL. What they mean is the same as in SQLite; how they lie is not:
//!
//! - Entries are partitioned by the month of their submission date, so that a month is dropped at once. A unique
//!   constraint over partitions must contain the date. A key contains it, which a check holds against the column, so
//!   keys are unique as they are; ids are kept unique by a table of their own, `chunk_day`.
//! - Sums are kept in slots, one for each connection of sixteen, so that inserters do not wait for each other's commits.
//! - `place` is the order of arrival, over entries and pending rows alike.
//!
//! All texts compare by bytes (`COLLATE "C"`).

use postgres_connections::Schema;

/// The tables, and the number of the lock behind which they are made.
pub(super) const SCHEMA: Schema = Schema {
    name: "highwater_index",
    lock: 7_595_436_872_450_728,
    migrations: &MIGRATIONS,
};

/// Each entry brings the schema from the version of its place to the next one. Never edit one that was released; each
/// must leave what the program before it asks for as it was, for that may still be running.
const MIGRATIONS: [&[&str]; 2] = [
    &[
        CHUNKS,
        MONTHS,
        WAITING,
        SUMS,
        RETENTION,
        super::views::VIEWS,
        super::views::READER,
    ],
    &[super::floor_sql::SOURCE_FLOORS_TABLE],
];

const CHUNKS: &str = "
CREATE SEQUENCE highwater_index.place;
CREATE TABLE highwater_index.chunk (
    place BIGINT NOT NULL,
    chunk_id TEXT COLLATE \"C\" NOT NULL,
    object_key TEXT COLLATE \"C\" NOT NULL,
    kind SMALLINT NOT NULL,
    submission_date TEXT COLLATE \"C\" NOT NULL,
    source_name TEXT COLLATE \"C\" NOT NULL,
    source_version TEXT COLLATE \"C\" NOT NULL,
    doc_type TEXT COLLATE \"C\" NOT NULL,
    app_name TEXT COLLATE \"C\" NOT NULL,
    app_update_channel TEXT COLLATE \"C\" NOT NULL,
    app_version TEXT COLLATE \"C\" NOT NULL,
    app_build_id TEXT COLLATE \"C\" NOT NULL,
    records BIGINT NOT NULL,
    raw_bytes BIGINT NOT NULL,
    stored_bytes BIGINT NOT NULL,
    received_bytes BIGINT NOT NULL,
    received_min_us BIGINT NOT NULL,
    received_max_us BIGINT NOT NULL,
    sealed_us BIGINT NOT NULL,
    state SMALLINT NOT NULL DEFAULT 0,
    replaced_by TEXT COLLATE \"C\",
    detail BYTEA NOT NULL,
    PRIMARY KEY (submission_date, chunk_id),
    CONSTRAINT chunk_key UNIQUE (submission_date, object_key),
    CONSTRAINT chunk_key_names_its_day CHECK (strpos(object_key, '/submission_date=' || submission_date || '/') > 0)
) PARTITION BY RANGE (submission_date);
CREATE INDEX chunk_by_channel ON highwater_index.chunk (submission_date, app_update_channel);
CREATE INDEX chunk_by_build ON highwater_index.chunk (app_update_channel, app_build_id);
CREATE INDEX chunk_by_version ON highwater_index.chunk (app_version, submission_date);
CREATE INDEX chunk_not_live ON highwater_index.chunk (submission_date) WHERE state <> 0;
CREATE TABLE highwater_index.chunk_day (
    chunk_id TEXT COLLATE \"C\" NOT NULL PRIMARY KEY,
    submission_date TEXT COLLATE \"C\" NOT NULL
);
CREATE INDEX chunk_day_by_date ON highwater_index.chunk_day USING BRIN (submission_date);
";

/// Makes a month's partition where there is none. The table is made beside the others and then attached: so nobody who
/// reads or writes waits, as they would for `CREATE TABLE … PARTITION OF`. The day 32 is above all days of a month.
/// It runs with the rights of whoever made the schema, so that who inserts need own nothing.
const MONTHS: &str = "
CREATE FUNCTION highwater_index.make_month(month TEXT) RETURNS VOID
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF month !~ '^[0-9]{4}(0[1-9]|1[0-2])$' THEN
        RAISE EXCEPTION '% is no month: write it as YYYYMM', month;
    END IF;
    PERFORM pg_advisory_xact_lock(7595436872450729);
    -- Not by to_regclass: it may answer from what was remembered before this waited.
    IF EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'highwater_index' AND c.relname = 'chunk_' || month) THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE highwater_index.%I (LIKE highwater_index.chunk INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
                   'chunk_' || month);
    EXECUTE format('ALTER TABLE highwater_index.chunk ATTACH PARTITION highwater_index.%I FOR VALUES FROM (%L) TO (%L)',
                   'chunk_' || month, month || '01', month || '32');
END $$;
REVOKE ALL ON FUNCTION highwater_index.make_month(TEXT) FROM PUBLIC;
";

const WAITING: &str = "
CREATE TABLE highwater_index.pending (
    place BIGINT NOT NULL PRIMARY KEY,
    chunk_id TEXT COLLATE \"C\" NOT NULL UNIQUE,
    submission_date TEXT COLLATE \"C\" NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    reason TEXT
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);
CREATE TABLE highwater_index.set_aside (
    chunk_id TEXT COLLATE \"C\" NOT NULL PRIMARY KEY,
    submission_date TEXT COLLATE \"C\" NOT NULL,
    object_key TEXT COLLATE \"C\" NOT NULL,
    failures INTEGER NOT NULL,
    reason TEXT NOT NULL
);
CREATE TABLE highwater_index.unreadable (
    object_key TEXT COLLATE \"C\" NOT NULL PRIMARY KEY,
    submission_date TEXT COLLATE \"C\",
    reason TEXT NOT NULL,
    noted TIMESTAMPTZ NOT NULL DEFAULT now()
);
";

const SUMS: &str = "
CREATE TABLE highwater_index.day_sum (
    submission_date TEXT COLLATE \"C\" NOT NULL,
    kind SMALLINT NOT NULL,
    slot SMALLINT NOT NULL,
    chunks BIGINT NOT NULL,
    records BIGINT NOT NULL,
    stored_bytes BIGINT NOT NULL,
    received_bytes BIGINT NOT NULL,
    PRIMARY KEY (submission_date, kind, slot)
) WITH (fillfactor = 50);
CREATE TABLE highwater_index.product (
    source_name TEXT COLLATE \"C\" NOT NULL,
    doc_type TEXT COLLATE \"C\" NOT NULL,
    app_name TEXT COLLATE \"C\" NOT NULL,
    slot SMALLINT NOT NULL,
    records BIGINT NOT NULL,
    PRIMARY KEY (source_name, doc_type, app_name, slot)
) WITH (fillfactor = 50);
CREATE TABLE highwater_index.totals (
    id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1),
    generation BIGINT NOT NULL DEFAULT 0,
    removed_chunks BIGINT NOT NULL DEFAULT 0,
    removed_records BIGINT NOT NULL DEFAULT 0,
    removed_stored_bytes BIGINT NOT NULL DEFAULT 0,
    refused_chunks BIGINT NOT NULL DEFAULT 0,
    refused_records BIGINT NOT NULL DEFAULT 0,
    unfolded_records BIGINT NOT NULL DEFAULT 0,
    rebuild_wanted BOOLEAN NOT NULL DEFAULT FALSE,
    folded_by TEXT
) WITH (fillfactor = 50);
INSERT INTO highwater_index.totals (id) VALUES (1);
";

/// `''` is the floor below every day. The table of floors is also the gate that every transaction which writes locks.
const RETENTION: &str = "
CREATE TABLE highwater_index.floor (
    id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1),
    pings TEXT COLLATE \"C\" NOT NULL,
    errors TEXT COLLATE \"C\" NOT NULL,
    aggregates TEXT COLLATE \"C\" NOT NULL
);
INSERT INTO highwater_index.floor VALUES (1, '', '', '');
CREATE TABLE highwater_index.tombstone (
    object_key TEXT COLLATE \"C\" NOT NULL PRIMARY KEY,
    chunk_id TEXT COLLATE \"C\" NOT NULL UNIQUE,
    kind SMALLINT NOT NULL,
    submission_date TEXT COLLATE \"C\" NOT NULL,
    why TEXT NOT NULL,
    made_us BIGINT NOT NULL,
    done BOOLEAN NOT NULL
);
CREATE TABLE highwater_index.refused (
    object_key TEXT COLLATE \"C\" NOT NULL PRIMARY KEY,
    submission_date TEXT COLLATE \"C\" NOT NULL,
    records BIGINT NOT NULL
);
";

//! The tables and statements of floors, tombstones and deletion. Numbers of kinds are those of the summary; `''` is
//! the floor below every day.

use super::floor_sql::{aggregates_floor, chunk_floor, key_floor};

/// Schema version 2: floors, tombstones, what was refused below the floor, and sums over what is gone.
pub(super) const MIGRATION_2: &str = "
CREATE TABLE floor (
    id INTEGER NOT NULL PRIMARY KEY,
    pings TEXT NOT NULL,
    errors TEXT NOT NULL,
    aggregates TEXT NOT NULL
);
INSERT INTO floor VALUES (1, '', '', '');
CREATE TABLE tombstone (
    object_key TEXT NOT NULL PRIMARY KEY,
    chunk_id TEXT NOT NULL UNIQUE,
    kind INTEGER NOT NULL,
    submission_date TEXT NOT NULL,
    why TEXT NOT NULL,
    made_us BIGINT NOT NULL,
    done INTEGER NOT NULL
);
CREATE TABLE refused (
    object_key TEXT NOT NULL PRIMARY KEY,
    submission_date TEXT NOT NULL,
    records BIGINT NOT NULL
);
ALTER TABLE totals ADD COLUMN removed_chunks BIGINT NOT NULL DEFAULT 0;
ALTER TABLE totals ADD COLUMN removed_records BIGINT NOT NULL DEFAULT 0;
ALTER TABLE totals ADD COLUMN removed_stored_bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE totals ADD COLUMN refused_chunks BIGINT NOT NULL DEFAULT 0;
ALTER TABLE totals ADD COLUMN refused_records BIGINT NOT NULL DEFAULT 0;
ALTER TABLE totals ADD COLUMN unfolded_records BIGINT NOT NULL DEFAULT 0;
ALTER TABLE totals ADD COLUMN rebuild_wanted INTEGER NOT NULL DEFAULT 0;
";

pub(super) const FLOORS: &str = "SELECT pings, errors, aggregates FROM floor";
pub(super) const SET_FLOORS: &str = "UPDATE floor SET pings = $1, errors = $2, aggregates = $3";

/// Chunks that wait below a floor, or are set aside there, with their records.
pub(super) const WAITING_BELOW: &str = concat!(
    "SELECT c.chunk_id, c.records FROM chunk c WHERE (c.submission_date < ",
    aggregates_floor!("c"),
    " OR c.submission_date < ",
    chunk_floor!("c"),
    ") AND c.chunk_id IN (SELECT chunk_id FROM pending UNION SELECT chunk_id FROM set_aside)"
);
pub(super) const TOMBSTONES_BELOW: &str = "DELETE FROM tombstone WHERE done = 1 AND submission_date < \
     (SELECT CASE tombstone.kind WHEN 2 THEN errors ELSE pings END FROM floor)";

pub(super) const ADD_UNFOLDED: &str = "UPDATE totals SET unfolded_records = unfolded_records + $1";
pub(super) const COUNT_UNFOLDED_ANEW: &str = concat!(
    "UPDATE totals SET rebuild_wanted = 0, unfolded_records = removed_records + refused_records + \
     (SELECT COALESCE(SUM(records), 0) FROM chunk WHERE state = 2 OR submission_date < ",
    aggregates_floor!("chunk"),
    " OR submission_date < ",
    chunk_floor!("chunk"),
    ")"
);
pub(super) const REMOVED_RECORDS: &str = "SELECT removed_records FROM totals";
pub(super) const IS_REBUILD_WANTED: &str = "SELECT rebuild_wanted FROM totals";
pub(super) const SOURCE_FLOORS: &str = "SELECT source_name, doc_type, chunks, aggregates FROM source_floor";
pub(super) const SET_SOURCE_FLOOR: &str = "INSERT INTO source_floor (source_name, doc_type, chunks, aggregates, name_part, type_part) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (source_name, doc_type) \
     DO UPDATE SET chunks = excluded.chunks, aggregates = excluded.aggregates";
/// Days with chunks of one source, from one day up to another.
pub(super) const SOURCE_DAYS_BETWEEN: &str = "SELECT DISTINCT submission_date FROM chunk WHERE source_name = $1 AND doc_type = $2 \
     AND submission_date >= $3 AND submission_date < $4 ORDER BY submission_date";
pub(super) const DAYS_BY_SOURCE: &str = "SELECT source_name, doc_type, submission_date, COUNT(*), SUM(records), SUM(stored_bytes) FROM chunk \
     GROUP BY 1, 2, 3 ORDER BY 3";
/// Keys of removed objects of a source below a day.
pub(super) const FORGET_REMOVED_OF_SOURCE: &str = "DELETE FROM refused WHERE records = 0 AND submission_date < $1 \
     AND instr(object_key, $2) > 0 AND instr(object_key, $3) > 0";
/// Whether there are chunks of a source from one day up to another: its floors of chunks and of aggregates, each before and now.
pub(super) const SOURCE_CHUNKS_BETWEEN: &str = "SELECT 1 FROM chunk WHERE state = 0 AND source_name = $1 AND doc_type = $2 \
     AND (submission_date < $3 AND submission_date >= $4 OR submission_date < $5 AND submission_date >= $6) LIMIT 1";
pub(super) const WANT_REBUILD: &str = "UPDATE totals SET rebuild_wanted = 1";

pub(super) const REFUSE: &str =
    "INSERT INTO refused (object_key, submission_date, records) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
/// The key of an object whose row goes since it is below the floor of its kind: an entry that was read before and comes late is
/// refused without being counted a second time.
pub(super) const REMEMBER_REMOVED: &str = concat!(
    "INSERT INTO refused (object_key, submission_date, records) \
     SELECT object_key, submission_date, 0 FROM chunk WHERE object_key = $1 AND submission_date < ",
    chunk_floor!("chunk"),
    " ON CONFLICT DO NOTHING"
);
/// Keys of removed objects below a day of pings and one of errors.
pub(super) const FORGET_REMOVED: &str = "DELETE FROM refused WHERE records = 0 AND submission_date < \
     CASE WHEN object_key NOT LIKE '%/errors/v1/submission_date=%' THEN $1 ELSE $2 END";
pub(super) const ADD_REFUSED: &str = "UPDATE totals SET refused_chunks = refused_chunks + 1, \
     refused_records = refused_records + $1, unfolded_records = unfolded_records + $1";
pub(super) const IS_FORGOTTEN: &str = "SELECT 1 FROM tombstone WHERE object_key = $1 OR chunk_id = $2";

pub(super) const MARK_GONE: &str = "UPDATE chunk SET state = 2 WHERE object_key = $1 AND state = 0 \
     AND chunk_id IN (SELECT chunk_id FROM set_aside) RETURNING chunk_id, records";
pub(super) const BRING_BACK: &str =
    "UPDATE chunk SET state = 0 WHERE object_key = $1 AND chunk_id = $2 AND state = 2";

pub(super) const DAYS: &str = "SELECT submission_date, COUNT(*), SUM(records), SUM(stored_bytes) FROM chunk \
     WHERE kind = $1 GROUP BY submission_date ORDER BY submission_date";

/// Days with chunks of one kind, from one day up to another.
pub(super) const DAYS_BETWEEN: &str = "SELECT DISTINCT submission_date FROM chunk \
     WHERE kind = $1 AND submission_date >= $2 AND submission_date < $3 ORDER BY submission_date";

/// Chunks that are to be deleted, after a place, in the order of the index by date: so a slice costs a slice.
pub(super) const EXPIRED_CHUNKS: &str = concat!(
    "SELECT object_key, records, stored_bytes, submission_date, app_update_channel, app_version \
     FROM chunk WHERE (submission_date, app_update_channel, app_version, object_key) > ($1, $2, $3, $4) \
     AND submission_date < (SELECT max(pings, errors, COALESCE((SELECT max(chunks) FROM source_floor), '')) FROM floor) \
     AND submission_date < ",
    chunk_floor!("chunk"),
    " ORDER BY submission_date, app_update_channel, app_version, object_key LIMIT $5"
);
/// The same of unreadable objects; an errors chunk is told by its key.
pub(super) const EXPIRED_UNREADABLE: &str = concat!(
    "SELECT object_key, 0, 0 FROM unreadable WHERE object_key > $1 AND submission_date < ",
    key_floor!("unreadable"),
    " ORDER BY object_key LIMIT $2"
);
/// The same of what was forgotten.
pub(super) const EXPIRED_FORGOTTEN: &str = "SELECT t.object_key, COALESCE(c.records, 0), COALESCE(c.stored_bytes, 0) \
     FROM tombstone t LEFT JOIN chunk c ON c.object_key = t.object_key WHERE t.object_key > $1 AND t.done = 0 \
     ORDER BY t.object_key LIMIT $2";

/// What was refused and is on or above the floor of its kind now; an errors chunk is told by its key.
pub(super) const ADMIT_REFUSED: &str = concat!(
    "DELETE FROM refused WHERE submission_date >= ",
    key_floor!("refused"),
    " RETURNING records"
);
pub(super) const TAKE_FROM_REFUSED: &str = "UPDATE totals SET refused_chunks = refused_chunks - $1, \
     refused_records = refused_records - $2, unfolded_records = unfolded_records - $2";
/// Whether there are chunks from one day up to another: floors of pings, of errors and of aggregates, each before and now.
pub(super) const CHUNKS_BETWEEN: &str = "SELECT 1 FROM chunk WHERE state = 0 AND (kind = 1 AND submission_date < $1 AND submission_date >= $2 \
     OR kind = 2 AND submission_date < $3 AND submission_date >= $4 OR submission_date < $5 AND submission_date >= $6) LIMIT 1";

pub(super) const REMOVE_CHUNK: &str = concat!(
    "DELETE FROM chunk WHERE object_key = $1 AND (submission_date < ",
    chunk_floor!("chunk"),
    " OR object_key IN (SELECT object_key FROM tombstone)) \
     RETURNING chunk_id, records, stored_bytes, received_bytes, source_name, doc_type, app_name"
);
/// A product whose last chunk goes is given back. Those beyond the most that are told apart were counted as another.
pub(super) const TAKE_FROM_PRODUCT: &str = "UPDATE product SET records = records - $1 \
     WHERE source_name = $2 AND doc_type = $3 AND app_name = $4";
pub(super) const PRODUCTS_GONE: &str = "DELETE FROM product WHERE records <= 0";
pub(super) const REMOVE_UNREADABLE: &str = concat!(
    "DELETE FROM unreadable WHERE object_key = $1 AND (submission_date < ",
    key_floor!("unreadable"),
    " OR object_key IN (SELECT object_key FROM tombstone))"
);
pub(super) const TOMBSTONE_DONE: &str = "UPDATE tombstone SET done = 1 WHERE object_key = $1";
pub(super) const ADD_REMOVED: &str = "UPDATE totals SET chunks = chunks - 1, records = records - $1, \
     stored_bytes = stored_bytes - $2, received_bytes = received_bytes - $3, removed_chunks = removed_chunks + 1, \
     removed_records = removed_records + $1, removed_stored_bytes = removed_stored_bytes + $2";

pub(super) const FORGET: &str = "INSERT INTO tombstone (object_key, chunk_id, kind, submission_date, why, made_us, done) \
     VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT DO NOTHING";
pub(super) const HAS_CHUNK: &str = "SELECT records FROM chunk WHERE object_key = $1 AND state = 0";
pub(super) const WAITS: &str = "SELECT 1 FROM pending WHERE chunk_id = $1 \
     UNION ALL SELECT 1 FROM set_aside WHERE chunk_id = $1";
pub(super) const TOMBSTONES: &str = "SELECT object_key, chunk_id, why FROM tombstone ORDER BY object_key";

/// Every statement with placeholders, for the test of their order.
#[cfg(test)]
pub(super) const ALL: [&str; 28] = [
    SET_SOURCE_FLOOR,
    SOURCE_DAYS_BETWEEN,
    FORGET_REMOVED_OF_SOURCE,
    SOURCE_CHUNKS_BETWEEN,
    SET_FLOORS,
    ADD_UNFOLDED,
    REFUSE,
    REMEMBER_REMOVED,
    FORGET_REMOVED,
    ADD_REFUSED,
    IS_FORGOTTEN,
    MARK_GONE,
    BRING_BACK,
    DAYS,
    DAYS_BETWEEN,
    EXPIRED_CHUNKS,
    EXPIRED_UNREADABLE,
    EXPIRED_FORGOTTEN,
    TAKE_FROM_REFUSED,
    CHUNKS_BETWEEN,
    REMOVE_CHUNK,
    TAKE_FROM_PRODUCT,
    REMOVE_UNREADABLE,
    TOMBSTONE_DONE,
    ADD_REMOVED,
    FORGET,
    HAS_CHUNK,
    WAITS,
];

//! The tables of the index and every fixed statement on them.
//!
//! Placeholders are `$1..$n`, first used in that order, so that SQLite and PostgreSQL number them alike. Texts compare
//! by bytes. What is never filtered on stands in a protobuf `EntryDetail`. Each table that grows bears the submission
//! date, so that retention can delete by it.

use super::floor_sql::{aggregates_floor, chunk_floor};

/// Each entry brings the schema from the version of its place to the next one. Never edit one that was released.
pub(super) const MIGRATIONS: [&str; 5] = [
    "
CREATE TABLE chunk (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    chunk_id TEXT NOT NULL UNIQUE,
    object_key TEXT NOT NULL UNIQUE,
    kind INTEGER NOT NULL,
    submission_date TEXT NOT NULL,
    source_name TEXT NOT NULL,
    source_version TEXT NOT NULL,
    doc_type TEXT NOT NULL,
    app_name TEXT NOT NULL,
    app_update_channel TEXT NOT NULL,
    app_version TEXT NOT NULL,
    app_build_id TEXT NOT NULL,
    records BIGINT NOT NULL,
    raw_bytes BIGINT NOT NULL,
    stored_bytes BIGINT NOT NULL,
    received_bytes BIGINT NOT NULL,
    received_min_us BIGINT NOT NULL,
    received_max_us BIGINT NOT NULL,
    sealed_us BIGINT NOT NULL,
    state INTEGER NOT NULL,
    replaced_by TEXT,
    detail BLOB NOT NULL
);
CREATE INDEX chunk_by_date ON chunk (submission_date, app_update_channel, app_version, object_key);
CREATE TABLE pending (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    chunk_id TEXT NOT NULL UNIQUE,
    submission_date TEXT NOT NULL,
    failures INTEGER NOT NULL,
    reason TEXT
);
CREATE TABLE set_aside (
    chunk_id TEXT NOT NULL PRIMARY KEY,
    submission_date TEXT NOT NULL,
    object_key TEXT NOT NULL,
    failures INTEGER NOT NULL,
    reason TEXT NOT NULL
);
CREATE TABLE unreadable (
    object_key TEXT NOT NULL PRIMARY KEY,
    submission_date TEXT,
    reason TEXT NOT NULL
);
CREATE TABLE product (
    source_name TEXT NOT NULL,
    doc_type TEXT NOT NULL,
    app_name TEXT NOT NULL,
    records BIGINT NOT NULL,
    PRIMARY KEY (source_name, doc_type, app_name)
);
CREATE TABLE totals (
    id INTEGER NOT NULL PRIMARY KEY,
    chunks BIGINT NOT NULL,
    records BIGINT NOT NULL,
    stored_bytes BIGINT NOT NULL,
    received_bytes BIGINT NOT NULL,
    generation BIGINT NOT NULL
);
INSERT INTO totals VALUES (1, 0, 0, 0, 0, 0);
",
    super::retain_sql::MIGRATION_2,
    // Which of them a selection goes by is said in [`super::path`].
    "
CREATE INDEX chunk_by_version ON chunk (app_version, submission_date);
CREATE INDEX chunk_by_build ON chunk (app_update_channel, app_build_id);
",
    // Each holds all that an answer reads and a selection asks, so that entries that are alike lie side by side.
    "
DROP INDEX chunk_by_date;
DROP INDEX chunk_by_version;
DROP INDEX chunk_by_build;
CREATE INDEX chunk_by_date ON chunk (submission_date, app_update_channel, app_version, object_key,
    source_name, source_version, doc_type, app_name, app_build_id, kind, state, records, raw_bytes, stored_bytes,
    received_bytes, received_min_us, received_max_us, sealed_us, detail);
CREATE INDEX chunk_by_version ON chunk (app_version, submission_date, object_key,
    source_name, source_version, doc_type, app_name, app_update_channel, app_build_id, kind, state, records, raw_bytes,
    stored_bytes, received_bytes, received_min_us, received_max_us, sealed_us, detail);
CREATE INDEX chunk_by_build ON chunk (app_update_channel, app_build_id, object_key,
    submission_date, source_name, source_version, doc_type, app_name, app_version, kind, state, records, raw_bytes,
    stored_bytes, received_bytes, received_min_us, received_max_us, sealed_us, detail);
",
    super::floor_sql::MIGRATION_5,
];

/// What is read of an entry, in the order in which rows are read: its key says the rest.
macro_rules! columns {
    () => {
        "c.object_key, c.records, c.raw_bytes, c.stored_bytes, c.received_bytes, c.received_min_us, c.received_max_us, \
         c.sealed_us, c.detail"
    };
}

/// Sums by partition, up to the order: kind, the eight dimensions, records, bytes, chunks.
macro_rules! partitions {
    () => {
        "SELECT kind, submission_date, source_name, source_version, doc_type, app_name, app_update_channel, app_version, \
         app_build_id, SUM(records), SUM(stored_bytes), COUNT(*) FROM chunk WHERE state = 0 \
         GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY "
    };
}

/// The state of a chunk that no other replaces. Others come with compaction and erasure; 2 is that of a chunk whose
/// object is gone, see [`super::retain_sql`].
pub(super) const STATE_LIVE: i64 = 0;

pub(super) const INSERT_CHUNK: &str = "INSERT INTO chunk (chunk_id, object_key, kind, submission_date, source_name, source_version, doc_type, app_name, \
     app_update_channel, app_version, app_build_id, records, raw_bytes, stored_bytes, received_bytes, received_min_us, \
     received_max_us, sealed_us, detail, state) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) \
     ON CONFLICT DO NOTHING";
pub(super) const INSERT_PENDING: &str =
    "INSERT INTO pending (chunk_id, submission_date, failures) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING";
pub(super) const ADD_TO_TOTALS: &str = "UPDATE totals SET chunks = chunks + $1, records = records + $2, \
     stored_bytes = stored_bytes + $3, received_bytes = received_bytes + $4";
pub(super) const ADD_TO_PRODUCT: &str = "INSERT INTO product (source_name, doc_type, app_name, records) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (source_name, doc_type, app_name) \
     DO UPDATE SET records = product.records + excluded.records";
pub(super) const HAS_PRODUCT: &str =
    "SELECT 1 FROM product WHERE source_name = $1 AND doc_type = $2 AND app_name = $3";
pub(super) const COUNT_PRODUCTS: &str = "SELECT COUNT(*) FROM product";
pub(super) const FORGET_UNREADABLE: &str = "DELETE FROM unreadable WHERE object_key = $1";
pub(super) const HAS_KEY: &str = "SELECT 1 FROM chunk WHERE object_key = $1 AND state = 0 \
     UNION ALL SELECT 1 FROM refused WHERE object_key = $1 UNION ALL SELECT 1 FROM tombstone WHERE object_key = $1";
pub(super) const HAS_ROW: &str = "SELECT 1 FROM chunk WHERE object_key = $1";
pub(super) const PENDING: &str = concat!(
    "SELECT ",
    columns!(),
    ", p.failures FROM pending p JOIN chunk c ON c.chunk_id = p.chunk_id ORDER BY p.place LIMIT $1"
);
pub(super) const SETTLE_PENDING: &str = "DELETE FROM pending WHERE chunk_id = $1";
pub(super) const SETTLE_SET_ASIDE: &str = "DELETE FROM set_aside WHERE chunk_id = $1";
pub(super) const FORGET_FAILURES: &str = "UPDATE pending SET failures = 0, reason = NULL";
pub(super) const FORGET_SET_ASIDE: &str = "DELETE FROM set_aside";
pub(super) const MAKE_ALL_PENDING: &str = concat!(
    "INSERT INTO pending (chunk_id, submission_date, failures) \
     SELECT chunk_id, submission_date, 0 FROM chunk WHERE state = 0 AND submission_date >= ",
    aggregates_floor!("chunk"),
    " AND submission_date >= ",
    chunk_floor!("chunk"),
    " ORDER BY place ON CONFLICT DO NOTHING"
);
pub(super) const FORGET_FAILURES_OF: &str =
    "UPDATE pending SET failures = 0, reason = NULL WHERE chunk_id = $1";
pub(super) const MAKE_PENDING: &str = concat!(
    "INSERT INTO pending (chunk_id, submission_date, failures) \
     SELECT chunk_id, submission_date, 0 FROM chunk WHERE chunk_id = $1 AND state = 0 AND submission_date >= ",
    aggregates_floor!("chunk"),
    " AND submission_date >= ",
    chunk_floor!("chunk"),
    " ON CONFLICT DO NOTHING"
);
pub(super) const IS_PENDING: &str = "SELECT 1 FROM pending WHERE chunk_id = $1";
pub(super) const COUNT_PENDING: &str = "SELECT COUNT(*) FROM pending";
pub(super) const FAIL: &str =
    "UPDATE pending SET failures = failures + 1, reason = $1 WHERE chunk_id = $2 RETURNING failures";
pub(super) const FAILURES_SET_ASIDE: &str = "SELECT failures FROM set_aside WHERE chunk_id = $1";
pub(super) const SET_ASIDE: &str = "INSERT INTO set_aside (chunk_id, submission_date, object_key, failures, reason) \
     SELECT p.chunk_id, p.submission_date, c.object_key, p.failures, p.reason \
     FROM pending p JOIN chunk c ON c.chunk_id = p.chunk_id WHERE p.chunk_id = $1";
pub(super) const NOTE_UNREADABLE: &str = "INSERT INTO unreadable (object_key, submission_date, reason) \
     VALUES ($1, $2, $3) ON CONFLICT (object_key) DO UPDATE SET reason = excluded.reason \
     WHERE reason <> excluded.reason";
pub(super) const LIST_SET_ASIDE: &str = "SELECT object_key, reason FROM set_aside \
     UNION ALL SELECT object_key, reason FROM unreadable ORDER BY object_key";
pub(super) const ENTRY: &str = concat!("SELECT ", columns!(), " FROM chunk c WHERE c.chunk_id = $1");
pub(super) const TOTALS: &str = "SELECT chunks, records, stored_bytes, received_bytes, \
     (SELECT COUNT(*) FROM pending), (SELECT COUNT(*) FROM set_aside) + (SELECT COUNT(*) FROM unreadable), \
     removed_chunks, removed_records, removed_stored_bytes, refused_chunks, refused_records, unfolded_records, \
     rebuild_wanted FROM totals";
pub(super) const PRODUCTS: &str = "SELECT source_name, doc_type, app_name, records, \
     (SELECT COUNT(*) FROM product) FROM product ORDER BY records DESC, source_name, doc_type, app_name LIMIT $1";
pub(super) const PARTITIONS_BY_BYTES: &str = concat!(
    partitions!(),
    "11 DESC, 10 DESC, 2, 3, 4, 5, 6, 7, 8, 9 LIMIT $1 OFFSET $2"
);
pub(super) const PARTITIONS_BY_RECORDS: &str = concat!(
    partitions!(),
    "10 DESC, 11 DESC, 2, 3, 4, 5, 6, 7, 8, 9 LIMIT $1 OFFSET $2"
);
pub(super) const GENERATION: &str = "SELECT generation FROM totals";
pub(super) const SET_GENERATION: &str = "UPDATE totals SET generation = $1";

/// What [`crate::select`] puts its conditions behind: the hint of the path comes between, then [`SELECT_WHERE`].
pub(super) const SELECT: &str = concat!("SELECT ", columns!(), " FROM chunk c");
pub(super) const SELECT_WHERE: &str = " WHERE c.state = 0";

/// Every statement with placeholders, for the test of their order.
#[cfg(test)]
pub(super) const ALL: [&str; 21] = [
    PARTITIONS_BY_BYTES,
    PARTITIONS_BY_RECORDS,
    INSERT_CHUNK,
    INSERT_PENDING,
    ADD_TO_TOTALS,
    ADD_TO_PRODUCT,
    HAS_PRODUCT,
    FORGET_UNREADABLE,
    HAS_KEY,
    PENDING,
    SETTLE_PENDING,
    SETTLE_SET_ASIDE,
    FORGET_FAILURES_OF,
    MAKE_PENDING,
    IS_PENDING,
    FAIL,
    FAILURES_SET_ASIDE,
    SET_ASIDE,
    NOTE_UNREADABLE,
    ENTRY,
    SET_GENERATION,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the placeholders of a statement, each where it is first used.
    fn first_used(statement: &str) -> Vec<usize> {
        let mut numbers = Vec::new();
        for part in statement.split('$').skip(1) {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            let number = digits.parse().expect("a placeholder has a number");
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        numbers
    }

    #[test]
    fn placeholders_are_first_used_in_their_order() {
        for statement in ALL.into_iter().chain(crate::sqlite::retain_sql::ALL) {
            let numbers = first_used(statement);
            assert!(
                !numbers.is_empty() && numbers.iter().copied().eq(1..=numbers.len()),
                "{statement}"
            );
        }
    }
}

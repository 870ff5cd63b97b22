//! Every fixed statement on the index. What touches several rows does so for all of them at once (`unnest`), and takes
//! their locks in the order of ids, then of keys: so two transactions never wait for each other in a ring.

use super::floor_sql::{aggregates_floor, chunk_floor};

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
         app_build_id, SUM(records)::BIGINT, SUM(stored_bytes)::BIGINT, COUNT(*) FROM highwater_index.chunk \
         WHERE state = 0 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY "
    };
}

/// What [`crate::select`] puts its conditions behind.
pub(super) const SELECT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM highwater_index.chunk c WHERE c.state = 0"
);

/// Keys, ids: the numbers of those entries, from 1, that were forgotten on purpose.
pub(super) const FORGOTTEN: &str = "SELECT i.number FROM unnest($1::TEXT[], $2::TEXT[]) WITH ORDINALITY AS i (object_key, chunk_id, number) \
     WHERE EXISTS (SELECT FROM highwater_index.tombstone t WHERE t.object_key = i.object_key OR t.chunk_id = i.chunk_id)";

/// Keys.
pub(super) const FORGET_UNREADABLE: &str = "DELETE FROM highwater_index.unreadable u USING (SELECT object_key FROM highwater_index.unreadable \
     WHERE object_key = ANY($1) ORDER BY object_key FOR UPDATE) gone WHERE u.object_key = gone.object_key";

/// The columns of entries, and whether each waits to be folded; no two of them of one id or key. First the ids are
/// claimed, then the entries of claimed ids are added; so whoever adds one of the same ids waits here and then finds
/// it known. Answers, by number: the place, whether the id was free, whether the entry was added.
pub(super) const INSERT: &str = "WITH input AS MATERIALIZED ( \
         SELECT i.*, nextval('highwater_index.place') AS place FROM unnest($1::TEXT[], $2::TEXT[], $3::SMALLINT[], $4::TEXT[], $5::TEXT[], \
         $6::TEXT[], $7::TEXT[], $8::TEXT[], $9::TEXT[], $10::TEXT[], $11::TEXT[], $12::BIGINT[], $13::BIGINT[], $14::BIGINT[], $15::BIGINT[], \
         $16::BIGINT[], $17::BIGINT[], $18::BIGINT[], $19::BYTEA[], $20::BOOLEAN[]) WITH ORDINALITY AS i (chunk_id, object_key, kind, \
         submission_date, source_name, source_version, doc_type, app_name, app_update_channel, app_version, app_build_id, records, raw_bytes, \
         stored_bytes, received_bytes, received_min_us, received_max_us, sealed_us, detail, folds, number) \
     ), claimed AS ( \
         INSERT INTO highwater_index.chunk_day (chunk_id, submission_date) SELECT chunk_id, submission_date FROM input \
         ORDER BY chunk_id COLLATE \"C\" ON CONFLICT DO NOTHING RETURNING chunk_id \
     ), added AS ( \
         INSERT INTO highwater_index.chunk (place, chunk_id, object_key, kind, submission_date, source_name, source_version, doc_type, app_name, \
         app_update_channel, app_version, app_build_id, records, raw_bytes, stored_bytes, received_bytes, received_min_us, received_max_us, \
         sealed_us, detail) \
         SELECT place, chunk_id, object_key, kind, submission_date, source_name, source_version, doc_type, app_name, app_update_channel, \
         app_version, app_build_id, records, raw_bytes, stored_bytes, received_bytes, received_min_us, received_max_us, sealed_us, detail \
         FROM input WHERE chunk_id IN (SELECT chunk_id FROM claimed) ORDER BY object_key COLLATE \"C\" ON CONFLICT DO NOTHING \
         RETURNING chunk_id, kind, submission_date, source_name, doc_type, app_name, records, stored_bytes, received_bytes \
     ), waiting AS ( \
         INSERT INTO highwater_index.pending (place, chunk_id, submission_date) SELECT place, chunk_id, submission_date FROM input \
         WHERE folds AND chunk_id IN (SELECT chunk_id FROM added) ORDER BY chunk_id COLLATE \"C\" ON CONFLICT DO NOTHING \
     ), by_day AS ( \
         INSERT INTO highwater_index.day_sum AS d (submission_date, kind, slot, chunks, records, stored_bytes, received_bytes) \
         SELECT submission_date, kind, pg_backend_pid() % 16, COUNT(*), SUM(records), SUM(stored_bytes), SUM(received_bytes) FROM added \
         GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (submission_date, kind, slot) DO UPDATE SET chunks = d.chunks + excluded.chunks, \
         records = d.records + excluded.records, stored_bytes = d.stored_bytes + excluded.stored_bytes, \
         received_bytes = d.received_bytes + excluded.received_bytes \
     ), by_product AS ( \
         INSERT INTO highwater_index.product AS p (source_name, doc_type, app_name, slot, records) \
         SELECT CASE WHEN is_told THEN source_name ELSE 'OTHER' END, CASE WHEN is_told THEN doc_type ELSE 'OTHER' END, \
         CASE WHEN is_told THEN app_name ELSE 'OTHER' END, pg_backend_pid() % 16, SUM(records) FROM (SELECT a.*, EXISTS (SELECT FROM \
         highwater_index.product k WHERE k.source_name = a.source_name AND k.doc_type = a.doc_type AND k.app_name = a.app_name) \
         OR (SELECT COUNT(*) FROM (SELECT DISTINCT source_name, doc_type, app_name FROM highwater_index.product) k) < $21 AS is_told \
         FROM added a) a GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 \
         ON CONFLICT (source_name, doc_type, app_name, slot) DO UPDATE SET records = p.records + excluded.records \
     ) SELECT i.number, i.place, claimed.chunk_id IS NOT NULL, added.chunk_id IS NOT NULL FROM input i \
     LEFT JOIN claimed ON claimed.chunk_id = i.chunk_id LEFT JOIN added ON added.chunk_id = i.chunk_id";

/// Ids: those that were claimed for entries whose keys were there under other ids.
pub(super) const UNCLAIM: &str = "DELETE FROM highwater_index.chunk_day WHERE chunk_id = ANY($1)";

/// Days, keys, ids of entries that are there: those whose object was gone are live again. Answers their numbers.
pub(super) const BRING_BACK: &str = "UPDATE highwater_index.chunk c SET state = 0 \
     FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[]) WITH ORDINALITY AS i (submission_date, object_key, chunk_id, number) \
     WHERE c.submission_date = i.submission_date AND c.object_key = i.object_key AND c.chunk_id = i.chunk_id AND c.state = 2 \
     RETURNING i.number";

/// Places, ids, days.
pub(super) const ADD_PENDING: &str = "INSERT INTO highwater_index.pending (place, chunk_id, submission_date) \
     SELECT * FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[]) ON CONFLICT DO NOTHING";

/// Keys, days, records of entries below the floor: each counts once, unless it was added before.
pub(super) const REFUSE: &str = "WITH refused AS ( \
         INSERT INTO highwater_index.refused (object_key, submission_date, records) \
         SELECT i.object_key, i.submission_date, i.records FROM unnest($1::TEXT[], $2::TEXT[], $3::BIGINT[]) AS i (object_key, submission_date, records) \
         WHERE NOT EXISTS (SELECT FROM highwater_index.chunk c WHERE c.submission_date = i.submission_date AND c.object_key = i.object_key) \
         ORDER BY i.object_key COLLATE \"C\" ON CONFLICT DO NOTHING RETURNING records \
     ), sums AS (SELECT COUNT(*) AS chunks, COALESCE(SUM(records), 0)::BIGINT AS records FROM refused) \
     UPDATE highwater_index.totals t SET refused_chunks = t.refused_chunks + s.chunks, refused_records = t.refused_records + s.records, \
     unfolded_records = t.unfolded_records + s.records FROM sums s WHERE s.chunks > 0";

pub(super) const ADD_UNFOLDED: &str =
    "UPDATE highwater_index.totals SET unfolded_records = unfolded_records + $1";

/// Keys, and the days that they name.
pub(super) const CONTAINS: &str = "SELECT EXISTS (SELECT FROM highwater_index.chunk c \
         WHERE c.submission_date = i.submission_date AND c.object_key = i.object_key AND c.state = 0) \
     OR EXISTS (SELECT FROM highwater_index.refused r WHERE r.object_key = i.object_key) \
     OR EXISTS (SELECT FROM highwater_index.tombstone t WHERE t.object_key = i.object_key) \
     FROM unnest($1::TEXT[], $2::TEXT[]) WITH ORDINALITY AS i (object_key, submission_date, number) ORDER BY i.number";

pub(super) const PENDING: &str = concat!(
    "SELECT ",
    columns!(),
    ", p.failures FROM highwater_index.pending p JOIN highwater_index.chunk c \
     ON c.submission_date = p.submission_date AND c.chunk_id = p.chunk_id ORDER BY p.place LIMIT $1"
);
pub(super) const ENTRY: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM highwater_index.chunk_day d JOIN highwater_index.chunk c \
     ON c.submission_date = d.submission_date AND c.chunk_id = d.chunk_id WHERE d.chunk_id = $1"
);

/// Ids.
pub(super) const SETTLE_PENDING: &str = "DELETE FROM highwater_index.pending p USING (SELECT chunk_id FROM highwater_index.pending \
     WHERE chunk_id = ANY($1) ORDER BY chunk_id FOR UPDATE) done WHERE p.chunk_id = done.chunk_id";
pub(super) const SETTLE_SET_ASIDE: &str = "DELETE FROM highwater_index.set_aside s USING (SELECT chunk_id FROM highwater_index.set_aside \
     WHERE chunk_id = ANY($1) ORDER BY chunk_id FOR UPDATE) done WHERE s.chunk_id = done.chunk_id";

pub(super) const FORGET_FAILURES: &str =
    "UPDATE highwater_index.pending SET failures = 0, reason = NULL WHERE failures > 0";
pub(super) const FORGET_SET_ASIDE: &str = "DELETE FROM highwater_index.set_aside";
pub(super) const MAKE_ALL_PENDING: &str = concat!(
    "INSERT INTO highwater_index.pending (place, chunk_id, submission_date) \
     SELECT nextval('highwater_index.place'), chunk_id, submission_date FROM (SELECT chunk_id, submission_date FROM highwater_index.chunk \
     CROSS JOIN highwater_index.floor f WHERE state = 0 AND submission_date >= ",
    aggregates_floor!("chunk"),
    " AND submission_date >= ",
    chunk_floor!("chunk"),
    " ORDER BY place) c ON CONFLICT DO NOTHING"
);
pub(super) const COUNT_PENDING: &str = "SELECT COUNT(*) FROM highwater_index.pending";

/// Ids.
pub(super) const FORGET_FAILURES_OF: &str =
    "UPDATE highwater_index.pending SET failures = 0, reason = NULL WHERE chunk_id = ANY($1)";
pub(super) const MAKE_PENDING: &str = concat!(
    "INSERT INTO highwater_index.pending (place, chunk_id, submission_date) \
     SELECT nextval('highwater_index.place'), chunk_id, submission_date FROM (SELECT c.chunk_id, c.submission_date \
     FROM unnest($1::TEXT[]) WITH ORDINALITY AS i (chunk_id, number) JOIN highwater_index.chunk_day d ON d.chunk_id = i.chunk_id \
     JOIN highwater_index.chunk c ON c.submission_date = d.submission_date AND c.chunk_id = d.chunk_id \
     CROSS JOIN highwater_index.floor f WHERE c.state = 0 AND c.submission_date >= ",
    aggregates_floor!("c"),
    " AND c.submission_date >= ",
    chunk_floor!("c"),
    " ORDER BY i.number) c ON CONFLICT DO NOTHING"
);

/// Ids; counts those named twice twice.
pub(super) const COUNT_PENDING_OF: &str = "SELECT COUNT(*) FROM unnest($1::TEXT[]) AS i (chunk_id) \
     JOIN highwater_index.pending p ON p.chunk_id = i.chunk_id";

pub(super) const FAIL: &str = "UPDATE highwater_index.pending SET failures = failures + 1, reason = $1 WHERE chunk_id = $2 RETURNING failures";
pub(super) const FAILURES_SET_ASIDE: &str =
    "SELECT failures FROM highwater_index.set_aside WHERE chunk_id = $1";
pub(super) const SET_ASIDE: &str = "INSERT INTO highwater_index.set_aside (chunk_id, submission_date, object_key, failures, reason) \
     SELECT p.chunk_id, p.submission_date, c.object_key, p.failures, p.reason FROM highwater_index.pending p \
     JOIN highwater_index.chunk c ON c.submission_date = p.submission_date AND c.chunk_id = p.chunk_id WHERE p.chunk_id = $1";

pub(super) const NOTE_UNREADABLE: &str = "INSERT INTO highwater_index.unreadable AS u (object_key, submission_date, reason) \
     VALUES ($1, $2, $3) ON CONFLICT (object_key) DO UPDATE SET reason = excluded.reason, noted = now() \
     WHERE u.reason <> excluded.reason";
pub(super) const LIST_SET_ASIDE: &str = "SELECT object_key, reason FROM highwater_index.set_aside \
     UNION ALL SELECT object_key, reason FROM highwater_index.unreadable ORDER BY object_key";

pub(super) const TOTALS: &str = "SELECT s.*, (SELECT COUNT(*) FROM highwater_index.pending), \
     (SELECT COUNT(*) FROM highwater_index.set_aside) + (SELECT COUNT(*) FROM highwater_index.unreadable), \
     t.removed_chunks, t.removed_records, t.removed_stored_bytes, t.refused_chunks, t.refused_records, t.unfolded_records, \
     t.rebuild_wanted FROM highwater_index.totals t CROSS JOIN (SELECT COALESCE(SUM(chunks), 0)::BIGINT, \
     COALESCE(SUM(records), 0)::BIGINT, COALESCE(SUM(stored_bytes), 0)::BIGINT, COALESCE(SUM(received_bytes), 0)::BIGINT \
     FROM highwater_index.day_sum) s";
pub(super) const PRODUCTS: &str = "SELECT source_name, doc_type, app_name, SUM(records)::BIGINT, COUNT(*) OVER () \
     FROM highwater_index.product GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT $1";
pub(super) const PARTITIONS_BY_BYTES: &str = concat!(
    partitions!(),
    "11 DESC, 10 DESC, 2, 3, 4, 5, 6, 7, 8, 9 LIMIT $1 OFFSET $2"
);
pub(super) const PARTITIONS_BY_RECORDS: &str = concat!(
    partitions!(),
    "10 DESC, 11 DESC, 2, 3, 4, 5, 6, 7, 8, 9 LIMIT $1 OFFSET $2"
);
/// Answers who folds now: the given one, unless somebody did before.
pub(super) const CLAIM_FOLDING: &str =
    "UPDATE highwater_index.totals SET folded_by = COALESCE(folded_by, $1) RETURNING folded_by";
/// Answers who folds, if anybody does.
pub(super) const FOLDED_BY: &str = "SELECT folded_by FROM highwater_index.totals";
pub(super) const GENERATION: &str = "SELECT generation FROM highwater_index.totals";
pub(super) const SET_GENERATION: &str = "UPDATE highwater_index.totals SET generation = $1";

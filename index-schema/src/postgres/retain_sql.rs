//! The statements of floors, tombstones and deletion. All of them but the first and those that only read run alone
//! among writers.

use super::floor_sql::{aggregates_floor, chunk_floor, key_floor};

pub(super) const FLOORS: &str = "SELECT pings, errors, aggregates FROM highwater_index.floor";
pub(super) const SET_FLOORS: &str =
    "UPDATE highwater_index.floor SET pings = $1, errors = $2, aggregates = $3";

/// Chunks that wait below a floor, or are set aside there, stop waiting; their records count as unfolded.
pub(super) const STOP_WAITING_BELOW: &str = concat!(
    "WITH below AS ( \
         SELECT c.chunk_id, c.records FROM highwater_index.chunk c JOIN (SELECT chunk_id, submission_date FROM highwater_index.pending \
         UNION SELECT chunk_id, submission_date FROM highwater_index.set_aside) w \
         ON w.submission_date = c.submission_date AND w.chunk_id = c.chunk_id CROSS JOIN highwater_index.floor f \
         WHERE c.submission_date < ",
    aggregates_floor!("c"),
    " OR c.submission_date < ",
    chunk_floor!("c"),
    " \
     ), pending AS (DELETE FROM highwater_index.pending p USING below WHERE p.chunk_id = below.chunk_id), \
     aside AS (DELETE FROM highwater_index.set_aside s USING below WHERE s.chunk_id = below.chunk_id) \
     UPDATE highwater_index.totals SET unfolded_records = unfolded_records + (SELECT COALESCE(SUM(records), 0) FROM below)"
);
pub(super) const TOMBSTONES_BELOW: &str = "DELETE FROM highwater_index.tombstone t USING highwater_index.floor f \
     WHERE t.done AND t.submission_date < CASE t.kind WHEN 2 THEN f.errors ELSE f.pings END";

/// The records of whole days are summed by day; those of chunks whose objects are gone have an index of their own.
pub(super) const COUNT_UNFOLDED_ANEW: &str = "UPDATE highwater_index.totals SET rebuild_wanted = FALSE, \
     unfolded_records = removed_records + refused_records \
     + (SELECT COALESCE(SUM(d.records), 0) FROM highwater_index.day_sum d, highwater_index.floor f \
        WHERE d.submission_date < f.aggregates OR d.submission_date < CASE d.kind WHEN 2 THEN f.errors ELSE f.pings END) \
     + (SELECT COALESCE(SUM(c.records), 0) FROM highwater_index.chunk c, highwater_index.floor f \
        WHERE c.state <> 0 AND c.state = 2 AND c.submission_date >= f.aggregates \
        AND c.submission_date >= CASE c.kind WHEN 2 THEN f.errors ELSE f.pings END) \
     + (SELECT COALESCE(SUM(c.records), 0) FROM highwater_index.source_floor s JOIN highwater_index.chunk c \
        ON c.source_name = s.source_name AND c.doc_type = s.doc_type CROSS JOIN highwater_index.floor f \
        WHERE c.state <> 2 AND c.submission_date < GREATEST(s.chunks, s.aggregates) AND c.submission_date >= f.aggregates \
        AND c.submission_date >= CASE c.kind WHEN 2 THEN f.errors ELSE f.pings END)";
pub(super) const REMOVED_AND_WANTED: &str =
    "SELECT removed_records, rebuild_wanted FROM highwater_index.totals";
pub(super) const SOURCE_FLOORS: &str =
    "SELECT source_name, doc_type, chunks, aggregates FROM highwater_index.source_floor";
pub(super) const SET_SOURCE_FLOOR: &str = "INSERT INTO highwater_index.source_floor \
     (source_name, doc_type, chunks, aggregates, name_part, type_part) VALUES ($1, $2, $3, $4, $5, $6) \
     ON CONFLICT (source_name, doc_type) DO UPDATE SET chunks = excluded.chunks, aggregates = excluded.aggregates";
/// Days with chunks of one source, from one day up to another.
pub(super) const SOURCE_DAYS_BETWEEN: &str = "SELECT DISTINCT submission_date FROM highwater_index.chunk \
     WHERE source_name = $1 AND doc_type = $2 AND submission_date >= $3 AND submission_date < $4 ORDER BY submission_date";
/// What chunks of these sources, named in two columns, take by day.
pub(super) const DAYS_OF_SOURCES: &str = "SELECT c.source_name, c.doc_type, c.submission_date, COUNT(*), SUM(c.records)::BIGINT, \
     SUM(c.stored_bytes)::BIGINT FROM unnest($1::TEXT[], $2::TEXT[]) AS i (source_name, doc_type) \
     JOIN highwater_index.chunk c ON c.source_name = i.source_name AND c.doc_type = i.doc_type GROUP BY 1, 2, 3 ORDER BY 3";
/// Keys of removed objects of a source below a day.
pub(super) const FORGET_REMOVED_OF_SOURCE: &str = "DELETE FROM highwater_index.refused WHERE records = 0 AND submission_date < $1 \
     AND strpos(object_key, $2) > 0 AND strpos(object_key, $3) > 0";
/// Whether there are chunks of a source from one day up to another: its floors of chunks and of aggregates, each before and now.
pub(super) const SOURCE_CHUNKS_BETWEEN: &str = "SELECT EXISTS (SELECT FROM highwater_index.chunk WHERE state = 0 \
     AND source_name = $1 AND doc_type = $2 \
     AND (submission_date < $3 AND submission_date >= $4 OR submission_date < $5 AND submission_date >= $6))";
pub(super) const WANT_REBUILD: &str = "UPDATE highwater_index.totals SET rebuild_wanted = TRUE";

/// Days and keys: chunks that are set aside, and whose objects are gone.
pub(super) const MARK_GONE: &str = "UPDATE highwater_index.chunk c SET state = 2 \
     FROM (SELECT DISTINCT * FROM unnest($1::TEXT[], $2::TEXT[]) AS i (submission_date, object_key)) i \
     WHERE c.submission_date = i.submission_date AND c.object_key = i.object_key AND c.state = 0 \
     AND c.chunk_id IN (SELECT chunk_id FROM highwater_index.set_aside) RETURNING c.chunk_id, c.records";

pub(super) const DAYS: &str = "SELECT submission_date, SUM(chunks)::BIGINT, SUM(records)::BIGINT, SUM(stored_bytes)::BIGINT \
     FROM highwater_index.day_sum WHERE kind = $1 GROUP BY submission_date HAVING SUM(chunks) > 0 ORDER BY submission_date";

/// Days with chunks of one kind, from one day up to another.
pub(super) const DAYS_BETWEEN: &str = "SELECT submission_date FROM highwater_index.day_sum \
     WHERE kind = $1 AND submission_date >= $2 AND submission_date < $3 GROUP BY submission_date HAVING SUM(chunks) > 0 \
     ORDER BY submission_date";

/// Chunks that are to be deleted, after a day and key, in the order of the index of keys: so a slice costs a slice.
pub(super) const EXPIRED_CHUNKS: &str = concat!(
    "SELECT object_key, records, stored_bytes, submission_date FROM highwater_index.chunk \
     WHERE (submission_date, object_key) > ($1, $2) AND submission_date >= $1 \
     AND submission_date < ",
    "(SELECT GREATEST(pings, errors, (SELECT MAX(chunks) FROM highwater_index.source_floor)) FROM highwater_index.floor)",
    " \
     AND submission_date < ",
    "(SELECT ",
    chunk_floor!("chunk"),
    " FROM highwater_index.floor f)",
    " \
     ORDER BY submission_date, object_key LIMIT $3"
);
/// The same of unreadable objects; an errors chunk is told by its key.
pub(super) const EXPIRED_UNREADABLE: &str = concat!(
    "SELECT object_key, 0::BIGINT, 0::BIGINT FROM highwater_index.unreadable WHERE object_key > $1 \
     AND submission_date < ",
    "(SELECT ",
    key_floor!("unreadable"),
    " FROM highwater_index.floor f)",
    " ORDER BY object_key LIMIT $2"
);
/// The same of what was forgotten.
pub(super) const EXPIRED_FORGOTTEN: &str = "SELECT t.object_key, COALESCE(c.records, 0), COALESCE(c.stored_bytes, 0) \
     FROM highwater_index.tombstone t LEFT JOIN highwater_index.chunk c ON c.submission_date = t.submission_date \
     AND c.object_key = t.object_key WHERE t.object_key > $1 AND NOT t.done ORDER BY t.object_key LIMIT $2";

/// What was refused and is on or above the floor of its kind now (an errors chunk is told by its key) is refused no more;
/// answers how many chunks.
pub(super) const ADMIT_REFUSED: &str = concat!(
    "WITH admitted AS ( \
         DELETE FROM highwater_index.refused r USING highwater_index.floor f \
         WHERE r.submission_date >= ",
    key_floor!("r"),
    " \
         RETURNING r.records \
     ), sums AS (SELECT COUNT(*) FILTER (WHERE records > 0) AS chunks, COALESCE(SUM(records), 0)::BIGINT AS records FROM admitted), \
     totals AS (UPDATE highwater_index.totals t SET refused_chunks = t.refused_chunks - s.chunks, \
         refused_records = t.refused_records - s.records, unfolded_records = t.unfolded_records - s.records FROM sums s) \
     SELECT chunks FROM sums"
);
/// Keys of removed objects below a day of pings and one of errors.
pub(super) const FORGET_REMOVED: &str = "DELETE FROM highwater_index.refused r WHERE r.records = 0 \
     AND r.submission_date < CASE WHEN r.object_key LIKE '%/errors/v1/submission_date=%' THEN $2::TEXT ELSE $1::TEXT END";
/// Whether there are chunks from one day up to another: floors of pings, of errors and of aggregates, each before and now.
pub(super) const CHUNKS_BETWEEN: &str = "SELECT EXISTS (SELECT FROM highwater_index.chunk WHERE state = 0 \
     AND (kind = 1 AND submission_date < $1 AND submission_date >= $2 OR kind = 2 AND submission_date < $3 AND submission_date >= $4 \
     OR submission_date < $5 AND submission_date >= $6))";

/// Days and keys of objects that are deleted: their rows go if their deletion was decided, with their part of all sums. A key below
/// the floor of its kind is remembered: an entry that was read before and comes late is refused without being counted a second time.
pub(super) const REMOVE_CHUNKS: &str = concat!(
    "WITH removed AS ( \
         DELETE FROM highwater_index.chunk c USING unnest($1::TEXT[], $2::TEXT[]) AS i (submission_date, object_key), highwater_index.floor f \
         WHERE c.submission_date = i.submission_date AND c.object_key = i.object_key \
         AND (c.submission_date < ",
    chunk_floor!("c"),
    " \
              OR c.object_key IN (SELECT object_key FROM highwater_index.tombstone)) \
         RETURNING c.object_key, c.chunk_id, c.submission_date, c.kind, c.records, c.stored_bytes, c.received_bytes, \
         c.source_name, c.doc_type, c.app_name \
     ), remembered AS (INSERT INTO highwater_index.refused (object_key, submission_date, records) \
         SELECT r.object_key, r.submission_date, 0 FROM removed r, highwater_index.floor f \
         WHERE r.submission_date < ",
    chunk_floor!("r"),
    " ON CONFLICT DO NOTHING \
     ), claims AS (DELETE FROM highwater_index.chunk_day d USING removed r WHERE d.chunk_id = r.chunk_id), \
     pending AS (DELETE FROM highwater_index.pending p USING removed r WHERE p.chunk_id = r.chunk_id), \
     aside AS (DELETE FROM highwater_index.set_aside s USING removed r WHERE s.chunk_id = r.chunk_id), \
     by_day AS ( \
         INSERT INTO highwater_index.day_sum AS d (submission_date, kind, slot, chunks, records, stored_bytes, received_bytes) \
         SELECT submission_date, kind, 0, -COUNT(*), -SUM(records), -SUM(stored_bytes), -SUM(received_bytes) FROM removed GROUP BY 1, 2 \
         ON CONFLICT (submission_date, kind, slot) DO UPDATE SET chunks = d.chunks + excluded.chunks, records = d.records + excluded.records, \
         stored_bytes = d.stored_bytes + excluded.stored_bytes, received_bytes = d.received_bytes + excluded.received_bytes \
     ), by_product AS ( \
         INSERT INTO highwater_index.product AS p (source_name, doc_type, app_name, slot, records) \
         SELECT CASE WHEN is_known THEN source_name ELSE 'OTHER' END, CASE WHEN is_known THEN doc_type ELSE 'OTHER' END, \
         CASE WHEN is_known THEN app_name ELSE 'OTHER' END, 0, -SUM(records) FROM (SELECT r.*, EXISTS (SELECT FROM highwater_index.product k \
         WHERE k.source_name = r.source_name AND k.doc_type = r.doc_type AND k.app_name = r.app_name) AS is_known FROM removed r) r GROUP BY 1, 2, 3 \
         ON CONFLICT (source_name, doc_type, app_name, slot) DO UPDATE SET records = p.records + excluded.records \
     ) UPDATE highwater_index.totals t SET removed_chunks = t.removed_chunks + r.chunks, removed_records = t.removed_records + r.records, \
     removed_stored_bytes = t.removed_stored_bytes + r.stored_bytes FROM (SELECT COUNT(*) AS chunks, COALESCE(SUM(records), 0)::BIGINT AS records, \
     COALESCE(SUM(stored_bytes), 0)::BIGINT AS stored_bytes FROM removed) r WHERE r.chunks > 0"
);

/// Products whose last chunk went.
pub(super) const PRODUCTS_GONE: &str = "DELETE FROM highwater_index.product WHERE (source_name, doc_type, app_name) IN (SELECT source_name, \
     doc_type, app_name FROM highwater_index.product GROUP BY 1, 2, 3 HAVING SUM(records) <= 0)";

/// Keys.
pub(super) const REMOVE_UNREADABLE: &str = concat!(
    "DELETE FROM highwater_index.unreadable u USING highwater_index.floor f \
     WHERE u.object_key = ANY($1) AND (u.submission_date < ",
    key_floor!("u"),
    " OR u.object_key IN (SELECT object_key FROM highwater_index.tombstone))"
);
pub(super) const TOMBSTONES_DONE: &str =
    "UPDATE highwater_index.tombstone SET done = TRUE WHERE object_key = ANY($1)";

/// Months.
pub(super) const EMPTIED: &str = "SELECT left(submission_date, 6) FROM highwater_index.day_sum \
     WHERE left(submission_date, 6) = ANY($1) GROUP BY 1 HAVING SUM(chunks) = 0";

pub(super) const FORGET: &str = "INSERT INTO highwater_index.tombstone (object_key, chunk_id, kind, submission_date, why, made_us, done) \
     VALUES ($1, $2, $3, $4, $5, $6, FALSE) ON CONFLICT DO NOTHING";
pub(super) const HAS_CHUNK: &str =
    "SELECT records FROM highwater_index.chunk WHERE submission_date = $1 AND object_key = $2 AND state = 0";
pub(super) const STOP_WAITING: &str = "WITH pending AS (DELETE FROM highwater_index.pending WHERE chunk_id = ANY($1) RETURNING 1), \
     aside AS (DELETE FROM highwater_index.set_aside WHERE chunk_id = ANY($1) RETURNING 1) \
     SELECT (SELECT COUNT(*) FROM pending) + (SELECT COUNT(*) FROM aside)";
pub(super) const TOMBSTONES: &str =
    "SELECT object_key, chunk_id, why FROM highwater_index.tombstone ORDER BY object_key";

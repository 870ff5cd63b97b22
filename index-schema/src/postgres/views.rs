//! The views for plain SQL, and the role that may read: described for whoever asks in `docs/sql.md`. They are part of
//! the schema: a later migration may add columns at their ends, and takes none away.

/// Live in a schema of their own, `highwater`, so that who looks finds these and not the tables.
pub(super) const VIEWS: &str = "
CREATE SCHEMA IF NOT EXISTS highwater;
CREATE VIEW highwater.chunks AS
SELECT c.object_key,
       c.chunk_id,
       CASE c.kind WHEN 1 THEN 'pings' ELSE 'errors' END AS kind,
       c.submission_date, c.source_name, c.source_version, c.doc_type,
       c.app_name, c.app_update_channel, c.app_version, c.app_build_id,
       c.records, c.raw_bytes, c.stored_bytes, c.received_bytes,
       to_timestamp(c.received_min_us / 1e6) AS received_first,
       to_timestamp(c.received_max_us / 1e6) AS received_last,
       to_timestamp(c.sealed_us / 1e6) AS sealed,
       CASE WHEN c.state = 2 THEN 'gone'
            WHEN s.chunk_id IS NOT NULL THEN 'set aside'
            WHEN p.chunk_id IS NOT NULL THEN 'pending'
            WHEN t.chunk_id IS NOT NULL THEN 'forgotten'
            WHEN c.submission_date < (SELECT aggregates FROM highwater_index.floor) THEN 'not to be folded'
            ELSE 'folded' END AS status,
       COALESCE(s.failures, p.failures, 0) AS failures,
       COALESCE(s.reason, p.reason) AS reason
FROM highwater_index.chunk c
LEFT JOIN highwater_index.pending p ON p.chunk_id = c.chunk_id
LEFT JOIN highwater_index.set_aside s ON s.chunk_id = c.chunk_id
LEFT JOIN highwater_index.tombstone t ON t.object_key = c.object_key;
CREATE VIEW highwater.unreadable AS
SELECT object_key, submission_date, reason, noted FROM highwater_index.unreadable;
CREATE VIEW highwater.floors AS
SELECT NULLIF(pings, '') AS pings, NULLIF(errors, '') AS errors, NULLIF(aggregates, '') AS aggregates
FROM highwater_index.floor;
CREATE VIEW highwater.days AS
WITH part AS (
    SELECT submission_date, chunks, records, stored_bytes, received_bytes,
           0 AS pending, 0 AS aside, 0 AS unreadable, 0 AS gone, 0 AS refused
    FROM highwater_index.day_sum
    UNION ALL SELECT submission_date, 0, 0, 0, 0, 1, 0, 0, 0, 0 FROM highwater_index.pending
    UNION ALL SELECT submission_date, 0, 0, 0, 0, 0, 1, 0, 0, 0 FROM highwater_index.set_aside
    UNION ALL SELECT submission_date, 0, 0, 0, 0, 0, 0, 1, 0, 0 FROM highwater_index.unreadable
              WHERE submission_date IS NOT NULL
    UNION ALL SELECT submission_date, 0, 0, 0, 0, 0, 0, 0, 1, 0 FROM highwater_index.chunk WHERE state <> 0
    UNION ALL SELECT submission_date, 0, 0, 0, 0, 0, 0, 0, 0, 1 FROM highwater_index.refused
              WHERE records > 0
), day AS (
    SELECT submission_date,
           SUM(chunks)::BIGINT AS chunks, SUM(records)::BIGINT AS records,
           SUM(stored_bytes)::BIGINT AS stored_bytes, SUM(received_bytes)::BIGINT AS received_bytes,
           SUM(pending) AS pending_chunks, SUM(aside) AS set_aside_chunks, SUM(unreadable) AS unreadable_objects,
           SUM(gone) AS gone_chunks, SUM(refused) AS refused_chunks
    FROM part GROUP BY submission_date
)
SELECT day.*,
       pending_chunks + set_aside_chunks + unreadable_objects + gone_chunks + refused_chunks = 0
       AND submission_date >= (SELECT aggregates FROM highwater_index.floor) AS is_complete
FROM day
WHERE chunks + pending_chunks + set_aside_chunks + unreadable_objects + gone_chunks + refused_chunks > 0;
CREATE VIEW highwater.channels AS
SELECT source_name, app_name, app_update_channel,
       COUNT(*) AS chunks, SUM(records)::BIGINT AS records,
       SUM(stored_bytes)::BIGINT AS stored_bytes, SUM(received_bytes)::BIGINT AS received_bytes,
       MIN(submission_date) AS first_day, MAX(submission_date) AS last_day
FROM highwater_index.chunk WHERE state = 0
GROUP BY source_name, app_name, app_update_channel;
";

/// A role that may read and nothing else. Roles belong to the whole server, so another database may have made it, even
/// now; and who may make none can have it made by somebody who may.
pub(super) const READER: &str = "
DO $$
BEGIN
    BEGIN
        CREATE ROLE highwater_reader NOLOGIN;
    EXCEPTION
        WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
    END;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'highwater_reader') THEN
        GRANT USAGE ON SCHEMA highwater, highwater_index TO highwater_reader;
        GRANT SELECT ON ALL TABLES IN SCHEMA highwater TO highwater_reader;
        GRANT SELECT ON ALL TABLES IN SCHEMA highwater_index TO highwater_reader;
    ELSE
        RAISE NOTICE 'no role highwater_reader: docs/sql.md says how to make it';
    END IF;
END $$;
";

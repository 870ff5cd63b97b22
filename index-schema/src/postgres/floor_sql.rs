//! The floor of a row, as an expression in statements: of its kind, or of its source where that is higher. `'''` is the floor below
//! every day. All of them want the table of floors as `f`.

/// Floors of sources, each with what keys of its chunks have among their dimensions. Whoever may do something with the floors of all may
/// do it with these.
pub(super) const SOURCE_FLOORS_TABLE: &str = "
CREATE TABLE highwater_index.source_floor (
    source_name TEXT COLLATE \"C\" NOT NULL,
    doc_type TEXT COLLATE \"C\" NOT NULL,
    chunks TEXT COLLATE \"C\" NOT NULL,
    aggregates TEXT COLLATE \"C\" NOT NULL,
    name_part TEXT COLLATE \"C\" NOT NULL,
    type_part TEXT COLLATE \"C\" NOT NULL,
    PRIMARY KEY (source_name, doc_type)
);
CREATE VIEW highwater.source_floors AS
SELECT source_name, doc_type, NULLIF(chunks, '') AS chunks, NULLIF(aggregates, '') AS aggregates
FROM highwater_index.source_floor;
DO $$
DECLARE given RECORD;
BEGIN
    FOR given IN
        SELECT a.privilege_type, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS who,
               CASE c.relname WHEN 'floor' THEN 'highwater_index.source_floor' ELSE 'highwater.source_floors' END AS what
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, LATERAL aclexplode(c.relacl) a
        WHERE (n.nspname, c.relname) IN (('highwater_index', 'floor'), ('highwater', 'floors'))
        AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
    LOOP
        EXECUTE format('GRANT %s ON %s TO %s', given.privilege_type, given.what, given.who);
    END LOOP;
END $$;
";

/// Of a chunk, in the table of this name.
macro_rules! chunk_floor {
    ($chunk:literal) => {
        concat!(
            "GREATEST(CASE ",
            $chunk,
            ".kind WHEN 2 THEN f.errors ELSE f.pings END, COALESCE((SELECT s.chunks FROM highwater_index.source_floor s \
             WHERE s.source_name = ",
            $chunk,
            ".source_name AND s.doc_type = ",
            $chunk,
            ".doc_type), ''))"
        )
    };
}

/// Of what is folded of a chunk, in the table of this name.
macro_rules! aggregates_floor {
    ($chunk:literal) => {
        concat!(
            "GREATEST(f.aggregates, COALESCE((SELECT s.aggregates FROM highwater_index.source_floor s WHERE s.source_name = ",
            $chunk,
            ".source_name AND s.doc_type = ",
            $chunk,
            ".doc_type), ''))"
        )
    };
}

/// Of an object that only its key tells of, in the table of this name.
macro_rules! key_floor {
    ($table:literal) => {
        concat!(
            "GREATEST(CASE WHEN ",
            $table,
            ".object_key LIKE '%/errors/v1/submission_date=%' THEN f.errors ELSE f.pings END, \
             COALESCE((SELECT MAX(s.chunks) FROM highwater_index.source_floor s WHERE strpos(",
            $table,
            ".object_key, s.name_part) > 0 AND strpos(",
            $table,
            ".object_key, s.type_part) > 0), ''))"
        )
    };
}

pub(super) use {aggregates_floor, chunk_floor, key_floor};

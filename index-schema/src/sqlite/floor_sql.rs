//! The floor of a row, as an expression in statements: of its kind, or of its source where that is higher. `'''` is the floor below
//! every day.

/// Schema version 5: floors of sources, each with what keys of its chunks have among their dimensions.
pub(super) const MIGRATION_5: &str = "
CREATE TABLE source_floor (
    source_name TEXT NOT NULL,
    doc_type TEXT NOT NULL,
    chunks TEXT NOT NULL,
    aggregates TEXT NOT NULL,
    name_part TEXT NOT NULL,
    type_part TEXT NOT NULL,
    PRIMARY KEY (source_name, doc_type)
);
";

/// Of a chunk, in the table of this name.
macro_rules! chunk_floor {
    ($chunk:literal) => {
        concat!(
            "max((SELECT CASE ",
            $chunk,
            ".kind WHEN 2 THEN errors ELSE pings END FROM floor), \
             COALESCE((SELECT s.chunks FROM source_floor s WHERE s.source_name = ",
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
            "max((SELECT aggregates FROM floor), COALESCE((SELECT s.aggregates FROM source_floor s WHERE s.source_name = ",
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
            "max((SELECT CASE WHEN ",
            $table,
            ".object_key LIKE '%/errors/v1/submission_date=%' THEN errors ELSE pings END FROM floor), \
             COALESCE((SELECT max(s.chunks) FROM source_floor s WHERE instr(",
            $table,
            ".object_key, s.name_part) > 0 AND instr(",
            $table,
            ".object_key, s.type_part) > 0), ''))"
        )
    };
}

pub(super) use {aggregates_floor, chunk_floor, key_floor};

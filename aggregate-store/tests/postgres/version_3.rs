//! Tables of schema version 3, made of those of version 2 as the program of that version did, and how it wrote cells.

use crate::test_database::TestDatabase;

const TABLES: &str = include_str!("../../src/postgres/schema_3.sql");

/// A cell, put in the place of the stored one with its key.
pub(crate) const WRITE: &str = "INSERT INTO highwater_aggregates.cell AS c (dimension_set, metric, process, label, layout, value) \
     SELECT dimension_set, metric, process, label, layout, value FROM highwater_aggregates.cell \
     ON CONFLICT (dimension_set, metric, process, label, layout) DO UPDATE SET value = excluded.value";

/// Brings tables of version 2 to version 3.
pub(crate) fn make_of_version_2(place: &TestDatabase) {
    let sql = format!("BEGIN; {TABLES} UPDATE highwater_aggregates.schema_version SET version = 3; COMMIT;");
    place.server.sql(&place.database, &sql);
}

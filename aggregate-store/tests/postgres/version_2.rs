//! Tables of schema version 2, made of those of version 1 as the program of that version did, and rows as it wrote them.

use crate::test_database::TestDatabase;

const TABLES: &str = include_str!("../../src/postgres/schema_2.sql");

/// A chunk, a ping of it that could not be folded, and what was counted.
const ROWS: &str = "SET search_path = highwater_aggregates; \
     INSERT INTO folded (incarnation, boot, plan, key, is_errors, submission_date, records) \
     VALUES (decode(repeat('01', 16), 'hex'), 1, 1, 'a key', FALSE, 20261130, 8); \
     INSERT INTO errored (incarnation, sequence, submission_date, chunk_incarnation, chunk_boot, chunk_plan, position, reason) \
     VALUES (decode(repeat('01', 16), 'hex'), 1, 20261130, decode(repeat('01', 16), 'hex'), 1, 1, 0, 'odd'); \
     INSERT INTO counter (kind, name, value) VALUES ('counter', 'folded', 7), ('counter', 'errored_pings', 1), ('errored', 'odd', 1)";

/// Brings tables of version 1 to version 2.
pub(crate) fn make_of_version_1(place: &TestDatabase) {
    let sql = format!("BEGIN; {TABLES} UPDATE highwater_aggregates.schema_version SET version = 2; COMMIT;");
    place.server.sql(&place.database, &sql);
}

/// Writes rows beside cells and users.
pub(crate) fn fill_rows(place: &TestDatabase) {
    place.server.sql(&place.database, ROWS);
}

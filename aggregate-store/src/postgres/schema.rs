//! The tables, and the number of the lock behind which they are made.

use postgres_connections::Schema;

/// Each migration brings the tables from the version of its place to the next one. Never edit one that was released.
pub(super) const SCHEMA: Schema = Schema {
    name: "highwater_aggregates",
    lock: 8_606_217_354_014_311,
    migrations: &[
        &[include_str!("schema_1.sql")],
        &[include_str!("schema_2.sql")],
        &[include_str!("schema_3.sql")],
        &[include_str!("schema_4.sql")],
        &[include_str!("schema_5.sql")],
    ],
};

//! The tables, and how those of an older program become these. Strings, layouts, dimension sets, chunks and
//! incarnations have ids that are local to one file and never leave it.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::merge::define_merge_members;
use super::taking_over;
use crate::AggregateError;

/// One step for each schema version, in order. A step that was ever released is never changed.
const MIGRATIONS: &[&[Step]] = &[
    &[Step::Sql(include_str!("schema_1.sql"))],
    &[Step::Sql(include_str!("schema_2.sql"))],
    &[Step::Sql(include_str!("schema_3.sql"))],
    &[
        Step::Sql(include_str!("schema_4.sql")),
        Step::Code(taking_over::take_over),
        Step::Sql(include_str!("schema_4_end.sql")),
    ],
    &[Step::Sql(include_str!("schema_5.sql"))],
];

/// All tables of the known version at once, for a file that has none.
const NEWEST: &[Step] = &[Step::Sql(include_str!("schema_newest.sql"))];

/// A part of a migration.
enum Step {
    Sql(&'static str),
    Code(fn(&Connection) -> Result<(), AggregateError>),
}

/// The schema version that this program reads and writes.
fn known() -> u32 {
    u32::try_from(MIGRATIONS.len()).expect("there are few migrations")
}

/// Brings the tables to the known version.
pub(super) fn migrate(connection: &mut Connection, place: &str) -> Result<(), AggregateError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    refuse_newer(found, place)?;
    define_merge_members(&transaction)?;
    let steps: Vec<&Step> = match found {
        0 => NEWEST.iter().collect(),
        _ => MIGRATIONS[found as usize..].iter().copied().flatten().collect(),
    };
    for step in steps {
        match step {
            Step::Sql(sql) => transaction.execute_batch(sql)?,
            Step::Code(run) => run(&transaction)?,
        }
    }
    transaction.execute(
        "INSERT INTO meta (name, value) VALUES ('schema_version', ?1)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        params![known().to_string()],
    )?;
    transaction.commit()?;
    Ok(())
}

/// Refuses tables that are not of the known version.
pub(super) fn check(connection: &Connection, place: &str) -> Result<(), AggregateError> {
    let found = version(connection)?;
    refuse_newer(found, place)?;
    if found < known() {
        return Err(AggregateError::Older {
            place: place.to_owned(),
            found,
            known: known(),
        });
    }
    Ok(())
}

fn refuse_newer(found: u32, place: &str) -> Result<(), AggregateError> {
    if found > known() {
        return Err(AggregateError::Newer {
            place: place.to_owned(),
            found,
            known: known(),
        });
    }
    Ok(())
}

/// The version of the tables; 0 when there are none.
fn version(connection: &Connection) -> Result<u32, AggregateError> {
    let tables: i64 = connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'meta'",
        [],
        |row| row.get(0),
    )?;
    if tables == 0 {
        return Ok(0);
    }
    let text: Option<String> = connection
        .query_row(
            "SELECT value FROM meta WHERE name = 'schema_version'",
            [],
            |row| row.get(0),
        )
        .optional()?;
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| AggregateError::Damaged("their schema version is missing".to_owned()))
}

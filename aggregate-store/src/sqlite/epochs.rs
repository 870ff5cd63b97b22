//! The epochs in use, and the rules of sources that have their own.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::{AggregateError, Epochs, Source};

const NUMBER: &str = "epochs_number";

/// The epochs in use.
pub(super) fn read(connection: &Connection) -> Result<Epochs, AggregateError> {
    let mut statement = connection.prepare_cached("SELECT source, first_day, epoch FROM epoch")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    Ok(Epochs::stored(number(connection)?, rows))
}

/// How often they, or the rules of a source, changed.
pub(super) fn number(connection: &Connection) -> Result<u64, AggregateError> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    let value: Option<String> = statement.query_row([NUMBER], |row| row.get(0)).optional()?;
    let missing = || AggregateError::Damaged("the number of their epochs is missing".to_owned());
    value.and_then(|value| value.parse().ok()).ok_or_else(missing)
}

/// Puts these in the place of those in use.
pub(super) fn write(connection: &Connection, epochs: &Epochs) -> Result<(), AggregateError> {
    connection.execute("DELETE FROM epoch", [])?;
    let mut put =
        connection.prepare_cached("INSERT INTO epoch (source, first_day, epoch) VALUES (?1, ?2, ?3)")?;
    for row in epochs.rows() {
        put.execute(row)?;
    }
    write_number(connection, epochs.number)
}

fn write_number(connection: &Connection, number: u64) -> Result<(), AggregateError> {
    connection.execute(
        "UPDATE meta SET value = ?2 WHERE name = ?1",
        params![NUMBER, number.to_string()],
    )?;
    Ok(())
}

/// The rules of sources that have their own.
pub(super) fn source_rules(connection: &Connection) -> Result<BTreeMap<String, String>, AggregateError> {
    let mut statement = connection.prepare_cached("SELECT source, rules FROM source_rules")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Puts rules of a source in the place of those it had; none take them away.
pub(super) fn write_rules(
    connection: &Connection,
    source: &str,
    rules: Option<&str>,
) -> Result<(), AggregateError> {
    connection.execute("DELETE FROM source_rules WHERE source = ?1", [source])?;
    if let Some(rules) = rules {
        connection.execute(
            "INSERT INTO source_rules (source, rules) VALUES (?1, ?2)",
            [source, rules],
        )?;
    }
    Ok(())
}

/// Gives a source its first rules, if nothing of it was counted.
pub(super) fn adopt_rules(
    connection: &mut Connection,
    source: &Source,
    rules: &str,
) -> Result<bool, AggregateError> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let known = "SELECT 1 FROM source_rules WHERE source = ?1 UNION ALL
         SELECT 1 FROM source JOIN count_by_day ON count_by_day.source = source.id WHERE name = ?1
         UNION ALL SELECT 1 FROM meta WHERE name = 'counted_by_source' AND value = 'no' LIMIT 1";
    if transaction.prepare_cached(known)?.exists([source.as_str()])? {
        return Ok(false);
    }
    write_rules(&transaction, source.as_str(), Some(rules))?;
    let number = number(&transaction)?;
    write_number(&transaction, number + 1)?;
    transaction.commit()?;
    Ok(true)
}

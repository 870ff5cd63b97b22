//! The rules under which everything here was folded.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::{AggregateError, FoldVersion};

const CODE: &str = "fold_code";
const SETTINGS: &str = "fold_settings";

/// The rules, if they were set.
pub(super) fn get(connection: &Connection) -> Result<Option<FoldVersion>, AggregateError> {
    let value = |name: &str| -> Result<Option<String>, AggregateError> {
        let value = connection
            .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        Ok(value)
    };
    match (value(CODE)?, value(SETTINGS)?) {
        (None, None) => Ok(None),
        (Some(code), Some(settings)) => Ok(Some(FoldVersion {
            code: code
                .parse()
                .map_err(|_| AggregateError::Damaged("their fold version is no number".to_owned()))?,
            settings,
        })),
        _ => Err(AggregateError::Damaged(
            "half of their fold version is missing".to_owned(),
        )),
    }
}

/// Puts other rules in the place of known ones.
pub(super) fn replace(
    connection: &mut Connection,
    known: &FoldVersion,
    version: &FoldVersion,
) -> Result<(), AggregateError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match get(&transaction)? {
        Some(stored) if stored == *version => return Ok(()),
        Some(stored) if stored == *known => {}
        Some(stored) => return Err(AggregateError::OtherFoldVersion { stored }),
        None => {
            return Err(AggregateError::Batch(
                "no rules were set that others could replace",
            ));
        }
    }
    put(&transaction, version)?;
    transaction.commit()?;
    Ok(())
}

/// Puts these rules in the place of any.
pub(super) fn put(connection: &Connection, version: &FoldVersion) -> Result<(), AggregateError> {
    let FoldVersion { code, settings } = version;
    for (name, value) in [(CODE, &code.to_string()), (SETTINGS, settings)] {
        connection.execute(
            "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value",
            params![name, value],
        )?;
    }
    Ok(())
}

/// Sets the rules, once.
pub(super) fn set(connection: &Connection, version: &FoldVersion) -> Result<(), AggregateError> {
    match get(connection)? {
        Some(stored) if stored == *version => Ok(()),
        Some(stored) => Err(AggregateError::OtherFoldVersion { stored }),
        None => {
            let FoldVersion { code, settings } = version;
            connection.execute(
                "INSERT INTO meta (name, value) VALUES (?1, ?2), (?3, ?4)",
                params![CODE, code.to_string(), SETTINGS, settings],
            )?;
            Ok(())
        }
    }
}

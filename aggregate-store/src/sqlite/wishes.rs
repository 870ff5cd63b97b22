//! Rebuilds under way: what is wished, and in place of what.

use ping::SubmissionDate;
use rusqlite::{Connection, Row, TransactionBehavior, params};

use super::counts::numbers;
use crate::stored::unstored;
use crate::{AggregateError, Days, FoldVersion, Rebuild, RebuildWish};

/// All of them, ascending.
pub(super) fn all(connection: &Connection) -> Result<Vec<Rebuild>, AggregateError> {
    let mut statement = connection.prepare_cached(
        "SELECT epoch, source, first_day, last_day, rules, fold_code, fold_settings FROM rebuild ORDER BY epoch",
    )?;
    let mut rows = statement.query([])?;
    let mut rebuilds = Vec::new();
    while let Some(row) = rows.next()? {
        rebuilds.push(read(row)?);
    }
    Ok(rebuilds)
}

fn read(row: &Row<'_>) -> Result<Rebuild, AggregateError> {
    let source: String = row.get(1)?;
    let code: Option<u32> = row.get(5)?;
    let settings: Option<String> = row.get(6)?;
    Ok(Rebuild {
        epoch: row.get(0)?,
        wish: RebuildWish {
            source: Some(source).filter(|source| !source.is_empty()),
            days: Days {
                first: SubmissionDate::from_yyyymmdd(row.get(2)?),
                last: SubmissionDate::from_yyyymmdd(row.get(3)?),
            },
            rules: row.get(4)?,
            version: code
                .zip(settings)
                .map(|(code, settings)| FoldVersion { code, settings }),
        },
    })
}

/// Begins a rebuild, in place of others of its source.
pub(super) fn begin(connection: &mut Connection, wish: RebuildWish) -> Result<Rebuild, AggregateError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for under_way in all(&transaction)? {
        if under_way.wish == wish {
            return Ok(under_way);
        }
        if wish.source.is_some() && under_way.wish.source.is_none() {
            return Err(AggregateError::RebuildUnderWay);
        }
        if wish.source.is_none() || under_way.wish.source == wish.source {
            end(&transaction, under_way.epoch)?;
        }
    }
    check_counts(&transaction, wish.source.as_deref(), wish.days)?;
    let epoch = add(&transaction, &wish)?;
    transaction.commit()?;
    Ok(Rebuild { epoch, wish })
}

/// Has a rebuild that is under way begin with nothing, under another number.
pub(super) fn begin_anew(connection: &Connection, rebuild: &Rebuild) -> Result<(), AggregateError> {
    end(connection, rebuild.epoch)?;
    add(connection, &rebuild.wish)?;
    Ok(())
}

fn add(connection: &Connection, wish: &RebuildWish) -> Result<u32, AggregateError> {
    let (first, last) = numbers(wish.days);
    connection.execute(
        "INSERT INTO rebuild (source, first_day, last_day, rules, fold_code, fold_settings)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            wish.source.as_deref().unwrap_or_default(),
            first,
            last,
            wish.rules,
            wish.version.as_ref().map(|version| version.code),
            wish.version.as_ref().map(|version| &version.settings),
        ],
    )?;
    unstored(connection.last_insert_rowid())
}

/// Refuses to replace a part of what is counted where nobody knows which part that is.
pub(super) fn check_counts(
    connection: &Connection,
    source: Option<&str>,
    days: Days,
) -> Result<(), AggregateError> {
    let mut legacy =
        connection.prepare_cached("SELECT 1 FROM meta WHERE name = 'counted_by_source' AND value = 'no'")?;
    if source.is_none() && days == Days::ALL || !legacy.exists([])? {
        return Ok(());
    }
    Err(match source {
        Some(_) => AggregateError::NotCountedBySource,
        None => AggregateError::NotCountedByDay,
    })
}

/// Whatever became of it, it is not under way any more.
pub(super) fn end(connection: &Connection, epoch: u32) -> Result<(), AggregateError> {
    connection.execute("DELETE FROM rebuild WHERE epoch = ?1", [epoch])?;
    Ok(())
}

/// Whether a rebuild is under way.
pub(super) fn is_under_way(connection: &Connection, epoch: u32) -> Result<bool, AggregateError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM rebuild WHERE epoch = ?1")?;
    Ok(statement.exists([epoch])?)
}

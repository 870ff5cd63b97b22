//! Deletes what of some sources lies below days of their own.

use std::collections::{BTreeMap, BTreeSet};

use ping::SubmissionDate;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::counts::numbers;
use super::limits::{DELETED_ROWS, DELETED_SETS};
use super::{sets, unused};
use crate::stored::date;
use crate::{AggregateError, BelowOfSource, Days, Deleted};

/// One slice in one transaction.
pub(super) fn delete(
    connection: &mut Connection,
    below: &[BelowOfSource],
) -> Result<Deleted, AggregateError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut deleted = Deleted::default();
    for of_source in below {
        deleted = delete_some(&transaction, of_source)?;
        if deleted != Deleted::default() {
            break;
        }
    }
    transaction.commit()?;
    Ok(deleted)
}

fn delete_some(transaction: &Transaction<'_>, below: &BelowOfSource) -> Result<Deleted, AggregateError> {
    for id in ids(transaction, &below.source)? {
        if let Some(days) = below.aggregates.map(days_below) {
            let found = sets::of_days(transaction, id, numbers(days), DELETED_SETS)?;
            if !found.is_empty() {
                let [aggregates, rows] = unused::remove_some(transaction, id, &found)?;
                return Ok(Deleted {
                    aggregates,
                    rows,
                    next: None,
                });
            }
        }
        let errored = delete_errored(transaction, id, below.errored)?;
        if errored > 0 {
            return Ok(Deleted {
                rows: errored,
                ..Deleted::default()
            });
        }
    }
    Ok(Deleted::default())
}

fn days_below(day: SubmissionDate) -> Days {
    Days {
        first: None,
        last: Some(day.plus_days(-1)),
    }
}

fn delete_errored(
    transaction: &Transaction<'_>,
    source: i64,
    below: Option<SubmissionDate>,
) -> Result<u64, AggregateError> {
    let Some(below) = below else { return Ok(0) };
    let rows = transaction
        .prepare_cached(
            "DELETE FROM errored WHERE (incarnation, sequence) IN
             (SELECT incarnation, sequence FROM errored WHERE submission_date < ?1 AND source = ?2 LIMIT ?3)",
        )?
        .execute(params![below.as_yyyymmdd(), source, DELETED_ROWS])?;
    Ok(rows as u64)
}

/// The source in each of its epochs.
fn ids(connection: &Connection, source: &str) -> Result<Vec<i64>, AggregateError> {
    let mut find = connection.prepare_cached("SELECT id FROM source WHERE name = ?1 ORDER BY id")?;
    let ids = find.query_map([source], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Days of which there are sets.
pub(super) fn days(
    connection: &Connection,
    sources: &[String],
) -> Result<BTreeMap<String, BTreeSet<SubmissionDate>>, AggregateError> {
    let mut by_source = BTreeMap::new();
    let mut find =
        connection.prepare_cached("SELECT DISTINCT submission_date FROM dimension_set WHERE source = ?1")?;
    for source in sources {
        let mut days = BTreeSet::new();
        for id in ids(connection, source)? {
            let found = find.query_map([id], |row| row.get::<_, i64>(0))?;
            for day in found {
                days.insert(date(day?)?);
            }
        }
        by_source.insert(source.clone(), days);
    }
    Ok(by_source)
}

//! Removes what no epoch in use and no rebuild names any more, a slice at a time.

use std::sync::Arc;

use ping::SubmissionDate;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::limits::{DELETED_CELLS, DELETED_ROWS, DELETED_SETS};
use super::retain::MetSets;
use super::sets::{self, SetRow, unpack};
use super::{counts, epochs, listing};
use crate::listing::{Listing, METRIC, SetIds};
use crate::stored::unstored;
use crate::{AggregateError, Days, Epochs, Source};

/// Removes a slice; false when nothing was left.
pub(super) fn remove(connection: &mut Connection) -> Result<bool, AggregateError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let removed = remove_rows(&transaction)? || remove_sets(&transaction)?;
    transaction.commit()?;
    Ok(removed)
}

/// What rebuilds noted that are not under way any more.
fn remove_rows(transaction: &Transaction<'_>) -> Result<bool, AggregateError> {
    let mut rows = 0;
    for (table, key) in [
        ("rebuilt", "epoch, chunk"),
        ("rebuilt_errored", "epoch, incarnation, sequence"),
    ] {
        rows += transaction
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE ({key}) IN
                 (SELECT {key} FROM {table} WHERE epoch NOT IN (SELECT epoch FROM rebuild) LIMIT ?1)"
            ))?
            .execute([DELETED_ROWS])?;
    }
    Ok(rows > 0)
}

/// Sets that are not in use, with all that they name, and what was counted of their sources.
fn remove_sets(transaction: &Transaction<'_>) -> Result<bool, AggregateError> {
    let epochs = epochs::read(transaction)?;
    let mut sources = transaction.prepare_cached(
        "SELECT id, name, epoch FROM source WHERE epoch NOT IN (SELECT epoch FROM rebuild)",
    )?;
    let sources = sources.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)))?;
    for source in sources.collect::<Result<Vec<(i64, String, u32)>, _>>()? {
        let (id, name, epoch) = source;
        for days in unused_days(&epochs, &Source::named(&name).in_epoch(epoch)) {
            counts::remove(transaction, &[id], days)?;
            let found = find(transaction, id, days)?;
            if !found.is_empty() {
                remove_some(transaction, id, &found)?;
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The days on which another epoch of this source is in use.
fn unused_days(epochs: &Epochs, source: &Source) -> Vec<Days> {
    let pieces = epochs.pieces(source).into_iter();
    let others = pieces.filter(|piece| piece.source != *source);
    others.map(|piece| piece.days).collect()
}

fn find(connection: &Connection, source: i64, days: Days) -> Result<Vec<SetRow>, AggregateError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, source, submission_date, packed FROM dimension_set
         WHERE source = ?1 AND submission_date BETWEEN ?2 AND ?3 LIMIT ?4",
    )?;
    let first = days.first.map_or(0, SubmissionDate::as_yyyymmdd);
    let last = days.last.map_or(99_999_999, SubmissionDate::as_yyyymmdd);
    let mut rows = statement.query(params![source, first, last, DELETED_SETS])?;
    let mut sets = Vec::new();
    while let Some(row) = rows.next()? {
        sets.push(SetRow {
            id: unstored(row.get(0)?)?,
            source: unstored(row.get(1)?)?,
            submission_date: unstored(row.get(2)?)?,
            pairs: unpack(row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?)?,
        });
    }
    Ok(sets)
}

/// Removes the first of these sets, until the slice is full; one at least.
fn remove_some(transaction: &Transaction<'_>, source: i64, found: &[SetRow]) -> Result<(), AggregateError> {
    let mut metrics = transaction
        .prepare_cached("SELECT DISTINCT value FROM listing WHERE source = ?1 AND dimension = ?2")?;
    let metrics = metrics.query_map([source, METRIC], |row| row.get(0))?;
    let metrics = metrics.collect::<Result<Vec<i64>, _>>()?;
    let mut met = MetSets::of(transaction);
    let mut listed = Listing::default();
    let (mut gone, mut cells) = (Vec::new(), 0);
    for set in found {
        let ids = met.ids(set.id.into())?;
        for metric in &metrics {
            cells += remove_cells(transaction, *metric, set.id, &ids, &mut listed)?;
        }
        transaction
            .prepare_cached("DELETE FROM union_value WHERE dimension_set = ?1")?
            .execute([set.id])?;
        transaction
            .prepare_cached("DELETE FROM dimension_set WHERE id = ?1")?
            .execute([set.id])?;
        gone.push(set.clone());
        if cells >= DELETED_CELLS {
            break;
        }
    }
    sets::remove_members(transaction, &gone)?;
    listing::write(listed, transaction)
}

fn remove_cells(
    transaction: &Transaction<'_>,
    metric: i64,
    set: u32,
    ids: &Arc<SetIds>,
    listed: &mut Listing,
) -> Result<u64, AggregateError> {
    let mut count = transaction.prepare_cached(
        "SELECT process, count(*) FROM cell WHERE metric = ?1 AND dimension_set = ?2 GROUP BY process",
    )?;
    let mut rows = count.query(params![metric, set])?;
    let mut removed = 0;
    while let Some(row) = rows.next()? {
        let cells: i64 = row.get(1)?;
        listed.count(ids, unstored(metric)?, unstored(row.get(0)?)?, -cells);
        removed += unstored::<u64>(cells)?;
    }
    if removed > 0 {
        transaction
            .prepare_cached("DELETE FROM cell WHERE metric = ?1 AND dimension_set = ?2")?
            .execute(params![metric, set])?;
    }
    Ok(removed)
}

//! Removes what no epoch in use and no rebuild names any more, a slice at a time.

use std::sync::Arc;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::counts::{self, numbers};
use super::limits::{DELETED_CELLS, DELETED_ROWS, DELETED_SETS};
use super::met_sets::MetSets;
use super::sets::{self, SetRow};
use super::{epochs, listing, wishes};
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
    for (id, source) in sets::sources(transaction)? {
        if wishes::is_under_way(transaction, source.epoch())? {
            continue;
        }
        for days in unused_days(&epochs, &source) {
            counts::remove(transaction, &[id], days)?;
            let found = sets::of_days(transaction, id, numbers(days), DELETED_SETS)?;
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

/// Removes the first of these sets, until the slice is full; one at least. Answers how many cells and users, and how many sets.
pub(super) fn remove_some(
    transaction: &Transaction<'_>,
    source: i64,
    found: &[SetRow],
) -> Result<[u64; 2], AggregateError> {
    let mut metrics = transaction
        .prepare_cached("SELECT DISTINCT value FROM listing WHERE source = ?1 AND dimension = ?2")?;
    let metrics = metrics.query_map([source, METRIC], |row| row.get(0))?;
    let metrics = metrics.collect::<Result<Vec<i64>, _>>()?;
    let mut met = MetSets::of(transaction);
    let mut listed = Listing::default();
    let (mut gone, mut cells, mut users) = (Vec::new(), 0, 0);
    for set in found {
        let ids = met.ids(set.id.into())?;
        for metric in &metrics {
            cells += remove_cells(transaction, *metric, set.id, &ids, &mut listed)?;
        }
        users += transaction
            .prepare_cached("DELETE FROM union_value WHERE dimension_set = ?1")?
            .execute([set.id])? as u64;
        transaction
            .prepare_cached("DELETE FROM dimension_set WHERE id = ?1")?
            .execute([set.id])?;
        gone.push(set.clone());
        if cells >= DELETED_CELLS {
            break;
        }
    }
    sets::remove_members(transaction, &gone)?;
    listing::write(listed, transaction)?;
    Ok([cells + users, gone.len() as u64])
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

//! One batch, or one layer of batches, one transaction.

use std::sync::Arc;

use ping::ChunkId;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::mpsc;

use super::decoded::{Cache, Changes};
use super::dictionary::Dictionary;
use super::merge::{CellMerges, define_merge_members, define_merge_users};
use super::{
    cells, chunks, counters, counts, epochs, errored, layers, rebuilt, retried, seen, users, wishes,
};
use crate::layer::LayerStamp;
use crate::replays::Replays;
use crate::{AggregateError, Batch, Committed, metrics};

/// The connection that writes, and what it knows of the tables.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: Connection,
    dictionary: Dictionary,
    merges: CellMerges,
    decoded: Arc<Cache>,
    /// Those of a transaction that was committed, until they are told.
    changes: Option<Changes>,
}

impl Writer {
    /// Prepares a connection for writing.
    pub(super) fn new(mut connection: Connection, decoded: Arc<Cache>) -> Result<Self, AggregateError> {
        let begun = Arc::clone(&decoded);
        // Whatever writes, it is known before anybody can read it.
        connection.commit_hook(Some(move || {
            begun.begin();
            false
        }))?;
        let merges = CellMerges::define(&connection)?;
        define_merge_users(&connection)?;
        define_merge_members(&connection)?;
        Ok(Self {
            connection,
            dictionary: Dictionary::default(),
            merges,
            decoded,
            changes: None,
        })
    }

    /// Tells what was changed since the last call to whoever keeps what was read.
    pub(super) fn tell(&mut self) {
        self.decoded.end(self.changes.take());
    }

    /// Writes all of the batches, the oldest first, or nothing. A layer that is written already is not written again.
    pub(super) fn commit(
        &mut self,
        batches: &[&Batch],
        stamp: Option<LayerStamp>,
    ) -> Result<Committed, AggregateError> {
        self.dictionary.trim();
        let outcome = self.write(batches, stamp);
        let cells = batches.iter().map(|batch| batch.cells.len()).sum();
        metrics::count_commit(cells, &outcome);
        self.settle(outcome)
    }

    /// Writes all parts, of which the last one names chunks, or nothing.
    pub(super) fn commit_parts(
        &mut self,
        mut parts: mpsc::Receiver<Batch>,
    ) -> Result<Committed, AggregateError> {
        let mut cells = 0;
        let outcome = self.write_parts(&mut parts, &mut cells);
        metrics::count_commit(cells, &outcome);
        self.settle(outcome)
    }

    fn settle(&mut self, outcome: Result<Committed, AggregateError>) -> Result<Committed, AggregateError> {
        if outcome.is_err() {
            // The transaction was rolled back, and the ids that it made are free again.
            self.dictionary.forget();
            self.merges.take();
        }
        outcome
    }

    /// Forgets ids, for rows that bore them were deleted.
    pub(super) fn forget_ids(&mut self) {
        self.dictionary.forget();
    }

    fn write(&mut self, batches: &[&Batch], stamp: Option<LayerStamp>) -> Result<Committed, AggregateError> {
        let Self {
            connection,
            dictionary,
            merges,
            decoded,
            changes,
        } = self;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut folded = folded(&transaction, batches)?;
        if let Some(stamp) = stamp {
            if layers::newest(&transaction, stamp.writer)?.is_some_and(|newest| newest >= stamp.number) {
                // The answer to an earlier try was lost; or, against all rules, two writers bear one identity.
                let all: usize = batches.iter().map(|batch| batch.chunks.len()).sum();
                return Ok(match folded.len() == all {
                    true => Committed::Written,
                    false => Committed::AlreadyFolded(folded),
                });
            }
            layers::write(&transaction, stamp)?;
        }
        folded.extend(replay(&transaction, dictionary, batches)?);
        if !folded.is_empty() || !are_of_now(&transaction, batches)? {
            // Rolled back; ids that were made for it are free again.
            drop(transaction);
            dictionary.forget();
            return Ok(match folded.is_empty() {
                true => Committed::Outdated,
                false => Committed::AlreadyFolded(folded),
            });
        }
        let mut made = Changes::of(decoded.metrics());
        write_batches(&transaction, dictionary, merges, batches, &mut made)?;
        let mut replays = Replays::default();
        batches.iter().for_each(|batch| replays.note(batch));
        begin_rebuilds_anew(&transaction, replays)?;
        transaction.commit()?;
        *changes = Some(made);
        Ok(Committed::Written)
    }

    fn write_parts(
        &mut self,
        parts: &mut mpsc::Receiver<Batch>,
        cells: &mut usize,
    ) -> Result<Committed, AggregateError> {
        let Self {
            connection,
            dictionary,
            merges,
            decoded,
            changes,
        } = self;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut made = Changes::of(decoded.metrics());
        let mut replays = Replays::default();
        while let Some(part) = parts.blocking_recv() {
            dictionary.trim();
            let mut folded = folded(&transaction, &[&part])?;
            folded.extend(replay(&transaction, dictionary, &[&part])?);
            let is_outdated = !are_of_now(&transaction, &[&part])?;
            if is_outdated || !folded.is_empty() {
                transaction.rollback()?;
                // Ids that the transaction made are free again.
                dictionary.forget();
                return Ok(match folded.is_empty() {
                    true => Committed::Outdated,
                    false => Committed::AlreadyFolded(folded),
                });
            }
            write_batches(&transaction, dictionary, merges, &[&part], &mut made)?;
            *cells += part.cells.len();
            replays.note(&part);
            if part.is_last() {
                begin_rebuilds_anew(&transaction, replays)?;
                transaction.commit()?;
                *changes = Some(made);
                return Ok(Committed::Written);
            }
        }
        Err(AggregateError::Unfinished)
    }
}

/// The chunks of these batches that are folded already.
fn folded(connection: &Connection, batches: &[&Batch]) -> Result<Vec<ChunkId>, AggregateError> {
    let mut folded = Vec::new();
    for batch in batches {
        for chunk in &batch.chunks {
            let is_folded = match batch.rebuild {
                Some(epoch) => rebuilt::is_rebuilt(connection, epoch, chunk.id)?,
                None => chunks::is_folded(connection, chunk.id)?,
            };
            if is_folded {
                folded.push(chunk.id);
            }
        }
    }
    Ok(folded)
}

/// Whether these batches were folded under the epochs in use, and for rebuilds that are under way.
fn are_of_now(connection: &Connection, batches: &[&Batch]) -> Result<bool, AggregateError> {
    let number = epochs::number(connection)?;
    for batch in batches {
        let is_of_now = match batch.rebuild {
            Some(epoch) => wishes::is_under_way(connection, epoch)?,
            None => true,
        };
        if !is_of_now || batch.epochs != number {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Removes what these batches replay, and notes what they try again. Answers the chunks of which that was done already.
fn replay(
    connection: &Connection,
    dictionary: &mut Dictionary,
    batches: &[&Batch],
) -> Result<Vec<ChunkId>, AggregateError> {
    let mut done = Vec::new();
    for batch in batches {
        done.extend(errored::remove(connection, &batch.replayed)?);
        done.extend(retried::write(connection, dictionary, &batch.retried)?);
    }
    Ok(done)
}

/// Begins those rebuilds anew that have folded what was replayed.
fn begin_rebuilds_anew(connection: &Connection, replays: Replays) -> Result<(), AggregateError> {
    let chunks = replays.into_chunks();
    if chunks.is_empty() {
        return Ok(());
    }
    for rebuild in wishes::all(connection)? {
        for chunk in &chunks {
            if rebuilt::is_rebuilt(connection, rebuild.epoch, *chunk)? {
                wishes::begin_anew(connection, &rebuild)?;
                break;
            }
        }
    }
    Ok(())
}

fn write_batches(
    connection: &Connection,
    dictionary: &mut Dictionary,
    merges: &CellMerges,
    batches: &[&Batch],
    changes: &mut Changes,
) -> Result<(), AggregateError> {
    for batch in batches {
        match batch.rebuild {
            Some(epoch) => rebuilt::write_chunks(connection, dictionary, epoch, &batch.chunks)?,
            None => chunks::write(connection, dictionary, &batch.chunks)?,
        }
    }
    cells::write(connection, dictionary, merges, batches, changes)?;
    users::write(connection, dictionary, batches)?;
    changes.sets.extend(dictionary.write_members(connection)?);
    for batch in batches {
        seen::write(connection, dictionary, &batch.seen)?;
        errored::write(connection, dictionary, batch)?;
        counts::write(connection, dictionary, &batch.by_source)?;
        if batch.rebuild.is_none() {
            counters::write(connection, batch)?;
        }
    }
    Ok(())
}

//! One batch, one transaction.

use ping::ChunkId;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::mpsc;

use super::dictionary::Dictionary;
use super::merge::{CellMerges, define_merge_users};
use super::{cells, chunks, counters, errored, seen, users};
use crate::{AggregateError, Batch, Committed, metrics};

/// The connection that writes, and what it knows of the tables.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: Connection,
    dictionary: Dictionary,
    merges: CellMerges,
}

impl Writer {
    /// Prepares a connection for writing.
    pub(super) fn new(connection: Connection) -> Result<Self, AggregateError> {
        let merges = CellMerges::define(&connection)?;
        define_merge_users(&connection)?;
        Ok(Self {
            connection,
            dictionary: Dictionary::default(),
            merges,
        })
    }

    /// Writes all of the batch or nothing.
    pub(super) fn commit(&mut self, batch: &Batch) -> Result<Committed, AggregateError> {
        self.dictionary.trim();
        let outcome = self.write(batch);
        metrics::count_commit(batch.cells.len(), &outcome);
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

    fn write(&mut self, batch: &Batch) -> Result<Committed, AggregateError> {
        let Self {
            connection,
            dictionary,
            merges,
        } = self;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let folded = folded(&transaction, batch)?;
        if !folded.is_empty() {
            return Ok(Committed::AlreadyFolded(folded));
        }
        write_part(&transaction, dictionary, merges, batch)?;
        transaction.commit()?;
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
        } = self;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        while let Some(part) = parts.blocking_recv() {
            dictionary.trim();
            let folded = folded(&transaction, &part)?;
            if !folded.is_empty() {
                transaction.rollback()?;
                // Ids that the transaction made are free again.
                dictionary.forget();
                return Ok(Committed::AlreadyFolded(folded));
            }
            write_part(&transaction, dictionary, merges, &part)?;
            *cells += part.cells.len();
            if !part.chunks.is_empty() {
                transaction.commit()?;
                return Ok(Committed::Written);
            }
        }
        Err(AggregateError::Unfinished)
    }
}

/// The chunks of a batch that are folded already.
fn folded(connection: &Connection, batch: &Batch) -> Result<Vec<ChunkId>, AggregateError> {
    let mut folded = Vec::new();
    for chunk in &batch.chunks {
        if chunks::is_folded(connection, chunk.id)? {
            folded.push(chunk.id);
        }
    }
    Ok(folded)
}

fn write_part(
    connection: &Connection,
    dictionary: &mut Dictionary,
    merges: &mut CellMerges,
    batch: &Batch,
) -> Result<(), AggregateError> {
    chunks::write(connection, dictionary, &batch.chunks)?;
    cells::write(connection, dictionary, merges, batch)?;
    users::write(connection, dictionary, &batch.users)?;
    seen::write(connection, dictionary, &batch.seen)?;
    errored::write(connection, dictionary, &batch.errored)?;
    counters::write(connection, batch)
}

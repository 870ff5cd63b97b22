//! One batch, one transaction.

use rusqlite::{Connection, TransactionBehavior};

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
        metrics::count_commit(batch, &outcome);
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
        let mut folded = Vec::new();
        for chunk in &batch.chunks {
            if chunks::is_folded(&transaction, chunk.id)? {
                folded.push(chunk.id);
            }
        }
        if !folded.is_empty() {
            return Ok(Committed::AlreadyFolded(folded));
        }
        chunks::write(&transaction, dictionary, &batch.chunks)?;
        cells::write(&transaction, dictionary, merges, batch)?;
        users::write(&transaction, dictionary, &batch.users)?;
        seen::write(&transaction, dictionary, &batch.seen)?;
        errored::write(&transaction, dictionary, &batch.errored)?;
        counters::write(&transaction, batch)?;
        transaction.commit()?;
        Ok(Committed::Written)
    }
}

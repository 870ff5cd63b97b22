//! Indexes created objects. An announcement may come twice, late, out of order, or never: twice is harmless, and
//! [`Indexer::reconcile`] finds what never came.

use std::fmt;
use std::sync::Arc;

use index_schema::Index;
use store::{Store, StoreError};

use crate::tail::{self, Read};
use crate::{IndexingError, Outcome, metrics};

/// Keys of objects that do not end so are no business of the index.
const EXTENSION: &str = ".zst";

/// Entries of one transaction.
const BATCH: usize = 100;

/// Reads the ends of objects and adds their entries to the index.
pub struct Indexer {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) index: Arc<dyn Index>,
}

impl Indexer {
    /// An indexer between a store and an index.
    pub fn new(store: Arc<dyn Store>, index: Arc<dyn Index>) -> Self {
        Self { store, index }
    }

    /// Takes note of objects that were created: reads the end of each and adds them in one transaction (of at most a
    /// hundred each). What is no readable chunk is noted in the index; an object that is gone is success.
    ///
    /// # Errors
    /// When the store did not answer for one of them (the others are indexed), or the index refused. Ask again for all.
    pub async fn object_created(&self, keys: &[String]) -> Result<Outcome, IndexingError> {
        let mut outcome = Outcome::default();
        let mut first_error = None;
        for batch in keys.chunks(BATCH) {
            let (some, failed) = self.index_batch(batch).await?;
            outcome += some;
            first_error = first_error.or_else(|| failed.into_iter().next());
        }
        first_error.map_or(Ok(outcome), |error| Err(error.into()))
    }

    /// Indexes some keys in one transaction; answers also why each of those failed that the store did not answer for.
    pub(crate) async fn index_batch(
        &self,
        keys: &[String],
    ) -> Result<(Outcome, Vec<StoreError>), IndexingError> {
        let (mut outcome, mut failed) = (Outcome::default(), Vec::new());
        let mut entries = Vec::with_capacity(keys.len());
        for key in keys {
            if !key.ends_with(EXTENSION) {
                outcome.foreign += 1;
                continue;
            }
            match tail::read(&*self.store, key).await {
                Ok(Read::Chunk(entry)) => entries.push(*entry),
                Ok(Read::Unreadable(reason)) => {
                    if self.index.note_unreadable(key, &reason).await? {
                        tracing::error!(
                            key,
                            reason,
                            "an object is no readable chunk: it is noted in the index and not folded"
                        );
                    }
                    outcome.unreadable += 1;
                }
                Ok(Read::Gone) => {
                    tracing::warn!(key, "an object that was announced is gone: nothing to index");
                    outcome.gone += 1;
                }
                Err(error) => {
                    tracing::warn!(key, %error, "the end of a chunk could not be read now");
                    failed.push(error);
                }
            }
        }
        if !entries.is_empty() {
            let inserted = self.index.insert(&entries).await?;
            outcome.added += inserted.added;
            outcome.known += inserted.known;
            outcome.refused += inserted.refused;
            if inserted.refused > 0 {
                tracing::warn!(
                    chunks = inserted.refused,
                    "chunks below the floor date, or forgotten, are not indexed: they stay objects"
                );
            }
        }
        metrics::count(&outcome, failed.len());
        Ok((outcome, failed))
    }
}

impl fmt::Debug for Indexer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, index } = self;
        f.debug_struct("Indexer")
            .field("store", store)
            .field("index", index)
            .finish()
    }
}

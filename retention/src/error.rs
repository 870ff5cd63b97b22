//! Why a run did not end. The next one goes on where it stopped.

use aggregate_store::AggregateError;
use index_schema::{IndexError, KeyError};
use store::StoreError;

/// Something could not be deleted now. What was decided stays decided.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The aggregates failed.
    #[error(transparent)]
    Aggregates(#[from] AggregateError),
    /// Objects cannot be deleted; those that could be are.
    #[error("{objects} objects could not be deleted and are tried again by the next run: {source}")]
    Store {
        /// How many.
        objects: usize,
        /// Why the first one was not.
        source: StoreError,
    },
    /// Folding could not be held up, so no floor was raised and nothing forgotten.
    #[error("nothing was deleted, for folding could not be held up meanwhile: {0}")]
    Standstill(String),
    /// What should be forgotten is no key of a chunk.
    #[error(transparent)]
    Key(#[from] KeyError),
}

//! Why indexing did not end. Trying again is always right: it adds nothing twice.

use index_schema::IndexError;
use store::StoreError;

/// Objects could not be indexed now. What is no readable chunk is no error: it is noted in the index.
#[derive(Debug, thiserror::Error)]
pub enum IndexingError {
    /// The store did not answer for at least one object. Those it answered for are indexed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index refused. Nothing of this call's last transaction was added.
    #[error(transparent)]
    Index(#[from] IndexError),
}

//! "Object created" in, index entries out. Reads a chunk's tail by one ranged read; never decompresses.

mod error;
pub mod event;
mod feed;
mod indexer;
pub mod metrics;
mod outcome;
mod reconcile;
mod tail;

pub use error::IndexingError;
pub use feed::feed;
pub use indexer::Indexer;
pub use outcome::{Outcome, Reconciled};

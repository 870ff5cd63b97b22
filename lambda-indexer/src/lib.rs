//! "Object created" in, index entries out. Reads a chunk's tail by one ranged read; never decompresses.

mod answer;
mod error;
pub mod event;
mod feed;
mod handler;
mod indexer;
pub mod metrics;
mod outcome;
pub mod queue;
mod reconcile;
mod store_location;
mod tail;

pub use answer::{Answer, AnswerError};
pub use error::IndexingError;
pub use feed::feed;
pub use handler::Handler;
pub use indexer::Indexer;
pub use outcome::{Outcome, Reconciled};
pub use store_location::StoreLocation;

//! Follows the index, folds pings, writes aggregates. The fold is pure; the transaction is one.
//!
//! - [`fold`]: a ping's body in, signed sums out. Pure.
//! - [`ChunkFold`]: a whole chunk in, the batch out that an empty store would get of it. Pure.
//! - [`Aggregator`]: the loop over pending chunks, the rebuild, and the replay of errored pings.
//! - [`RawPings`]: from a number back to the pings behind it.
//! - [`Share`]: what of the pending chunks is this process's, where several fold.

mod aggregator;
mod batch_fold;
mod batches;
mod chunk_fold;
mod copies;
mod error;
pub mod fold;
mod generations;
mod inflate;
mod kinds;
pub mod limits;
pub mod metrics;
mod parts;
mod passed_over;
mod persist;
mod progress;
mod raw_pings;
mod reader;
mod reading;
mod rebuild;
mod replay;
mod rests;
mod scope;
mod settings;
mod share;
mod source_rebuild;
mod taking_back;
#[cfg(test)]
mod tests;
mod unreadable;
mod walk;
mod whole_rebuild;
mod work;

pub use aggregator::{Aggregator, Step};
pub use chunk_fold::ChunkFold;
pub use error::AggregatorError;
pub use generations::Generations;
pub use passed_over::PassedOver;
pub use progress::RebuildProgress;
pub use raw_pings::{Looked, PingsWanted, RawPings, TakePing};
pub use rebuild::Rebuilt;
pub use replay::{ReplayProgress, Replayed};
pub use settings::AggregatorSettings;
pub use share::Share;
pub use walk::SourceRebuild;

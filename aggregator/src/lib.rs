//! Follows the index, folds pings, writes aggregates. The fold is pure; the transaction is one.
//!
//! - [`fold`]: a ping's body in, signed sums out. Pure.
//! - [`Aggregator`]: the loop over pending chunks, and the rebuild.

mod aggregator;
mod batch_fold;
mod copies;
mod error;
pub mod fold;
pub mod limits;
pub mod metrics;
mod parts;
mod persist;
mod reader;
mod rebuild;
mod settings;
#[cfg(test)]
mod tests;
mod work;

pub use aggregator::{Aggregator, Step};
pub use error::AggregatorError;
pub use rebuild::RebuildProgress;
pub use settings::AggregatorSettings;

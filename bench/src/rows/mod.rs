//! The rows of the table, one module each.

mod asking;
mod build;
mod capacity;
mod child;
mod chunks;
mod client;
mod edge;
mod engines;
#[cfg(feature = "aws")]
mod expert;
mod fold;
mod freshness;
mod gather;
mod import;
mod index;
mod lambda;
mod latency;
mod load;
mod logged;
mod memory;
mod metrics;
mod names;
mod nginx;
mod partition;
mod peers;
mod persist;
mod postgres;
mod process;
mod questions;
mod rebuild;
mod recovery;
mod s3;
mod senders;
mod sharing;
#[cfg(feature = "aws")]
mod short_keys;
mod sketches;
mod small;
mod sources;
mod stored;
mod usage;
#[cfg(not(feature = "aws"))]
mod without_aws;

pub(crate) use chunks::ChunkMaker;
pub(crate) use engines::fold_chunk;
pub(crate) use fold::fold;
pub(crate) use names::Rows;

//! The rows of the table, one module each.

mod build;
mod child;
mod chunks;
mod client;
mod edge;
mod engines;
mod fold;
mod freshness;
mod gather;
mod import;
mod load;
mod logged;
mod names;
mod partition;
mod peers;
mod persist;
mod process;
mod sketches;
mod stored;

pub(crate) use chunks::ChunkMaker;
pub(crate) use engines::fold_chunk;
pub(crate) use fold::fold;
pub(crate) use names::{RowName, Rows};

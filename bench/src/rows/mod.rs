//! The rows of the table, one module each.

mod build;
mod capacity;
mod child;
mod chunks;
mod client;
mod edge;
mod engines;
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
mod process;
mod recovery;
mod s3;
mod senders;
#[cfg(feature = "aws")]
mod short_keys;
mod sketches;
mod stored;
mod usage;

pub(crate) use chunks::ChunkMaker;
pub(crate) use engines::fold_chunk;
pub(crate) use fold::fold;
pub(crate) use names::{RowName, Rows};

/// What a group of rows says in a program without the feature that it needs.
#[cfg(not(feature = "aws"))]
#[expect(clippy::unnecessary_wraps, reason = "as those that measure")]
fn without_aws(work: &str) -> anyhow::Result<Vec<crate::outcome::Row>> {
    Ok(vec![crate::outcome::Row::left_out(
        work,
        "`make bench-aws` measures it",
    )])
}

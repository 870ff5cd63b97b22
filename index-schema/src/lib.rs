//! The index: protobuf messages, chunk keys, and the one door to index entries with its back ends.

mod door;
mod entry;
mod key;
mod selection;

pub use door::{Index, IndexError, IndexTotals, Inserted, PendingChunk, ProductCount, SetAside};
pub use entry::{ChunkKind, IndexEntry};
pub use key::{ChunkKey, DEFAULT_PREFIX, KeyError, PREFIX_BYTES_MAX};
pub use selection::{Condition, Selection};

/// The protobuf messages of package `highwater.v1`, generated from `proto/`.
#[expect(missing_docs, reason = "generated code")]
pub mod proto {
    include!("generated.rs");
}

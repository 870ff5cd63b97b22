//! The index: protobuf messages, chunk keys, and the one door to index entries with its back ends.

#[cfg(feature = "conformance")]
pub mod conformance;
mod door;
mod entry;
mod expired;
mod floor;
mod key;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod paging;
#[cfg(feature = "postgres")]
mod postgres;
mod retain;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod select;
mod selection;
mod source_floor;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod stored;
mod swap;

pub use door::{
    FAILURES_MAX, Index, IndexError, IndexTotals, Inserted, PRODUCTS_MAX, PartitionCount, PartitionOrder,
    PendingChunk, ProductCount, ProductList, SetAside,
};
pub use entry::{ChunkKind, IndexEntry};
pub use expired::{Expired, ExpiredPlace, ExpiredSlice};
pub use floor::{Floors, Forgotten, Lowered, Raised, SeenDays, StoredDay, Tombstone};
pub use key::{ChunkKey, DEFAULT_PREFIX, KeyError, PREFIX_BYTES_MAX};
#[cfg(feature = "postgres")]
pub use postgres::{DroppedMonth, PostgresIndex};
#[cfg(feature = "postgres")]
pub use postgres_connections::{PostgresSettings, SeenServer, ServerIdentity};
pub use retain::RetainIndex;
pub use selection::{Condition, Selection};
pub use source_floor::{AllFloors, RaisedSources, SOURCE_FLOORS_MAX, SeenSources, SourceFloor, SourceFloors};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteIndex;
pub use swap::Swap;

/// The protobuf messages of package `highwater.v1`, generated from `proto/`.
#[expect(missing_docs, reason = "generated code")]
pub mod proto {
    include!("generated.rs");
}

//! The only door to objects: put-if-absent, get, ranges, head, list, delete. Knows bytes and keys, no word of the domain.

pub mod conformance;
mod directory;
mod door;
mod error;
mod key;
mod memory;
pub mod metrics;
mod observed;
mod unreliable;

pub use directory::{Blocking, DirectoryStore};
pub use disk::Moment;
pub use door::{ListPage, ObjectMeta, Payload, Put, Store};
pub use error::StoreError;
pub use key::{KEY_BYTES, KeyError, SEGMENT_BYTES, check_key};
pub use memory::MemoryStore;
pub use observed::ObservedStore;
pub use unreliable::{Ends, Odds, UnreliableStore};

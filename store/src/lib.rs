//! The only door to objects: put-if-absent, get, ranges, head, list, delete. Knows bytes and keys, no word of the domain.

pub mod conformance;
mod directory;
mod door;
mod error;
mod key;
mod memory;

pub use directory::{Blocking, DirectoryStore};
pub use door::{ListPage, ObjectMeta, Payload, Put, Store};
pub use error::StoreError;
pub use key::{KEY_BYTES, KeyError, SEGMENT_BYTES, check_key};
pub use memory::MemoryStore;

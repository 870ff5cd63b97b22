//! The only door to objects: put-if-absent, get, ranges, head, list, delete. Knows bytes and keys, no word of the domain.

mod door;
mod error;

pub use door::{ListPage, ObjectMeta, Payload, Put, Store};
pub use error::StoreError;

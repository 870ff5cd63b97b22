//! The only door to objects: put-if-absent, get, ranges, head, list, delete. Knows bytes and keys, no word of the domain.

pub mod conformance;
mod crc32c;
mod directory;
mod door;
mod error;
mod key;
mod memory;
pub mod metrics;
mod observed;
#[cfg(feature = "s3")]
mod s3;
mod unreliable;

pub use crc32c::Crc32c;
pub use directory::{Blocking, DirectoryStore};
pub use disk::Moment;
pub use door::{ListPage, ObjectMeta, Payload, Put, Store};
pub use error::{CLOCK_SKEW, StoreError};
pub use key::{KEY_BYTES, KeyError, SEGMENT_BYTES, check_key};
pub use memory::MemoryStore;
pub use observed::ObservedStore;
#[cfg(feature = "s3")]
pub use s3::{S3Credentials, S3Encryption, S3OpenError, S3Settings, S3SettingsError, S3Store};
pub use unreliable::{Ends, Odds, UnreliableStore};

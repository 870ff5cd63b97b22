//! The door: the seven things that can be done to an object.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Crc32c, StoreError};

/// A place that keeps immutable objects under keys. Keys are `/`-separated, without empty, `.` or `..` segments.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Keeps an object under a key that has none. Once `Created` is answered the object survives power cuts, and it
    /// never becomes visible in part.
    ///
    /// # Errors
    /// [`StoreError::Determinate`] or [`StoreError::Indeterminate`].
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError>;

    /// The whole object.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or another when it could not be read.
    async fn get(&self, key: &str) -> Result<Bytes, StoreError>;

    /// Some of an object's bytes; less than asked for only where the object ends.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or another when it could not be read.
    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError>;

    /// An object's last bytes, at most `len` of them, and the length of the whole, in one request.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or another when it could not be read.
    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError>;

    /// What is known of an object without reading it, or `None` when there is none.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError>;

    /// The objects whose keys begin with `prefix`, in byte order of keys, after the key `after`.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError>;

    /// Removes an object. That there is none is no error.
    ///
    /// # Errors
    /// [`StoreError::Determinate`] or [`StoreError::Indeterminate`].
    async fn delete(&self, key: &str) -> Result<(), StoreError>;
}

/// What is put.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Bytes in memory.
    Bytes(Bytes),
    /// A whole file on the disk of this process, no longer written to. The store may take it over (link, not copy) and
    /// never removes it; a caller removes its own name when the put is done.
    /// After [`StoreError::File`] it must not be put again: after a failed sync its bytes can still be read, a second sync
    /// succeeds, and a power cut takes them all the same. Any other error says nothing about the file.
    File {
        /// Where it lies.
        path: PathBuf,
        /// Its length in bytes.
        len: u64,
        /// The checksum of its bytes as they were written, taken before the file system had them. A store that reads the file
        /// compares what it reads with this.
        crc: Crc32c,
    },
}

/// How a put ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// The object is there now, by this call.
    Created,
    /// Another object had that key; it was left as it is.
    AlreadyThere,
}

/// What is known of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Its key.
    pub key: String,
    /// Its length in bytes.
    pub len: u64,
}

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPage {
    /// The objects, in byte order of keys.
    pub objects: Vec<ObjectMeta>,
    /// Whether more may follow: ask again after the last key.
    pub more: bool,
}

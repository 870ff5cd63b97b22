//! Objects in memory, for tests and simulations. Nothing of it survives the process.

use std::collections::BTreeMap;
use std::io;
use std::ops::{Bound, Range};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use disk::{Disk, RealDisk};

use crate::{Crc32c, ListPage, ObjectMeta, Payload, Put, Store, StoreError, check_key};

/// Objects in memory. Clones share them.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    disk: Arc<dyn Disk>,
    objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
}

impl MemoryStore {
    /// An empty store that reads the files it is given from this disk, in the task that puts.
    pub fn new(disk: Arc<dyn Disk>) -> Self {
        Self {
            disk,
            objects: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        // Each change is one insert or remove: a panic leaves nothing half done.
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bytes_of(&self, key: &str) -> Result<Bytes, StoreError> {
        self.lock()
            .get(key)
            .cloned()
            .ok_or_else(|| StoreError::NotFound { key: key.to_owned() })
    }

    fn load(&self, path: &Path, len: u64, crc: Crc32c) -> io::Result<Bytes> {
        let file = self.disk.open_read(path)?;
        let found = file.len()?;
        if found != len {
            return Err(io::Error::other(format!(
                "the file to put has {found} bytes, {len} were announced: write it anew"
            )));
        }
        let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
        let read = file.read_at(&mut bytes, 0)?;
        bytes.truncate(read);
        if Crc32c::of(&bytes) != crc {
            return Err(io::Error::other(
                "what is read of the file to put is not what was written to it",
            ));
        }
        Ok(Bytes::from(bytes))
    }
}

impl Default for MemoryStore {
    /// An empty store that reads the files it is given from the file system of this machine.
    fn default() -> Self {
        Self::new(RealDisk::shared())
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        let failed = |cause: String| StoreError::Determinate {
            action: "put",
            key: key.to_owned(),
            cause,
        };
        check_key(key).map_err(|error| failed(error.to_string()))?;
        let bytes = match payload {
            Payload::Bytes(bytes) => bytes,
            Payload::File { path, len, crc } => {
                self.load(&path, len, crc).map_err(|error| StoreError::File {
                    key: key.to_owned(),
                    cause: error.to_string(),
                })?
            }
        };
        let mut objects = self.lock();
        if objects.contains_key(key) {
            return Ok(Put::AlreadyThere);
        }
        objects.insert(key.to_owned(), bytes);
        Ok(Put::Created)
    }

    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        self.bytes_of(key)
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        let bytes = self.bytes_of(key)?;
        let within = |at: u64| usize::try_from(at).map_or(bytes.len(), |at| at.min(bytes.len()));
        let (start, end) = (within(range.start), within(range.end));
        Ok(bytes.slice(start..end.max(start)))
    }

    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        let bytes = self.bytes_of(key)?;
        let skipped = usize::try_from(len).map_or(0, |len| bytes.len().saturating_sub(len));
        Ok((bytes.slice(skipped..), bytes.len() as u64))
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
        Ok(self.lock().get(key).map(|bytes| meta_of(key, bytes)))
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError> {
        let objects = self.lock();
        // Keys with the prefix lie side by side; the listing begins at the prefix or after the key, whichever is later.
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let mut found = objects
            .range::<str, _>((start, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix));
        let page = found.by_ref().take(limit).map(|(key, bytes)| meta_of(key, bytes));
        Ok(ListPage {
            objects: page.collect(),
            more: found.next().is_some(),
        })
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.lock().remove(key);
        Ok(())
    }
}

fn meta_of(key: &str, bytes: &Bytes) -> ObjectMeta {
    ObjectMeta {
        key: key.to_owned(),
        len: bytes.len() as u64,
    }
}

//! A store on which some objects lie on bad sectors: they are listed, and cannot be read.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use store::{ListPage, MemoryStore, ObjectMeta, Payload, Put, Store, StoreError};

/// A store of which some objects cannot be read.
#[derive(Debug)]
pub(super) struct BadSectors {
    inner: MemoryStore,
    bad: Mutex<BTreeSet<String>>,
    /// How often one of them was to be read.
    tries: Mutex<u64>,
}

impl BadSectors {
    /// In front of `inner`, under these objects.
    pub(super) fn under(inner: &MemoryStore, keys: &[String]) -> Arc<Self> {
        Arc::new(Self {
            inner: inner.clone(),
            bad: Mutex::new(keys.iter().cloned().collect()),
            tries: Mutex::default(),
        })
    }

    /// Under these objects from now on.
    pub(super) fn set(&self, keys: impl IntoIterator<Item = String>) {
        *self.bad() = keys.into_iter().collect();
    }

    /// How often it was tried to read one of them, since this was asked last.
    pub(super) fn take_tries(&self) -> u64 {
        std::mem::take(&mut *self.tries.lock().expect("a number"))
    }

    fn bad(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.bad.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, key: &str) -> Result<(), StoreError> {
        if !self.bad().contains(key) {
            return Ok(());
        }
        *self.tries.lock().expect("a number") += 1;
        Err(StoreError::Determinate {
            action: "get",
            key: key.to_owned(),
            cause: "input/output error".to_owned(),
        })
    }
}

#[async_trait::async_trait]
impl Store for BadSectors {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        self.inner.put_if_absent(key, payload).await
    }
    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        self.check(key)?;
        self.inner.get(key).await
    }
    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.check(key)?;
        self.inner.get_range(key, range).await
    }
    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        self.check(key)?;
        self.inner.get_tail(key, len).await
    }
    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
        self.inner.head(key).await
    }
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError> {
        self.inner.list(prefix, after, limit).await
    }
    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.inner.delete(key).await
    }
}

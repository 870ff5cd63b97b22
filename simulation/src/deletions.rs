//! What is deleted, as it was, and which of it had no right to go.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use index_schema::ChunkKey;
use store::{ListPage, ObjectMeta, Payload, Put, Store, StoreError};

use crate::Chunks;
use crate::found::chunk_of;

/// What was deleted so far. It outlives processes; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Deletions(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    chunks: Chunks,
    wrong: Vec<String>,
}

impl Deletions {
    /// Every chunk that somebody began to delete, as it was. Some of it may be there still.
    pub fn chunks(&self) -> Chunks {
        self.lock().chunks.clone()
    }

    /// Deletions that must not have been begun.
    pub fn wrong(&self) -> Vec<String> {
        self.lock().wrong.clone()
    }

    /// The same so far, and not from now on.
    #[must_use]
    pub fn copy(&self) -> Self {
        let State { chunks, wrong } = &*self.lock();
        Self(Arc::new(Mutex::new(State {
            chunks: chunks.clone(),
            wrong: wrong.clone(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a chunk may go now, and why it may not.
pub type MayGo = dyn Fn(&ChunkKey) -> Result<(), String> + Send + Sync;

/// A store that remembers what is deleted from it.
pub struct RememberingStore {
    inner: Arc<dyn Store>,
    deletions: Deletions,
    may_go: Box<MayGo>,
}

impl RememberingStore {
    /// This store, which remembers there.
    pub fn new(inner: Arc<dyn Store>, deletions: Deletions, may_go: Box<MayGo>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            deletions,
            may_go,
        })
    }

    /// Notes an object that is about to be deleted.
    async fn note(&self, key: &str) -> Result<(), StoreError> {
        let bytes = match self.inner.get(key).await {
            Err(StoreError::NotFound { .. }) => return Ok(()),
            read => read?,
        };
        let chunk = chunk_of(key, bytes);
        let may = ChunkKey::parse(key)
            .map_err(|error| error.to_string())
            .and_then(|key| (self.may_go)(&key));
        let mut state = self.deletions.lock();
        match chunk {
            Ok(chunk) => drop(state.chunks.insert(key.to_owned(), chunk)),
            Err(error) => state.wrong.push(format!("what is deleted is no chunk: {error}")),
        }
        if let Err(why) = may {
            state.wrong.push(format!("{key} must not be deleted: {why}"));
        }
        Ok(())
    }
}

impl fmt::Debug for RememberingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RememberingStore")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for RememberingStore {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        self.inner.put_if_absent(key, payload).await
    }
    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        self.inner.get(key).await
    }
    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.inner.get_range(key, range).await
    }
    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        self.inner.get_tail(key, len).await
    }
    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
        self.inner.head(key).await
    }
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError> {
        self.inner.list(prefix, after, limit).await
    }
    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.note(key).await?;
        self.inner.delete(key).await
    }
}

//! The store as the edge puts into it: not while the data directory is another one, in which the store's folder may lie, nor
//! while another process may work on the same log.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use service::task;
use store::{ListPage, ObjectMeta, Payload, Put, Store, StoreError};

use crate::log::names::{Lost, Names};

/// A store in front of another.
#[derive(Debug)]
pub(crate) struct PlacedStore {
    inner: Arc<dyn Store>,
    names: Arc<Names>,
}

impl PlacedStore {
    /// In front of `inner`, for the log with these names.
    pub(crate) const fn new(inner: Arc<dyn Store>, names: Arc<Names>) -> Self {
        Self { inner, names }
    }
}

#[async_trait]
impl Store for PlacedStore {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        if let Some(lost @ (Lost::Lock | Lost::Root)) = self.names.lost() {
            return Err(StoreError::Determinate {
                action: "put",
                key: key.to_owned(),
                cause: format!("nothing is put, for {}", lost.words()),
            });
        }
        let put = self.inner.put_if_absent(key, payload).await?;
        let names = Arc::clone(&self.names);
        match task::blocking(move || names.root_is_there()).await {
            true => Ok(put),
            // It may have become another one before the last look and this put.
            false => Err(StoreError::Indeterminate {
                action: "put",
                key: key.to_owned(),
                cause: Lost::Root.words().to_owned(),
            }),
        }
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
        self.inner.delete(key).await
    }
}

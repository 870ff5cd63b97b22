//! A store whose deletions can be interrupted before and after they happen.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use store::{ListPage, ObjectMeta, Payload, Put, Store, StoreError};

/// Passes everything on, and waits a turn around each deletion.
#[derive(Debug)]
pub(crate) struct YieldingStore(pub(crate) Arc<dyn Store>);

#[async_trait]
impl Store for YieldingStore {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        self.0.put_if_absent(key, payload).await
    }
    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        self.0.get(key).await
    }
    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.0.get_range(key, range).await
    }
    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        self.0.get_tail(key, len).await
    }
    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
        self.0.head(key).await
    }
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError> {
        self.0.list(prefix, after, limit).await
    }
    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        let deleted = self.0.delete(key).await;
        tokio::task::yield_now().await;
        deleted
    }
}

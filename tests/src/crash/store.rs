//! The door to objects, behind crash points.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use store::{ListPage, ObjectMeta, Payload, Put, Store, StoreError};

use super::points::CrashPoints;

/// A store behind crash points.
#[derive(Debug)]
pub struct CrashingStore {
    inner: Arc<dyn Store>,
    points: Arc<CrashPoints>,
}

impl CrashingStore {
    /// This store behind these points.
    pub fn new(inner: Arc<dyn Store>, points: Arc<CrashPoints>) -> Arc<Self> {
        Arc::new(Self { inner, points })
    }
}

fn crashed(action: &'static str, key: &str) -> StoreError {
    StoreError::Indeterminate {
        action,
        key: key.to_owned(),
        cause: "the process has died".to_owned(),
    }
}

#[async_trait]
impl Store for CrashingStore {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        let call = self.inner.put_if_absent(key, payload);
        self.points.around(call, crashed("put", key)).await
    }
    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        self.points.around(self.inner.get(key), crashed("get", key)).await
    }
    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        let call = self.inner.get_range(key, range);
        self.points.around(call, crashed("get", key)).await
    }
    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        let call = self.inner.get_tail(key, len);
        self.points.around(call, crashed("get", key)).await
    }
    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
        self.points
            .around(self.inner.head(key), crashed("head", key))
            .await
    }
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError> {
        let call = self.inner.list(prefix, after, limit);
        self.points.around(call, crashed("list", prefix)).await
    }
    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let call = self.inner.delete(key);
        self.points.around(call, crashed("delete", key)).await
    }
}

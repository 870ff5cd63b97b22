//! A store that counts what is asked of it. What the counters are called stands in `metrics.rs`.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::metrics::{count_bytes, count_request};
use crate::{ListPage, ObjectMeta, Payload, Put, Store, StoreError};

/// A store in front of another that counts requests and bytes.
#[derive(Clone, Debug)]
pub struct ObservedStore {
    inner: Arc<dyn Store>,
}

impl ObservedStore {
    /// In front of `inner`.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl Store for ObservedStore {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        let len = match &payload {
            Payload::Bytes(bytes) => bytes.len() as u64,
            Payload::File { len, .. } => *len,
        };
        let result = self.inner.put_if_absent(key, payload).await;
        let outcome = match &result {
            Ok(Put::Created) => {
                count_bytes("put", len);
                "ok"
            }
            Ok(Put::AlreadyThere) => "already_there",
            Err(error) => outcome_of(error),
        };
        count_request("put", outcome);
        result
    }

    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        read(self.inner.get(key).await, Bytes::len)
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        read(self.inner.get_range(key, range).await, Bytes::len)
    }

    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        read(self.inner.get_tail(key, len).await, |(bytes, _)| bytes.len())
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
        counted("head", self.inner.head(key).await)
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError> {
        counted("list", self.inner.list(prefix, after, limit).await)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        counted("delete", self.inner.delete(key).await)
    }
}

fn counted<T>(verb: &'static str, result: Result<T, StoreError>) -> Result<T, StoreError> {
    count_request(verb, result.as_ref().map_or_else(outcome_of, |_| "ok"));
    result
}

fn read<T>(result: Result<T, StoreError>, len: impl FnOnce(&T) -> usize) -> Result<T, StoreError> {
    if let Ok(read) = &result {
        count_bytes("get", len(read) as u64);
    }
    counted("get", result)
}

const fn outcome_of(error: &StoreError) -> &'static str {
    match error {
        StoreError::NotFound { .. } => "not_found",
        StoreError::Determinate { .. } | StoreError::File { .. } => "failed",
        StoreError::Indeterminate { .. } => "unclear",
    }
}

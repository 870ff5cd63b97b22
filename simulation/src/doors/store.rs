//! The door to objects, behind a gate.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use store::{ListPage, ObjectMeta, Payload, Put, Store, StoreError};

use super::gate::{Call, Gate, Shut, through};

/// A store behind a gate.
#[derive(Debug)]
pub struct CrashingStore {
    inner: Arc<dyn Store>,
    gate: Arc<dyn Gate>,
}

impl CrashingStore {
    /// This store behind this gate.
    pub fn new(inner: Arc<dyn Store>, gate: Arc<impl Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }

    async fn pass<T>(
        &self,
        verb: &'static str,
        key: &str,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let call = Call {
            door: "store",
            verb,
            key,
        };
        through(&*self.gate, call, work, |shut| {
            let key = key.to_owned();
            let cause = match shut {
                Shut::Dead => "the process has died".to_owned(),
                Shut::Refused | Shut::Unclear => "as the simulation has it".to_owned(),
            };
            match shut {
                Shut::Refused => StoreError::Determinate {
                    action: verb,
                    key,
                    cause,
                },
                Shut::Dead | Shut::Unclear => StoreError::Indeterminate {
                    action: verb,
                    key,
                    cause,
                },
            }
        })
        .await
    }
}

#[async_trait]
impl Store for CrashingStore {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        self.pass("put", key, self.inner.put_if_absent(key, payload))
            .await
    }
    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        self.pass("get", key, self.inner.get(key)).await
    }
    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.pass("get", key, self.inner.get_range(key, range)).await
    }
    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        self.pass("get", key, self.inner.get_tail(key, len)).await
    }
    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
        self.pass("head", key, self.inner.head(key)).await
    }
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError> {
        self.pass("list", prefix, self.inner.list(prefix, after, limit))
            .await
    }
    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.pass("delete", key, self.inner.delete(key)).await
    }
}

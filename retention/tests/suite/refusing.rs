//! A store and aggregates that do not delete.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex};

use aggregate_store::{
    AggregateError, Below, BelowOfSource, DayBytes, DeletePlace, Deleted, RetainAggregates,
};
use async_trait::async_trait;
use bytes::Bytes;
use ping::SubmissionDate;
use store::{ListPage, ObjectMeta, Payload, Put, Store, StoreError};

/// Passes everything on but the deletion of some keys, which it refuses as a store does that denies it.
#[derive(Debug)]
pub(crate) struct RefusingStore {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) refuses: Arc<Mutex<BTreeSet<String>>>,
}

#[async_trait]
impl Store for RefusingStore {
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
        if self.refuses.lock().expect("never poisoned").contains(key) {
            return Err(StoreError::Determinate {
                action: "delete",
                key: key.to_owned(),
                cause: "denied".to_owned(),
            });
        }
        self.inner.delete(key).await
    }
}

/// Aggregates that say they deleted, and have all that they had.
#[derive(Debug)]
pub(crate) struct StubbornAggregates(pub(crate) Arc<dyn RetainAggregates>);

#[async_trait]
impl RetainAggregates for StubbornAggregates {
    async fn delete_below(&self, _: &Below, _: DeletePlace) -> Result<Deleted, AggregateError> {
        Ok(Deleted::default())
    }
    async fn delete_of_sources(&self, _: &[BelowOfSource]) -> Result<Deleted, AggregateError> {
        Ok(Deleted::default())
    }
    async fn days_of_sources(
        &self,
        sources: &[String],
    ) -> Result<BTreeMap<String, BTreeSet<SubmissionDate>>, AggregateError> {
        self.0.days_of_sources(sources).await
    }
    async fn days(&self) -> Result<Vec<SubmissionDate>, AggregateError> {
        self.0.days().await
    }
    async fn day_bytes(&self) -> Result<Vec<DayBytes>, AggregateError> {
        self.0.day_bytes().await
    }
    async fn copy_bytes(&self) -> Result<Vec<DayBytes>, AggregateError> {
        self.0.copy_bytes().await
    }
}

//! The doors to the aggregates, behind crash points.

use std::fmt;
use std::sync::Arc;

use aggregate_store::{
    AggregateError, AggregateReads, AggregateStore, Batch, CellQuery, Committed, DateClock, ErroredRow,
    FilterOptions, FoldVersion, SeenIds, SeenRow, SeriesRow, Status, UserDay, UserQuery, VersionDate,
};
use async_trait::async_trait;
use ping::{ChunkId, DocumentKey, RecordId};
use tokio::sync::mpsc;

use super::points::CrashPoints;

/// Aggregates behind crash points.
pub struct CrashingAggregates {
    inner: Arc<dyn AggregateStore>,
    points: Arc<CrashPoints>,
}

impl CrashingAggregates {
    /// These aggregates behind these points.
    pub fn new(inner: Arc<dyn AggregateStore>, points: Arc<CrashPoints>) -> Arc<Self> {
        Arc::new(Self { inner, points })
    }
}

impl fmt::Debug for CrashingAggregates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrashingAggregates")
            .field("points", &self.points)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl AggregateStore for CrashingAggregates {
    async fn commit(&self, batch: Batch) -> Result<Committed, AggregateError> {
        self.points
            .around(self.inner.commit(batch), AggregateError::Ended)
            .await
    }
    async fn folded(&self, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        self.points
            .around(self.inner.folded(chunks), AggregateError::Ended)
            .await
    }
    async fn folded_ids(&self, after: Option<ChunkId>, limit: usize) -> Result<Vec<ChunkId>, AggregateError> {
        self.points
            .around(self.inner.folded_ids(after, limit), AggregateError::Ended)
            .await
    }
    async fn fold_version(&self) -> Result<Option<FoldVersion>, AggregateError> {
        self.points
            .around(self.inner.fold_version(), AggregateError::Ended)
            .await
    }
    async fn set_fold_version(&self, version: &FoldVersion) -> Result<(), AggregateError> {
        self.points
            .around(self.inner.set_fold_version(version), AggregateError::Ended)
            .await
    }
}

#[async_trait]
impl SeenIds for CrashingAggregates {
    async fn seen(&self, documents: &[DocumentKey]) -> Result<Vec<SeenRow>, AggregateError> {
        self.points
            .around(self.inner.seen(documents), AggregateError::Ended)
            .await
    }
}

/// Nobody who folds asks these; they are passed on.
#[async_trait]
impl AggregateReads for CrashingAggregates {
    async fn channels(&self, clock: DateClock) -> Result<Vec<String>, AggregateError> {
        self.inner.channels(clock).await
    }
    async fn dates(&self, clock: DateClock, channel: &str) -> Result<Vec<VersionDate>, AggregateError> {
        self.inner.dates(clock, channel).await
    }
    async fn filter_options(&self, channel: &str, version: &str) -> Result<FilterOptions, AggregateError> {
        self.inner.filter_options(channel, version).await
    }
    async fn series(&self, query: &CellQuery) -> Result<Vec<SeriesRow>, AggregateError> {
        self.inner.series(query).await
    }
    async fn users(&self, query: &UserQuery) -> Result<Vec<UserDay>, AggregateError> {
        self.inner.users(query).await
    }
    async fn status(&self) -> Result<Status, AggregateError> {
        self.inner.status().await
    }
    async fn errored(
        &self,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<ErroredRow>, AggregateError> {
        self.inner.errored(after, limit).await
    }
    async fn dump(&self, lines: mpsc::Sender<String>) -> Result<(), AggregateError> {
        self.inner.dump(lines).await
    }
}

//! Doors to databases that lead nowhere from a chosen call on, as if the process had died there.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aggregate_store::{
    AggregateError, AggregateReads, AggregateStore, Batch, CellQuery, Committed, DateClock, ErroredRow,
    FilterOptions, FoldVersion, SeenIds, SeenRow, SeriesRow, Status, UserDay, UserQuery, VersionDate,
};
use async_trait::async_trait;
use disk::Moment;
use index_schema::{
    Index, IndexEntry, IndexError, IndexTotals, Inserted, PendingChunk, ProductCount, Selection, SetAside,
};
use ping::{ChunkId, DocumentKey, RecordId};
use tokio::sync::mpsc;

/// Counts calls, and ends all of them from a chosen one on.
#[derive(Debug)]
pub struct CrashPoints {
    calls: AtomicU64,
    at: u64,
    moment: Moment,
}

impl CrashPoints {
    /// No crash.
    pub fn none() -> Arc<Self> {
        Self::at(u64::MAX, Moment::Before)
    }

    /// A crash before or after the `call`th call takes effect. The first is 1.
    pub fn at(call: u64, moment: Moment) -> Arc<Self> {
        Arc::new(Self {
            calls: AtomicU64::new(0),
            at: call,
            moment,
        })
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// Whether the crash has happened.
    pub fn crashed(&self) -> bool {
        self.calls() >= self.at
    }

    async fn around<T, E>(&self, call: impl Future<Output = Result<T, E>>, crashed: E) -> Result<T, E> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if number > self.at || (number == self.at && self.moment == Moment::Before) {
            return Err(crashed);
        }
        let result = call.await;
        if number == self.at { Err(crashed) } else { result }
    }
}

/// An index behind crash points.
pub struct CrashingIndex {
    inner: Arc<dyn Index>,
    points: Arc<CrashPoints>,
}

/// Aggregates behind crash points.
pub struct CrashingAggregates {
    inner: Arc<dyn AggregateStore>,
    points: Arc<CrashPoints>,
}

impl CrashingIndex {
    /// This index behind these points.
    pub fn new(inner: Arc<dyn Index>, points: Arc<CrashPoints>) -> Arc<Self> {
        Arc::new(Self { inner, points })
    }
}

impl CrashingAggregates {
    /// These aggregates behind these points.
    pub fn new(inner: Arc<dyn AggregateStore>, points: Arc<CrashPoints>) -> Arc<Self> {
        Arc::new(Self { inner, points })
    }
}

impl fmt::Debug for CrashingIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrashingIndex")
            .field("points", &self.points)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CrashingAggregates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrashingAggregates")
            .field("points", &self.points)
            .finish_non_exhaustive()
    }
}

const NO_INDEX: IndexError = IndexError::Closed;

fn no_aggregates() -> AggregateError {
    AggregateError::Ended
}

#[async_trait]
impl Index for CrashingIndex {
    async fn insert(&self, entries: &[IndexEntry]) -> Result<Inserted, IndexError> {
        self.points.around(self.inner.insert(entries), NO_INDEX).await
    }
    async fn contains(&self, keys: &[String]) -> Result<Vec<bool>, IndexError> {
        self.points.around(self.inner.contains(keys), NO_INDEX).await
    }
    async fn pending(&self, limit: usize) -> Result<Vec<PendingChunk>, IndexError> {
        self.points.around(self.inner.pending(limit), NO_INDEX).await
    }
    async fn settle(&self, folded: &[ChunkId]) -> Result<(), IndexError> {
        self.points.around(self.inner.settle(folded), NO_INDEX).await
    }
    async fn make_pending(&self, chunks: Option<&[ChunkId]>) -> Result<u64, IndexError> {
        self.points
            .around(self.inner.make_pending(chunks), NO_INDEX)
            .await
    }
    async fn fail(&self, chunk: ChunkId, reason: &str) -> Result<u32, IndexError> {
        self.points.around(self.inner.fail(chunk, reason), NO_INDEX).await
    }
    async fn note_unreadable(&self, key: &str, reason: &str) -> Result<(), IndexError> {
        self.points
            .around(self.inner.note_unreadable(key, reason), NO_INDEX)
            .await
    }
    async fn set_aside(&self) -> Result<Vec<SetAside>, IndexError> {
        self.points.around(self.inner.set_aside(), NO_INDEX).await
    }
    async fn generation(&self) -> Result<u64, IndexError> {
        self.points.around(self.inner.generation(), NO_INDEX).await
    }
    async fn set_generation(&self, generation: u64) -> Result<(), IndexError> {
        self.points
            .around(self.inner.set_generation(generation), NO_INDEX)
            .await
    }
    async fn select(
        &self,
        selection: &Selection,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<IndexEntry>, IndexError> {
        self.points
            .around(self.inner.select(selection, after, limit), NO_INDEX)
            .await
    }
    async fn entry(&self, chunk: ChunkId) -> Result<Option<IndexEntry>, IndexError> {
        self.points.around(self.inner.entry(chunk), NO_INDEX).await
    }
    async fn totals(&self) -> Result<IndexTotals, IndexError> {
        self.points.around(self.inner.totals(), NO_INDEX).await
    }
    async fn products(&self) -> Result<Vec<ProductCount>, IndexError> {
        self.points.around(self.inner.products(), NO_INDEX).await
    }
}

#[async_trait]
impl AggregateStore for CrashingAggregates {
    async fn commit(&self, batch: Batch) -> Result<Committed, AggregateError> {
        self.points
            .around(self.inner.commit(batch), no_aggregates())
            .await
    }
    async fn folded(&self, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        self.points
            .around(self.inner.folded(chunks), no_aggregates())
            .await
    }
    async fn folded_ids(&self, after: Option<ChunkId>, limit: usize) -> Result<Vec<ChunkId>, AggregateError> {
        self.points
            .around(self.inner.folded_ids(after, limit), no_aggregates())
            .await
    }
    async fn fold_version(&self) -> Result<Option<FoldVersion>, AggregateError> {
        self.points
            .around(self.inner.fold_version(), no_aggregates())
            .await
    }
    async fn set_fold_version(&self, version: &FoldVersion) -> Result<(), AggregateError> {
        self.points
            .around(self.inner.set_fold_version(version), no_aggregates())
            .await
    }
}

#[async_trait]
impl SeenIds for CrashingAggregates {
    async fn seen(&self, documents: &[DocumentKey]) -> Result<Vec<SeenRow>, AggregateError> {
        self.points
            .around(self.inner.seen(documents), no_aggregates())
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

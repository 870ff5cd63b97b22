//! The door to the index, behind crash points.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use index_schema::{
    Index, IndexEntry, IndexError, IndexTotals, Inserted, PendingChunk, ProductCount, Selection, SetAside,
};
use ping::ChunkId;

use super::points::CrashPoints;

/// An index behind crash points.
pub struct CrashingIndex {
    inner: Arc<dyn Index>,
    points: Arc<CrashPoints>,
}

impl CrashingIndex {
    /// This index behind these points.
    pub fn new(inner: Arc<dyn Index>, points: Arc<CrashPoints>) -> Arc<Self> {
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

#[async_trait]
impl Index for CrashingIndex {
    async fn insert(&self, entries: &[IndexEntry]) -> Result<Inserted, IndexError> {
        self.points
            .around(self.inner.insert(entries), IndexError::Closed)
            .await
    }
    async fn contains(&self, keys: &[String]) -> Result<Vec<bool>, IndexError> {
        self.points
            .around(self.inner.contains(keys), IndexError::Closed)
            .await
    }
    async fn pending(&self, limit: usize) -> Result<Vec<PendingChunk>, IndexError> {
        self.points
            .around(self.inner.pending(limit), IndexError::Closed)
            .await
    }
    async fn settle(&self, folded: &[ChunkId]) -> Result<(), IndexError> {
        self.points
            .around(self.inner.settle(folded), IndexError::Closed)
            .await
    }
    async fn make_pending(&self, chunks: Option<&[ChunkId]>) -> Result<u64, IndexError> {
        self.points
            .around(self.inner.make_pending(chunks), IndexError::Closed)
            .await
    }
    async fn fail(&self, chunk: ChunkId, reason: &str) -> Result<u32, IndexError> {
        self.points
            .around(self.inner.fail(chunk, reason), IndexError::Closed)
            .await
    }
    async fn note_unreadable(&self, key: &str, reason: &str) -> Result<(), IndexError> {
        self.points
            .around(self.inner.note_unreadable(key, reason), IndexError::Closed)
            .await
    }
    async fn set_aside(&self) -> Result<Vec<SetAside>, IndexError> {
        self.points
            .around(self.inner.set_aside(), IndexError::Closed)
            .await
    }
    async fn generation(&self) -> Result<u64, IndexError> {
        self.points
            .around(self.inner.generation(), IndexError::Closed)
            .await
    }
    async fn set_generation(&self, generation: u64) -> Result<(), IndexError> {
        self.points
            .around(self.inner.set_generation(generation), IndexError::Closed)
            .await
    }
    async fn select(
        &self,
        selection: &Selection,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<IndexEntry>, IndexError> {
        self.points
            .around(self.inner.select(selection, after, limit), IndexError::Closed)
            .await
    }
    async fn entry(&self, chunk: ChunkId) -> Result<Option<IndexEntry>, IndexError> {
        self.points
            .around(self.inner.entry(chunk), IndexError::Closed)
            .await
    }
    async fn totals(&self) -> Result<IndexTotals, IndexError> {
        self.points.around(self.inner.totals(), IndexError::Closed).await
    }
    async fn products(&self) -> Result<Vec<ProductCount>, IndexError> {
        self.points
            .around(self.inner.products(), IndexError::Closed)
            .await
    }
}

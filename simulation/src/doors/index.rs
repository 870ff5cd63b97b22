//! The door to the index, behind a gate.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use index_schema::{
    AllFloors, ChunkKey, ChunkKind, ExpiredPlace, ExpiredSlice, Floors, Forgotten, Index, IndexEntry,
    IndexError, IndexTotals, Inserted, Lowered, PartitionCount, PartitionOrder, PendingChunk, ProductList,
    Raised, RaisedSources, RetainIndex, SeenDays, SeenSources, Selection, SetAside, SourceFloors, StoredDay,
    Swap, Tombstone,
};
use ping::{ChunkId, SubmissionDate, Timestamp};

use super::gate::{Call, Gate, Shut, through};

/// An index behind a gate.
pub struct CrashingIndex {
    inner: Arc<dyn RetainIndex>,
    gate: Arc<dyn Gate>,
}

impl CrashingIndex {
    /// This index behind this gate.
    pub fn new(inner: Arc<dyn RetainIndex>, gate: Arc<impl Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }
}

impl CrashingIndex {
    async fn pass<T>(
        &self,
        verb: &'static str,
        work: impl Future<Output = Result<T, IndexError>> + Send,
    ) -> Result<T, IndexError> {
        let call = Call {
            door: "index",
            verb,
            key: "",
        };
        through(&*self.gate, call, work, |shut| match shut {
            Shut::Dead => IndexError::Closed,
            Shut::Refused | Shut::Unclear => {
                IndexError::Database("refused, as the simulation has it".to_owned())
            }
        })
        .await
    }
}

impl fmt::Debug for CrashingIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrashingIndex")
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Index for CrashingIndex {
    async fn insert(&self, entries: &[IndexEntry]) -> Result<Inserted, IndexError> {
        self.pass("insert", self.inner.insert(entries)).await
    }
    async fn contains(&self, keys: &[String]) -> Result<Vec<bool>, IndexError> {
        self.pass("contains", self.inner.contains(keys)).await
    }
    async fn pending(&self, limit: usize) -> Result<Vec<PendingChunk>, IndexError> {
        self.pass("pending", self.inner.pending(limit)).await
    }
    async fn settle(&self, folded: &[ChunkId]) -> Result<(), IndexError> {
        self.pass("settle", self.inner.settle(folded)).await
    }
    async fn make_pending(&self, chunks: Option<&[ChunkId]>) -> Result<u64, IndexError> {
        self.pass("make_pending", self.inner.make_pending(chunks)).await
    }
    async fn fail(&self, chunk: ChunkId, reason: &str) -> Result<u32, IndexError> {
        self.pass("fail", self.inner.fail(chunk, reason)).await
    }
    async fn note_unreadable(&self, key: &str, reason: &str) -> Result<bool, IndexError> {
        self.pass("note_unreadable", self.inner.note_unreadable(key, reason))
            .await
    }
    async fn clear_gone(&self, keys: &[String]) -> Result<u64, IndexError> {
        self.pass("clear_gone", self.inner.clear_gone(keys)).await
    }
    async fn floors(&self) -> Result<Floors, IndexError> {
        self.pass("floors", self.inner.floors()).await
    }
    async fn all_floors(&self) -> Result<AllFloors, IndexError> {
        self.pass("all_floors", self.inner.all_floors()).await
    }
    async fn set_aside(&self) -> Result<Vec<SetAside>, IndexError> {
        self.pass("set_aside", self.inner.set_aside()).await
    }
    async fn partitions(
        &self,
        order: PartitionOrder,
        from: usize,
        limit: usize,
    ) -> Result<Vec<PartitionCount>, IndexError> {
        self.pass("partitions", self.inner.partitions(order, from, limit))
            .await
    }
    async fn generation(&self) -> Result<u64, IndexError> {
        self.pass("generation", self.inner.generation()).await
    }
    async fn set_generation(&self, swap: Swap) -> Result<bool, IndexError> {
        self.pass("set_generation", self.inner.set_generation(swap)).await
    }
    async fn select(
        &self,
        selection: &Selection,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<IndexEntry>, IndexError> {
        self.pass("select", self.inner.select(selection, after, limit))
            .await
    }
    async fn explain(&self, selection: &Selection, limit: usize) -> Result<String, IndexError> {
        self.pass("explain", self.inner.explain(selection, limit)).await
    }
    async fn entry(&self, chunk: ChunkId) -> Result<Option<IndexEntry>, IndexError> {
        self.pass("entry", self.inner.entry(chunk)).await
    }
    async fn totals(&self) -> Result<IndexTotals, IndexError> {
        self.pass("totals", self.inner.totals()).await
    }
    async fn products(&self, limit: usize) -> Result<ProductList, IndexError> {
        self.pass("products", self.inner.products(limit)).await
    }
}

#[async_trait]
impl RetainIndex for CrashingIndex {
    async fn raise_floors(&self, to: Floors, seen: Option<&SeenDays>) -> Result<Raised, IndexError> {
        self.pass("raise_floors", self.inner.raise_floors(to, seen)).await
    }
    async fn lower_floors(&self, to: SubmissionDate) -> Result<Lowered, IndexError> {
        self.pass("lower_floors", self.inner.lower_floors(to)).await
    }
    async fn raise_source_floors(
        &self,
        to: &SourceFloors,
        seen: Option<&SeenSources>,
    ) -> Result<RaisedSources, IndexError> {
        self.pass("raise_source_floors", self.inner.raise_source_floors(to, seen))
            .await
    }
    async fn days_of_sources(
        &self,
        sources: &[String],
    ) -> Result<BTreeMap<String, Vec<StoredDay>>, IndexError> {
        self.pass("days_of_sources", self.inner.days_of_sources(sources))
            .await
    }
    async fn days(&self, kind: ChunkKind) -> Result<Vec<StoredDay>, IndexError> {
        self.pass("days", self.inner.days(kind)).await
    }
    async fn expired(&self, from: &ExpiredPlace, limit: usize) -> Result<ExpiredSlice, IndexError> {
        self.pass("expired", self.inner.expired(from, limit)).await
    }
    async fn remove(&self, keys: &[String]) -> Result<(), IndexError> {
        self.pass("remove", self.inner.remove(keys)).await
    }
    async fn forget(&self, key: &ChunkKey, why: &str, now: Timestamp) -> Result<Forgotten, IndexError> {
        self.pass("forget", self.inner.forget(key, why, now)).await
    }
    async fn tombstones(&self) -> Result<Vec<Tombstone>, IndexError> {
        self.pass("tombstones", self.inner.tombstones()).await
    }
}

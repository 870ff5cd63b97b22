//! The doors to the aggregates, behind a gate.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aggregate_store::{
    AboutSource, AggregateError, AggregateReads, AggregateStore, Batch, Bounds, CellQuery, Committed,
    DateClock, Dimension, Epochs, ErroredRow, Filter, FilterOptions, Flip, Flipped, FoldVersion, HeldSize,
    Kept, LayerStatus, Listed, Persisted, Rebuild, RebuildWish, Rebuilds, SeenIds, SeenRow, Series, Source,
    SourcePings, Status, StoredMetric, UserDay, UserQuery, ValueOf, VersionDate,
};
use async_trait::async_trait;
use ping::{ChunkId, DocumentKey, RecordId};
use tokio::sync::mpsc;

use super::gate::{Call, Gate, Shut, through};

/// Aggregates behind a gate.
pub struct CrashingAggregates {
    inner: Arc<dyn AggregateStore>,
    gate: Arc<dyn Gate>,
}

impl CrashingAggregates {
    /// These aggregates behind this gate.
    pub fn new(inner: Arc<dyn AggregateStore>, gate: Arc<impl Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }
}

impl CrashingAggregates {
    async fn pass<T>(
        &self,
        verb: &'static str,
        work: impl Future<Output = Result<T, AggregateError>> + Send,
    ) -> Result<T, AggregateError> {
        pass(&*self.gate, verb, work).await
    }
}

/// Makes a call of the aggregates through a gate.
pub(super) async fn pass<T>(
    gate: &dyn Gate,
    verb: &'static str,
    work: impl Future<Output = Result<T, AggregateError>> + Send,
) -> Result<T, AggregateError> {
    let call = Call {
        door: "aggregates",
        verb,
        key: "",
    };
    through(gate, call, work, |shut| match shut {
        Shut::Dead => AggregateError::Ended,
        Shut::Refused | Shut::Unclear => AggregateError::Database {
            doing: verb,
            source: "refused, as the simulation has it".into(),
        },
    })
    .await
}

impl fmt::Debug for CrashingAggregates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrashingAggregates")
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl AggregateStore for CrashingAggregates {
    async fn commit(&self, batch: Batch) -> Result<Committed, AggregateError> {
        self.pass("commit", self.inner.commit(batch)).await
    }
    async fn hold(&self, batch: Batch, drops: u64) -> Result<Kept, AggregateError> {
        self.pass("hold", self.inner.hold(batch, drops)).await
    }
    async fn persist(&self) -> Result<Persisted, AggregateError> {
        self.pass("persist", self.inner.persist()).await
    }
    fn held(&self) -> HeldSize {
        self.inner.held()
    }
    async fn written(&self, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        self.pass("written", self.inner.written(chunks)).await
    }
    async fn folded(&self, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        self.pass("folded", self.inner.folded(chunks)).await
    }
    async fn folded_ids(&self, after: Option<ChunkId>, limit: usize) -> Result<Vec<ChunkId>, AggregateError> {
        self.pass("folded_ids", self.inner.folded_ids(after, limit)).await
    }
    async fn fold_version(&self) -> Result<Option<FoldVersion>, AggregateError> {
        self.pass("fold_version", self.inner.fold_version()).await
    }
    async fn set_fold_version(&self, version: &FoldVersion) -> Result<(), AggregateError> {
        self.pass("set_fold_version", self.inner.set_fold_version(version))
            .await
    }
    async fn replace_fold_version(
        &self,
        known: &FoldVersion,
        version: &FoldVersion,
    ) -> Result<(), AggregateError> {
        let call = self.inner.replace_fold_version(known, version);
        self.pass("replace_fold_version", call).await
    }
    async fn retried(&self, chunks: &[ChunkId]) -> Result<Vec<u64>, AggregateError> {
        self.pass("retried", self.inner.retried(chunks)).await
    }
}

/// What is asked before each batch fails with the question after it; it is passed on.
#[async_trait]
impl Rebuilds for CrashingAggregates {
    async fn epochs(&self) -> Result<Epochs, AggregateError> {
        self.inner.epochs().await
    }
    async fn source_rules(&self) -> Result<BTreeMap<String, String>, AggregateError> {
        self.inner.source_rules().await
    }
    async fn adopt_rules(&self, source: &Source, rules: &str) -> Result<bool, AggregateError> {
        self.pass("adopt_rules", self.inner.adopt_rules(source, rules))
            .await
    }
    async fn rebuilds(&self) -> Result<Vec<Rebuild>, AggregateError> {
        self.inner.rebuilds().await
    }
    async fn begin_rebuild(&self, wish: &RebuildWish) -> Result<Rebuild, AggregateError> {
        self.pass("begin_rebuild", self.inner.begin_rebuild(wish)).await
    }
    async fn give_up_rebuild(&self, epoch: u32) -> Result<(), AggregateError> {
        self.pass("give_up_rebuild", self.inner.give_up_rebuild(epoch))
            .await
    }
    async fn rebuilt(&self, epoch: u32, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        self.pass("rebuilt", self.inner.rebuilt(epoch, chunks)).await
    }
    async fn put_into_use(&self, flip: &Flip) -> Result<Flipped, AggregateError> {
        self.pass("put_into_use", self.inner.put_into_use(flip)).await
    }
    async fn remove_unused(&self) -> Result<bool, AggregateError> {
        self.pass("remove_unused", self.inner.remove_unused()).await
    }
}

#[async_trait]
impl SeenIds for CrashingAggregates {
    async fn seen(&self, documents: &[DocumentKey]) -> Result<Vec<SeenRow>, AggregateError> {
        self.pass("seen", self.inner.seen(documents)).await
    }
}

/// Nobody who folds asks these; they are passed on.
#[async_trait]
impl AggregateReads for CrashingAggregates {
    async fn channels(&self, source: &Source, limit: usize) -> Result<Listed<String>, AggregateError> {
        self.inner.channels(source, limit).await
    }
    async fn dates(
        &self,
        source: &Source,
        clock: DateClock,
        channel: &str,
        limit: usize,
    ) -> Result<Listed<VersionDate>, AggregateError> {
        self.inner.dates(source, clock, channel, limit).await
    }
    async fn filter_options(
        &self,
        source: &Source,
        channel: &str,
        version: &str,
        limit: usize,
    ) -> Result<FilterOptions, AggregateError> {
        self.inner.filter_options(source, channel, version, limit).await
    }
    async fn values_of(
        &self,
        query: &CellQuery,
        of: ValueOf,
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        self.inner.values_of(query, of, limit).await
    }
    async fn series(&self, query: &CellQuery, bounds: Bounds) -> Result<Series, AggregateError> {
        self.inner.series(query, bounds).await
    }
    async fn sources(&self, limit: usize) -> Result<Listed<Source>, AggregateError> {
        self.inner.sources(limit).await
    }
    async fn about(&self, source: &Source) -> Result<Option<AboutSource>, AggregateError> {
        self.inner.about(source).await
    }
    async fn dimension_values(
        &self,
        source: &Source,
        dimension: &Dimension,
        filters: &[Filter],
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        self.inner
            .dimension_values(source, dimension, filters, limit)
            .await
    }
    async fn metrics(
        &self,
        source: &Source,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StoredMetric>, AggregateError> {
        self.inner.metrics(source, after, limit).await
    }
    async fn user_groups(&self, query: &UserQuery, limit: usize) -> Result<Listed<String>, AggregateError> {
        self.inner.user_groups(query, limit).await
    }
    async fn users(&self, query: &UserQuery, limit: usize) -> Result<Vec<UserDay>, AggregateError> {
        self.inner.users(query, limit).await
    }
    async fn layer(&self) -> Result<LayerStatus, AggregateError> {
        self.inner.layer().await
    }
    async fn source_pings(&self, limit: usize) -> Result<Listed<SourcePings>, AggregateError> {
        self.inner.source_pings(limit).await
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

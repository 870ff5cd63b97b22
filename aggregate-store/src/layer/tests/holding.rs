//! A store that holds what it is told to commit, and persists as it was told: never, always, or now and then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use ping::{ChunkId, DocumentKey, RecordId};
use tokio::sync::mpsc;

use crate::{
    AboutSource, AggregateError, AggregateReads, AggregateStore, Batch, Bounds, CellQuery, Committed,
    DateClock, Dimension, Epochs, ErroredRow, Filter, FilterOptions, Flip, Flipped, FoldVersion, Kept,
    LayerStatus, LayeredAggregates, Listed, Persisted, Rebuild, RebuildWish, Rebuilds, SeenIds, SeenRow,
    Series, Source, SourcePings, Status, StoredMetric, UserDay, UserQuery, ValueOf, VersionDate,
};

/// When what is held is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    Never,
    Always,
    /// After every second batch on average, by this seed.
    NowAndThen(u64),
}

#[derive(Debug)]
pub(super) struct Holding {
    pub(super) layered: Arc<LayeredAggregates>,
    when: When,
    dice: AtomicU64,
}

impl Holding {
    pub(super) fn new(layered: Arc<LayeredAggregates>, when: When) -> Self {
        let seed = match when {
            When::NowAndThen(seed) => seed,
            When::Never | When::Always => 0,
        };
        Self {
            layered,
            when,
            dice: AtomicU64::new(seed),
        }
    }

    fn is_time(&self) -> bool {
        let step = |dice: u64| dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let dice = self
            .dice
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |dice| Some(step(dice)));
        match self.when {
            When::Never => false,
            When::Always => true,
            When::NowAndThen(_) => dice.is_ok_and(|dice| step(dice) >> 63 == 1),
        }
    }
}

#[async_trait]
impl AggregateStore for Holding {
    async fn commit(&self, batch: Batch) -> Result<Committed, AggregateError> {
        let drops = self.layered.held().drops;
        let kept = self.layered.hold(batch, drops).await?;
        if self.is_time() {
            let persisted = self.layered.persist().await?;
            assert!(!matches!(persisted, Persisted::Dropped(_)), "nobody else writes");
        }
        match kept {
            Kept::Held | Kept::Written => Ok(Committed::Written),
            Kept::AlreadyFolded(chunks) => Ok(Committed::AlreadyFolded(chunks)),
            Kept::Outdated => Ok(Committed::Outdated),
        }
    }
    async fn persist(&self) -> Result<Persisted, AggregateError> {
        self.layered.persist().await
    }
    async fn folded(&self, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        self.layered.folded(chunks).await
    }
    async fn folded_ids(&self, after: Option<ChunkId>, limit: usize) -> Result<Vec<ChunkId>, AggregateError> {
        self.layered.folded_ids(after, limit).await
    }
    async fn fold_version(&self) -> Result<Option<FoldVersion>, AggregateError> {
        self.layered.fold_version().await
    }
    async fn set_fold_version(&self, version: &FoldVersion) -> Result<(), AggregateError> {
        self.layered.set_fold_version(version).await
    }
    async fn replace_fold_version(
        &self,
        known: &FoldVersion,
        version: &FoldVersion,
    ) -> Result<(), AggregateError> {
        self.layered.replace_fold_version(known, version).await
    }
    async fn retried(&self, chunks: &[ChunkId]) -> Result<Vec<u64>, AggregateError> {
        self.layered.retried(chunks).await
    }
}

#[async_trait]
impl Rebuilds for Holding {
    async fn epochs(&self) -> Result<Epochs, AggregateError> {
        self.layered.epochs().await
    }
    async fn source_rules(&self) -> Result<BTreeMap<String, String>, AggregateError> {
        self.layered.source_rules().await
    }
    async fn adopt_rules(&self, source: &Source, rules: &str) -> Result<bool, AggregateError> {
        self.layered.adopt_rules(source, rules).await
    }
    async fn rebuilds(&self) -> Result<Vec<Rebuild>, AggregateError> {
        self.layered.rebuilds().await
    }
    async fn begin_rebuild(&self, wish: &RebuildWish) -> Result<Rebuild, AggregateError> {
        self.layered.begin_rebuild(wish).await
    }
    async fn give_up_rebuild(&self, epoch: u32) -> Result<(), AggregateError> {
        self.layered.give_up_rebuild(epoch).await
    }
    async fn rebuilt(&self, epoch: u32, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        self.layered.rebuilt(epoch, chunks).await
    }
    async fn put_into_use(&self, flip: &Flip) -> Result<Flipped, AggregateError> {
        self.layered.put_into_use(flip).await
    }
    async fn remove_unused(&self) -> Result<bool, AggregateError> {
        self.layered.remove_unused().await
    }
}

#[async_trait]
impl SeenIds for Holding {
    async fn seen(&self, documents: &[DocumentKey]) -> Result<Vec<SeenRow>, AggregateError> {
        self.layered.seen(documents).await
    }
}

#[async_trait]
impl AggregateReads for Holding {
    async fn channels(&self, source: &Source, limit: usize) -> Result<Listed<String>, AggregateError> {
        self.layered.channels(source, limit).await
    }
    async fn dates(
        &self,
        source: &Source,
        clock: DateClock,
        channel: &str,
        limit: usize,
    ) -> Result<Listed<VersionDate>, AggregateError> {
        self.layered.dates(source, clock, channel, limit).await
    }
    async fn filter_options(
        &self,
        source: &Source,
        channel: &str,
        version: &str,
        limit: usize,
    ) -> Result<FilterOptions, AggregateError> {
        self.layered.filter_options(source, channel, version, limit).await
    }
    async fn values_of(
        &self,
        query: &CellQuery,
        of: ValueOf,
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        self.layered.values_of(query, of, limit).await
    }
    async fn series(&self, query: &CellQuery, bounds: Bounds) -> Result<Series, AggregateError> {
        self.layered.series(query, bounds).await
    }
    async fn sources(&self, limit: usize) -> Result<Listed<Source>, AggregateError> {
        self.layered.sources(limit).await
    }

    async fn about(&self, source: &Source) -> Result<Option<AboutSource>, AggregateError> {
        self.layered.about(source).await
    }

    async fn dimension_values(
        &self,
        source: &Source,
        dimension: &Dimension,
        filters: &[Filter],
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        self.layered
            .dimension_values(source, dimension, filters, limit)
            .await
    }

    async fn metrics(
        &self,
        source: &Source,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StoredMetric>, AggregateError> {
        self.layered.metrics(source, after, limit).await
    }

    async fn user_groups(&self, query: &UserQuery, limit: usize) -> Result<Listed<String>, AggregateError> {
        self.layered.user_groups(query, limit).await
    }

    async fn users(&self, query: &UserQuery, limit: usize) -> Result<Vec<UserDay>, AggregateError> {
        self.layered.users(query, limit).await
    }
    async fn source_pings(&self, limit: usize) -> Result<Listed<SourcePings>, AggregateError> {
        self.layered.source_pings(limit).await
    }
    async fn status(&self) -> Result<Status, AggregateError> {
        self.layered.status().await
    }
    async fn layer(&self) -> Result<LayerStatus, AggregateError> {
        self.layered.layer().await
    }
    async fn errored(
        &self,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<ErroredRow>, AggregateError> {
        self.layered.errored(after, limit).await
    }
    async fn dump(&self, lines: mpsc::Sender<String>) -> Result<(), AggregateError> {
        self.layered.dump(lines).await
    }
}

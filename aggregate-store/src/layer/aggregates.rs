//! Aggregates of which the newest layer is in memory. Not here: when it is written (whoever folds decides), and how what
//! is held is added to answers (the back end does, within one snapshot).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ping::{ChunkId, DocumentKey, RecordId, Timestamp};
use service::clock::Clock;
use tokio::sync::mpsc;

use super::core::{Layer, Layers};
use super::{Held, HeldSize, Kept, LayerStamp, LayerStatus, Part, Persisted};
use crate::sqlite::Reading;
use crate::{
    AboutSource, AggregateError, AggregateReads, AggregateStore, Batch, Bounds, CellQuery, Committed,
    DateClock, Dimension, ErroredRow, Filter, FilterOptions, FoldVersion, Listed, Rebuilds, SeenIds, SeenRow,
    Series, Source, SourcePings, SqliteAggregates, Status, StoredMetric, UserDay, UserQuery, ValueOf,
    VersionDate, metrics,
};

/// A database, and before it the layer in memory. Share it in an `Arc` between who folds and who asks.
///
/// Memory: what is held, see [`HeldSize`]; whoever folds bounds it. While it is written, about 24 bytes more for each
/// cell.
#[derive(Debug)]
pub struct LayeredAggregates {
    base: Arc<SqliteAggregates>,
    clock: Arc<dyn Clock>,
    layers: Mutex<Layers>,
    writer: [u8; 16],
    /// The number of the epochs in use: nobody else changes them.
    epochs: AtomicU64,
    /// Held while the database is written, so that one transaction follows the other in the order of folding.
    writing: tokio::sync::Mutex<()>,
}

impl LayeredAggregates {
    /// Holds nothing yet. `writer` is who writes here: the same after a restart, another for another process.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn over(
        base: Arc<SqliteAggregates>,
        writer: [u8; 16],
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, AggregateError> {
        let newest = base.newest_layer(writer).await?;
        let epochs = base.epochs().await?.number;
        Ok(Arc::new(Self {
            epochs: AtomicU64::new(epochs),
            base,
            clock,
            layers: Mutex::new(Layers::new(writer, newest)),
            writer,
            writing: tokio::sync::Mutex::new(()),
        }))
    }

    /// The database alone: what is held is not in its answers.
    pub fn base(&self) -> &Arc<SqliteAggregates> {
        &self.base
    }

    fn layers(&self) -> MutexGuard<'_, Layers> {
        self.layers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is held now is taken before the snapshot: see [`Held`].
    fn reading(&self) -> Reading<'_> {
        let held: Arc<Held> = self.layers().view();
        self.base.reading(held)
    }

    /// Writes everything held, before something that was folded on top of it. Call it with `writing` held.
    async fn write_all(&self) -> Result<(), AggregateError> {
        loop {
            let frozen = self.layers().freeze();
            let Some(frozen) = frozen else { return Ok(()) };
            if let Persisted::Dropped(_) = self.write(frozen).await? {
                return Err(AggregateError::Outdated);
            }
        }
    }

    /// Writes everything held; nobody else writes for as long as the answer is kept.
    pub(super) async fn write_alone(&self) -> Result<tokio::sync::MutexGuard<'_, ()>, AggregateError> {
        let writing = self.writing.lock().await;
        self.write_all().await?;
        Ok(writing)
    }

    /// Learns the number of the epochs after a change. What was held when it changed is dropped as it is written.
    pub(super) async fn look_at_epochs(&self) -> Result<(), AggregateError> {
        let number = self.base.epochs().await?.number;
        self.epochs.store(number, Ordering::SeqCst);
        Ok(())
    }

    /// Writes the frozen layer. Call it with `writing` held.
    async fn write(&self, layer: Layer) -> Result<Persisted, AggregateError> {
        let stamp = LayerStamp {
            writer: self.writer,
            number: layer.number,
            persisted_at: Timestamp::from_micros(self.clock.now_micros()),
        };
        let chunks = layer.chunks();
        let start = self.clock.monotonic();
        let committed = self.base.commit_layer(stamp, layer.parts).await;
        metrics::persisted(
            &committed,
            self.clock.monotonic().saturating_sub(start),
            chunks.len(),
        );
        let mut layers = self.layers();
        let persisted = match committed? {
            Committed::Written => {
                layers.written();
                Persisted::Written(chunks)
            }
            Committed::AlreadyFolded(theirs) => {
                layers.drop_all();
                Persisted::Dropped(theirs)
            }
            Committed::Outdated => {
                layers.drop_all();
                Persisted::Dropped(Vec::new())
            }
        };
        metrics::held(layers.size(start));
        Ok(persisted)
    }
}

#[async_trait]
impl AggregateStore for LayeredAggregates {
    /// What is held is written first: a batch that is committed was folded on top of it.
    async fn commit(&self, batch: Batch) -> Result<Committed, AggregateError> {
        if batch.rebuild.is_some() {
            // It was folded beside what is held.
            return self.base.commit(batch).await;
        }
        let _writing = self.write_alone().await?;
        self.base.commit(batch).await
    }

    async fn commit_parts(&self, parts: mpsc::Receiver<Batch>) -> Result<Committed, AggregateError> {
        let _writing = self.write_alone().await?;
        self.base.commit_parts(parts).await
    }

    async fn hold(&self, batch: Batch, drops: u64) -> Result<Kept, AggregateError> {
        if batch.is_replay() || batch.rebuild.is_some() {
            // What it takes out is looked for in the database.
            return Ok(match self.commit(batch).await? {
                Committed::Written => Kept::Written,
                Committed::AlreadyFolded(chunks) => Kept::AlreadyFolded(chunks),
                Committed::Outdated => Kept::Outdated,
            });
        }
        let epochs = batch.epochs;
        let part = Part::new(batch)?;
        let chunks: Vec<ChunkId> = part.chunks().collect();
        let folded = self.folded(&chunks).await?;
        let folded: Vec<ChunkId> = chunks
            .iter()
            .zip(folded)
            .filter_map(|(chunk, folded)| folded.then_some(*chunk))
            .collect();
        let mut layers = self.layers();
        // Between the question and now, another batch may have come.
        let folded = match folded {
            folded if folded.is_empty() => layers.held_of(chunks.into_iter()),
            folded => folded,
        };
        if !folded.is_empty() {
            return Ok(Kept::AlreadyFolded(folded));
        }
        if layers.drops() != drops || epochs != self.epochs.load(Ordering::SeqCst) {
            return Ok(Kept::Outdated);
        }
        let now = self.clock.monotonic();
        layers.push(part, now);
        metrics::held(layers.size(now));
        Ok(Kept::Held)
    }

    async fn persist(&self) -> Result<Persisted, AggregateError> {
        let _writing = self.writing.lock().await;
        // A layer that could not be written is left over; what came since is written after it.
        let layers = 1 + usize::from(self.layers().is_frozen());
        let mut written = Vec::new();
        for _ in 0..layers {
            let frozen = self.layers().freeze();
            let Some(frozen) = frozen else { break };
            match self.write(frozen).await? {
                Persisted::Written(chunks) => written.extend(chunks),
                dropped => return Ok(dropped),
            }
        }
        Ok(match written.is_empty() {
            true => Persisted::Nothing,
            false => Persisted::Written(written),
        })
    }

    fn held(&self) -> HeldSize {
        self.layers().size(self.clock.monotonic())
    }

    async fn written(&self, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        self.base.folded(chunks).await
    }

    async fn folded(&self, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        self.reading().folded(chunks).await
    }

    async fn folded_ids(&self, after: Option<ChunkId>, limit: usize) -> Result<Vec<ChunkId>, AggregateError> {
        self.reading().folded_ids(after, limit).await
    }

    async fn fold_version(&self) -> Result<Option<FoldVersion>, AggregateError> {
        self.base.fold_version().await
    }

    async fn set_fold_version(&self, version: &FoldVersion) -> Result<(), AggregateError> {
        self.base.set_fold_version(version).await
    }

    async fn replace_fold_version(
        &self,
        known: &FoldVersion,
        version: &FoldVersion,
    ) -> Result<(), AggregateError> {
        self.base.replace_fold_version(known, version).await
    }

    /// Caps only rise: so the higher one is the newer, and it does no harm if a layer is written between the two looks.
    async fn retried(&self, chunks: &[ChunkId]) -> Result<Vec<u64>, AggregateError> {
        let held: Arc<Held> = self.layers().view();
        let mut caps = self.base.retried(chunks).await?;
        let parts = held.layers.iter().flat_map(|(_, parts)| parts);
        for retried in parts.flat_map(|part| &part.batch().retried) {
            for (chunk, cap) in chunks.iter().zip(&mut caps) {
                if *chunk == retried.id {
                    *cap = retried.now.max(*cap);
                }
            }
        }
        Ok(caps)
    }
}

#[async_trait]
impl SeenIds for LayeredAggregates {
    async fn seen(&self, documents: &[DocumentKey]) -> Result<Vec<SeenRow>, AggregateError> {
        self.reading().seen(documents).await
    }
}

#[async_trait]
impl AggregateReads for LayeredAggregates {
    async fn channels(&self, source: &Source, limit: usize) -> Result<Listed<String>, AggregateError> {
        self.reading().channels(source, limit).await
    }

    async fn dates(
        &self,
        source: &Source,
        clock: DateClock,
        channel: &str,
        limit: usize,
    ) -> Result<Listed<VersionDate>, AggregateError> {
        self.reading().dates(source, clock, channel, limit).await
    }

    async fn filter_options(
        &self,
        source: &Source,
        channel: &str,
        version: &str,
        limit: usize,
    ) -> Result<FilterOptions, AggregateError> {
        self.reading()
            .filter_options(source, channel, version, limit)
            .await
    }

    async fn values_of(
        &self,
        query: &CellQuery,
        of: ValueOf,
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        self.reading().values_of(query, of, limit).await
    }

    async fn series(&self, query: &CellQuery, bounds: Bounds) -> Result<Series, AggregateError> {
        self.reading().series(query, bounds).await
    }

    async fn sources(&self, limit: usize) -> Result<Listed<Source>, AggregateError> {
        self.reading().sources(limit).await
    }

    async fn about(&self, source: &Source) -> Result<Option<AboutSource>, AggregateError> {
        self.reading().about(source).await
    }

    async fn dimension_values(
        &self,
        source: &Source,
        dimension: &Dimension,
        filters: &[Filter],
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        self.reading()
            .dimension_values(source, dimension, filters, limit)
            .await
    }

    async fn metrics(
        &self,
        source: &Source,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StoredMetric>, AggregateError> {
        self.reading().metrics(source, after, limit).await
    }

    async fn user_groups(&self, query: &UserQuery, limit: usize) -> Result<Listed<String>, AggregateError> {
        self.reading().user_groups(query, limit).await
    }

    async fn users(&self, query: &UserQuery, limit: usize) -> Result<Vec<UserDay>, AggregateError> {
        self.reading().users(query, limit).await
    }

    async fn status(&self) -> Result<Status, AggregateError> {
        self.reading().status().await
    }

    async fn source_pings(&self, limit: usize) -> Result<Listed<SourcePings>, AggregateError> {
        self.reading().source_pings(limit).await
    }

    async fn layer(&self) -> Result<LayerStatus, AggregateError> {
        self.reading().layer().await
    }

    async fn errored(
        &self,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<ErroredRow>, AggregateError> {
        self.reading().errored(after, limit).await
    }

    async fn dump(&self, lines: mpsc::Sender<String>) -> Result<(), AggregateError> {
        self.reading().dump(lines).await
    }
}

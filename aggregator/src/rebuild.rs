//! A rebuild: folds every indexed chunk into a shadow, then puts the shadow into use. What is in use is never touched,
//! so a rebuild that ends early has changed nothing.

use std::sync::Arc;

use aggregate_store::AggregateStore;
use index_schema::{ChunkKey, FAILURES_MAX, IndexEntry};
use ping::ChunkId;

use crate::aggregator::Aggregator;
use crate::error::AggregatorError;

/// Index entries that are looked at together.
const PAGE: usize = 1_000;

/// How far a rebuild is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RebuildProgress {
    /// Records in the chunks folded so far.
    pub records: u64,
    /// Records in the index; grows while pings arrive.
    pub records_total: u64,
}

impl Aggregator {
    /// Folds everything into `shadow`, which is empty or holds the begin of such a rebuild, and puts it into use as
    /// `generation`. The loop goes on folding into the aggregates in use until the last moment.
    ///
    /// Chunks that were set aside are tried again, since a rebuild is what follows a repair. A chunk that cannot be
    /// folded is set aside and the rest goes on: its pings are missing in the new aggregates, and the status says so.
    ///
    /// # Errors
    /// When index, store or aggregates failed. Then the aggregates in use are as before, and the shadow may be tried
    /// again.
    pub async fn rebuild(
        &self,
        shadow: Arc<dyn AggregateStore>,
        generation: u64,
        progress: &(dyn Fn(RebuildProgress) + Send + Sync),
    ) -> Result<(), AggregatorError> {
        self.work.check_fold_version(&*shadow).await?;
        self.take_up_what_was_set_aside().await?;
        let mut records = 0;
        // Most is folded beside the loop; what was indexed meanwhile is folded while the loop stands still.
        self.fold_all(&*shadow, &mut records, progress).await?;
        let _standing = self.gate.lock().await;
        records = 0;
        self.fold_all(&*shadow, &mut records, progress).await?;
        self.work.index.set_generation(generation).await?;
        self.current.exchange(shadow);
        self.wake.notify_one();
        tracing::info!(generation, records, "the aggregates were rebuilt and are in use");
        Ok(())
    }

    /// Folds every indexed chunk that the shadow has not.
    async fn fold_all(
        &self,
        shadow: &dyn AggregateStore,
        records: &mut u64,
        progress: &(dyn Fn(RebuildProgress) + Send + Sync),
    ) -> Result<(), AggregatorError> {
        let index = &self.work.index;
        let records_total = index.totals().await?.records;
        let foldable = index.floors().await?.foldable();
        let mut after: Option<String> = None;
        loop {
            let page = index.select(&foldable, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.key.clone());
            let mut entries: Vec<IndexEntry> = page;
            while !entries.is_empty() {
                let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
                let folded = shadow.folded(&ids).await?;
                let mut flags = folded.iter();
                entries.retain(|entry| {
                    let folded = flags.next().copied().unwrap_or(false);
                    *records += if folded { entry.records } else { 0 };
                    !folded
                });
                progress(RebuildProgress {
                    records: *records,
                    records_total,
                });
                if entries.is_empty() {
                    break;
                }
                match self.work.fold_batch(&entries, shadow).await {
                    Err(AggregatorError::Chunk { chunk, reason }) => {
                        self.set_aside(chunk, &reason).await?;
                        entries.retain(|entry| entry.id != chunk);
                    }
                    other => drop(other?),
                }
            }
        }
    }

    /// Puts back among the pending what was set aside: if it is still not what it should be, it goes aside again.
    async fn take_up_what_was_set_aside(&self) -> Result<(), AggregatorError> {
        let aside = self.work.index.set_aside().await?;
        let chunks = aside
            .iter()
            .filter_map(|aside| ChunkKey::parse(&aside.key).ok())
            .map(|key| key.id);
        self.work
            .index
            .make_pending(Some(&chunks.collect::<Vec<_>>()))
            .await?;
        Ok(())
    }

    /// Sets a chunk aside at once: it was read whole and is not what it should be, or is not there.
    async fn set_aside(&self, chunk: ChunkId, reason: &str) -> Result<(), AggregatorError> {
        tracing::error!(%chunk, reason, "a chunk could not be folded by a rebuild and is set aside");
        self.work.index.make_pending(Some(&[chunk])).await?;
        for _ in 0..FAILURES_MAX {
            self.work.index.fail(chunk, reason).await?;
        }
        Ok(())
    }
}

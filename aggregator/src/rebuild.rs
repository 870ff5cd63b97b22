//! A rebuild: folds every indexed chunk into a shadow, then puts the shadow into use. What is in use is never touched,
//! so a rebuild that ends early has changed nothing.

use std::sync::Arc;
use std::time::Duration;

use aggregate_store::{AggregateStore, FoldVersion};
use index_schema::{ChunkKey, FAILURES_MAX, IndexEntry, Swap};
use ping::ChunkId;
use service::task;

use crate::aggregator::Aggregator;
use crate::error::AggregatorError;
use crate::fold::differences;
use crate::passed_over::PassedOver;
use crate::progress::RebuildProgress;

/// Index entries that are looked at together.
const PAGE: usize = 1_000;

/// The pauses before chunks that could not be reached are tried again. Tests do not wait.
const PAUSES: [Duration; 2] = match cfg!(test) {
    true => [Duration::from_millis(1); 2],
    false => [Duration::from_secs(1), Duration::from_secs(5)],
};

/// What came of a rebuild.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Records in the chunks that were folded.
    pub records: u64,
    /// Chunks that could not be reached in three tries: they are missing in the new aggregates and pending, so that they
    /// are folded as soon as they can be read.
    pub passed_over: PassedOver,
}

/// What one walk through the index did.
#[derive(Debug, Default)]
struct Walk {
    rebuilt: Rebuilt,
    /// What was wrong with the first chunk that was passed over.
    first: Option<AggregatorError>,
}

impl Aggregator {
    /// Folds everything into `shadow`, which is empty or holds the begin of such a rebuild, and puts it into use as
    /// `generation`. The loop goes on folding into the aggregates in use until the last moment.
    ///
    /// Chunks that were set aside are tried again, since a rebuild is what follows a repair. A chunk that cannot be
    /// folded is set aside and the rest goes on: its pings are missing in the new aggregates, and the status says so. One
    /// that cannot be reached although others can is passed over and named in the answer.
    ///
    /// # Errors
    /// When index, store or aggregates failed, or no chunk at all could be read. Then the aggregates in use are as before,
    /// and the shadow may be tried again.
    pub async fn rebuild(
        &self,
        shadow: Arc<dyn AggregateStore>,
        generation: u64,
        progress: &(dyn Fn(RebuildProgress) + Send + Sync),
    ) -> Result<Rebuilt, AggregatorError> {
        if shadow.fold_version().await?.is_none() {
            shadow.set_fold_version(&self.rules().await).await?;
        }
        self.work.check_fold_version(&*shadow).await?;
        self.take_up_what_was_set_aside().await?;
        self.work.try_all_again();
        // Most is folded beside the loop; what was indexed meanwhile is folded while the loop stands still.
        let mut walk = self.fold_all(&*shadow, progress).await?;
        for pause in PAUSES {
            if walk.rebuilt.passed_over.is_empty() {
                break;
            }
            task::sleep(pause).await;
            walk = self.fold_all(&*shadow, &|_| {}).await?;
        }
        let _standing = self.gate.lock().await;
        let rebuilt = loop {
            let (totals, floors) = (
                self.work.index.totals().await?,
                self.work.index.all_floors().await?,
            );
            let Walk { rebuilt, first } = self.fold_all(&*shadow, &|_| {}).await?;
            match first {
                Some(first) if rebuilt.records == 0 => return Err(first),
                _ => {}
            }
            self.make_passed_over_pending(&*shadow, &rebuilt).await?;
            let counters = shadow.status().await?.counters;
            let swap = Swap {
                generation,
                gone_records: counters.accounted().saturating_sub(rebuilt.records),
                removed_records: totals.removed_records,
                floors,
            };
            // Not when some of it was removed since: then it is looked once more, with little to fold.
            if self.work.index.set_generation(swap).await? {
                break rebuilt;
            }
        };
        self.current.exchange(shadow);
        self.wake.notify_one();
        let Rebuilt { records, passed_over } = &rebuilt;
        tracing::info!(generation, records, "the aggregates were rebuilt and are in use");
        if !passed_over.is_empty() {
            tracing::error!(
                chunks = passed_over.chunks,
                "chunks could not be read and are missing in the new aggregates; they are pending and are folded as soon as \
                 they can be read: {passed_over}"
            );
        }
        Ok(rebuilt)
    }

    /// Has the loop fold what the shadow lacks, once it is in use.
    async fn make_passed_over_pending(
        &self,
        shadow: &dyn AggregateStore,
        rebuilt: &Rebuilt,
    ) -> Result<(), AggregatorError> {
        match rebuilt.passed_over.is_empty() {
            true => Ok(()),
            false => self.make_missing_pending(shadow).await,
        }
    }

    /// Has the loop fold what these aggregates lack of what is indexed, but for what is set aside.
    pub(crate) async fn make_missing_pending(
        &self,
        aggregates: &dyn AggregateStore,
    ) -> Result<(), AggregatorError> {
        let index = &self.work.index;
        let floors = index.all_floors().await?;
        let foldable = floors.all.foldable();
        let aside = index.set_aside().await?;
        let mut after: Option<String> = None;
        loop {
            let page = index.select(&foldable, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.key.clone());
            let ids: Vec<ChunkId> = page.iter().map(|entry| entry.id).collect();
            let folded = aggregates.folded(&ids).await?;
            let is_aside = |entry: &IndexEntry| aside.iter().any(|aside| aside.key == entry.key);
            let missing = page.iter().zip(folded);
            let missing = missing.filter(|(entry, folded)| !folded && !is_aside(entry));
            let missing = missing.filter(|(entry, _)| floors.fold(entry));
            let missing: Vec<ChunkId> = missing.map(|(entry, _)| entry.id).collect();
            if !missing.is_empty() {
                index.make_pending(Some(&missing)).await?;
            }
        }
    }

    /// The rules by which this program folds, given those of the aggregates in use.
    pub async fn rules(&self) -> FoldVersion {
        let fold = &self.work.settings.fold;
        // Aggregates that cannot be read are what a rebuild is for.
        match self.current.get().fold_version().await {
            Ok(Some(stored)) => fold.beside(&stored),
            _ => fold.version(),
        }
    }

    /// What a rebuild, or a replay that accepts more, changes in the rules: each setting with both values.
    pub async fn changed_rules(&self) -> Vec<String> {
        match self.current.get().fold_version().await {
            Ok(Some(stored)) => differences(&stored, &self.rules().await),
            _ => Vec::new(),
        }
    }

    /// Folds every indexed chunk that the shadow has not and that can be read.
    async fn fold_all(
        &self,
        shadow: &dyn AggregateStore,
        progress: &(dyn Fn(RebuildProgress) + Send + Sync),
    ) -> Result<Walk, AggregatorError> {
        let mut walk = Walk::default();
        let index = &self.work.index;
        let mut done = RebuildProgress::of(&index.totals().await?);
        let floors = index.all_floors().await?;
        let foldable = floors.all.foldable();
        let mut after: Option<String> = None;
        loop {
            let page = index.select(&foldable, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else {
                walk.rebuilt.records = done.records;
                return Ok(walk);
            };
            after = Some(last.key.clone());
            let mut entries: Vec<IndexEntry> = page;
            // What is below the floor of its kind is about to go, and counts as unfolded.
            entries.retain(|entry| floors.fold(entry));
            let mut found = true;
            while !entries.is_empty() {
                let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
                let folded = shadow.folded(&ids).await?;
                let mut flags = folded.iter();
                entries.retain(|entry| {
                    let folded = flags.next().copied().unwrap_or(false);
                    if folded {
                        done.note(entry, found);
                    }
                    !folded
                });
                found = false;
                progress(done);
                if entries.is_empty() {
                    break;
                }
                match self.work.fold_batch(&entries, shadow).await {
                    Err(AggregatorError::Chunk { chunk, reason }) => {
                        self.set_aside(chunk, &reason).await?;
                        entries.retain(|entry| entry.id != chunk);
                    }
                    Err(AggregatorError::Unreachable { chunk, source }) => {
                        tracing::warn!(%chunk, %source, "a chunk cannot be read now; the rebuild goes on behind it");
                        let reason = source.to_string();
                        let error = AggregatorError::Unreachable { chunk, source };
                        if !self.work.store_answers().await {
                            return Err(error);
                        }
                        entries.retain(|entry| entry.id != chunk);
                        walk.rebuilt.passed_over.note(chunk, reason);
                        walk.first.get_or_insert(error);
                    }
                    other => drop(other?),
                }
            }
        }
    }

    /// Puts back among the pending what was set aside: if it is still not what it should be, it goes aside again.
    pub(crate) async fn take_up_what_was_set_aside(&self) -> Result<(), AggregatorError> {
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

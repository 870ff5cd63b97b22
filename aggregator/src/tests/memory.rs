//! Aggregates in memory, in sorted maps: simple enough to be believed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use aggregate_store::{
    AboutSource, AggregateError, AggregateReads, AggregateStore, Batch, Bounds, CellKey, CellQuery,
    Committed, DateClock, Dimension, DimensionSet, Epochs, ErroredRow, Filter, FilterOptions, Flip, Flipped,
    FoldVersion, Lease, Listed, Rebuild, RebuildWish, Rebuilds, RetriedChunk, SeenIds, SeenRow, Series,
    Source, SourcePings, Status, StoredMetric, UserDay, UserQuery, ValueOf, VersionDate,
};
use async_trait::async_trait;
use ping::{ChunkId, DocumentKey, RecordId};
use sketch::{Cell, UserSketch};
use tokio::sync::mpsc;

use super::records::Stored;

/// Aggregates in memory.
#[derive(Debug, Default)]
pub(super) struct MemoryAggregates {
    state: Mutex<State>,
    /// The next commit comes twice, and its second end is answered.
    pub(super) twice: AtomicBool,
    /// How many parts came, and how many cells the largest of them had.
    pub(super) parts: AtomicUsize,
    pub(super) largest_part: AtomicUsize,
}

/// What they hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State {
    pub(super) version: Option<FoldVersion>,
    pub(super) source_rules: BTreeMap<String, String>,
    pub(super) chunks: BTreeSet<ChunkId>,
    pub(super) cells: BTreeMap<CellKey, Cell>,
    pub(super) users: BTreeMap<DimensionSet, UserSketch>,
    pub(super) seen: BTreeMap<(DocumentKey, RecordId), (ping::Timestamp, ChunkId, u32, bool)>,
    pub(super) errored: BTreeMap<RecordId, ErroredRow>,
    pub(super) retried: BTreeMap<ChunkId, u64>,
    /// How often each shard was claimed.
    pub(super) fences: BTreeMap<u16, u64>,
    pub(super) status: Status,
}

impl State {
    /// What does not depend on which record lies in which chunk.
    pub(super) fn content(
        &self,
    ) -> (
        BTreeMap<CellKey, Cell>,
        BTreeMap<DimensionSet, UserSketch>,
        Status,
    ) {
        (self.cells.clone(), self.users.clone(), self.status.clone())
    }

    pub(super) fn seen_of(&self, documents: &[DocumentKey]) -> Vec<SeenRow> {
        let wanted = |(key, _): &(&(DocumentKey, RecordId), &_)| documents.contains(&key.0);
        let row = |(key, row): (&(DocumentKey, RecordId), &(ping::Timestamp, ChunkId, u32, bool))| SeenRow {
            key: key.0,
            received: row.0,
            record: key.1,
            chunk: row.1,
            position: row.2,
            counted: row.3,
        };
        self.seen.iter().filter(wanted).map(row).collect()
    }

    /// Whether the batch was folded on top of the copies that are stored, of documents that it has copies of.
    fn knows_copies(&self, batch: &Batch) -> bool {
        let documents: BTreeSet<DocumentKey> = batch.seen.iter().map(|row| row.key).collect();
        let documents: Vec<DocumentKey> = documents.into_iter().collect();
        let mut known = batch.known.clone();
        known.sort_by_key(|row| (row.key, row.record));
        // Both ascending by document and record; nothing else is to be named.
        self.seen_of(&documents) == known
    }

    pub(super) fn apply(&mut self, batch: Batch) -> Committed {
        let claimed = |lease: &Lease| self.fences.get(&lease.shard) != Some(&lease.fence);
        if batch.fences.iter().any(claimed) {
            return Committed::Outdated;
        }
        let ids = batch.chunks.iter().map(|chunk| chunk.id);
        let mut known: Vec<ChunkId> = ids.clone().filter(|id| self.chunks.contains(id)).collect();
        let gone = |row: &&ErroredRow| !self.errored.contains_key(&row.record);
        known.extend(batch.replayed.iter().filter(gone).map(|row| row.chunk));
        let otherwise =
            |chunk: &&RetriedChunk| self.retried.get(&chunk.id).copied().unwrap_or(0) != chunk.before;
        known.extend(batch.retried.iter().filter(otherwise).map(|chunk| chunk.id));
        if !known.is_empty() {
            return Committed::AlreadyFolded(known);
        }
        if !self.knows_copies(&batch) {
            return Committed::Outdated;
        }
        self.chunks.extend(ids);
        for (address, bytes) in batch.cells.iter() {
            let key = CellKey {
                metric: batch.metrics[address.metric as usize].clone(),
                dimensions: batch.dimension_sets[address.dimension_set as usize].clone(),
                process: batch.processes[address.process as usize].clone(),
                label: batch.labels[address.label as usize].clone(),
                layout: batch.layouts[address.layout as usize],
            };
            self.cells
                .entry(key)
                .or_default()
                .add(&Cell::decode(bytes).expect("a cell"));
        }
        self.cells.retain(|_, cell| !cell.is_zero());
        for (key, users) in batch.users {
            self.users.entry(key).or_default().merge(&users);
        }
        for row in batch.seen {
            let value = (row.received, row.chunk, row.position, row.counted);
            self.seen.insert((row.key, row.record), value);
        }
        let errored = batch.errored.into_iter();
        for row in batch.replayed {
            self.errored.remove(&row.record);
        }
        self.errored.extend(errored.map(|row| (row.record, row)));
        self.retried
            .extend(batch.retried.iter().map(|chunk| (chunk.id, chunk.now)));
        self.count(&batch.counters, batch.errored_by_reason, batch.refused_by_reason);
        self.status.newest_received = self.status.newest_received.max(batch.newest_received);
        Committed::Written
    }

    fn count(
        &mut self,
        counters: &aggregate_store::Counters,
        errored: BTreeMap<String, i64>,
        refused: BTreeMap<String, i64>,
    ) {
        let mine = &mut self.status.counters;
        mine.folded += counters.folded;
        mine.repeated += counters.repeated;
        mine.stored_only += counters.stored_only;
        mine.errored_pings += counters.errored_pings;
        let maps = [
            (&mut self.status.errored_by_reason, errored),
            (&mut self.status.refused_by_reason, refused),
        ];
        for (mine, added) in maps {
            for (reason, count) in added {
                *mine.entry(reason).or_default() += count;
            }
            mine.retain(|_, count| *count != 0);
        }
    }
}

impl MemoryAggregates {
    /// Says that a copy lies elsewhere.
    pub(super) fn move_copy(&self, record: RecordId, chunk: ChunkId, position: u32) {
        let mut state = self.state();
        for ((_, known), row) in &mut state.seen {
            if *known == record {
                (row.1, row.2) = (chunk, position);
            }
        }
    }

    /// Has a ping that is only stored be an errored one, as by rules that accept less.
    pub(super) fn err_again(&self, stored: &Stored, chunk: ChunkId, position: u32) {
        let mut state = self.state();
        state.status.counters.stored_only -= 1;
        state.status.counters.errored_pings += 1;
        state.status.errored_by_reason.insert("odd".to_owned(), 1);
        let row = ErroredRow {
            source: Source::telemetry_main(),
            record: stored.head.id,
            submission_date: stored.head.submission_date,
            chunk,
            position,
            reason: "odd".to_owned(),
        };
        state.errored.insert(row.record, row);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no test panics while it holds the state")
    }
}

#[async_trait]
impl AggregateStore for MemoryAggregates {
    async fn commit(&self, batch: Batch) -> Result<Committed, AggregateError> {
        if self.twice.swap(false, Ordering::SeqCst) {
            let first = self.state().apply(batch.clone());
            assert_eq!(first, Committed::Written);
        }
        Ok(self.state().apply(batch))
    }

    async fn commit_parts(&self, mut parts: mpsc::Receiver<Batch>) -> Result<Committed, AggregateError> {
        let mut whole = Batch::default();
        while let Some(part) = parts.recv().await {
            self.parts.fetch_add(1, Ordering::SeqCst);
            self.largest_part.fetch_max(part.cells.len(), Ordering::SeqCst);
            whole.append(part);
            if whole.is_last() {
                return self.commit(whole).await;
            }
        }
        Err(AggregateError::Unfinished)
    }

    async fn folded(&self, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        let state = self.state();
        Ok(chunks.iter().map(|chunk| state.chunks.contains(chunk)).collect())
    }

    async fn folded_ids(&self, _: Option<ChunkId>, _: usize) -> Result<Vec<ChunkId>, AggregateError> {
        Ok(self.state().chunks.iter().copied().collect())
    }

    async fn fold_version(&self) -> Result<Option<FoldVersion>, AggregateError> {
        Ok(self.state().version.clone())
    }

    async fn set_fold_version(&self, version: &FoldVersion) -> Result<(), AggregateError> {
        self.state().version = Some(version.clone());
        Ok(())
    }

    async fn replace_fold_version(
        &self,
        known: &FoldVersion,
        version: &FoldVersion,
    ) -> Result<(), AggregateError> {
        let mut state = self.state();
        assert!([Some(known), Some(version)].contains(&state.version.as_ref()));
        state.version = Some(version.clone());
        Ok(())
    }

    async fn retried(&self, chunks: &[ChunkId]) -> Result<Vec<u64>, AggregateError> {
        let state = self.state();
        let cap = |chunk| state.retried.get(chunk).copied().unwrap_or(0);
        Ok(chunks.iter().map(cap).collect())
    }
}

/// No source is folded anew here.
#[async_trait]
impl Rebuilds for MemoryAggregates {
    async fn epochs(&self) -> Result<Epochs, AggregateError> {
        Ok(Epochs::default())
    }

    async fn source_rules(&self) -> Result<BTreeMap<String, String>, AggregateError> {
        Ok(self.state().source_rules.clone())
    }

    async fn adopt_rules(&self, source: &Source, rules: &str) -> Result<bool, AggregateError> {
        let mut state = self.state();
        let is_new = !state.source_rules.contains_key(source.as_str());
        state
            .source_rules
            .insert(source.as_str().to_owned(), rules.to_owned());
        Ok(is_new)
    }

    async fn rebuilds(&self) -> Result<Vec<Rebuild>, AggregateError> {
        Ok(Vec::new())
    }

    async fn begin_rebuild(&self, _: &RebuildWish) -> Result<Rebuild, AggregateError> {
        Err(AggregateError::ReadOnly)
    }

    async fn give_up_rebuild(&self, _: u32) -> Result<(), AggregateError> {
        Ok(())
    }

    async fn rebuilt(&self, _: u32, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        Ok(vec![false; chunks.len()])
    }

    async fn put_into_use(&self, _: &Flip) -> Result<Flipped, AggregateError> {
        Ok(Flipped::Outdated)
    }

    async fn remove_unused(&self) -> Result<bool, AggregateError> {
        Ok(false)
    }
}

#[async_trait]
impl SeenIds for MemoryAggregates {
    async fn seen(&self, documents: &[DocumentKey]) -> Result<Vec<SeenRow>, AggregateError> {
        Ok(self.state().seen_of(documents))
    }
}

/// Nobody asks these here.
#[async_trait]
impl AggregateReads for MemoryAggregates {
    async fn channels(&self, _source: &Source, _: usize) -> Result<Listed<String>, AggregateError> {
        Ok(Listed::default())
    }

    async fn dates(
        &self,
        _source: &Source,
        _: DateClock,
        _: &str,
        _: usize,
    ) -> Result<Listed<VersionDate>, AggregateError> {
        Ok(Listed::default())
    }

    async fn filter_options(
        &self,
        _source: &Source,
        _: &str,
        _: &str,
        _: usize,
    ) -> Result<FilterOptions, AggregateError> {
        Ok(FilterOptions::default())
    }

    async fn values_of(&self, _: &CellQuery, _: ValueOf, _: usize) -> Result<Listed<String>, AggregateError> {
        Ok(Listed::default())
    }

    async fn series(&self, _: &CellQuery, _: Bounds) -> Result<Series, AggregateError> {
        Ok(Series::default())
    }

    async fn user_groups(&self, _: &UserQuery, _: usize) -> Result<Listed<String>, AggregateError> {
        Ok(Listed::default())
    }

    async fn users(&self, _: &UserQuery, _: usize) -> Result<Vec<UserDay>, AggregateError> {
        Ok(Vec::new())
    }

    async fn sources(&self, _: usize) -> Result<Listed<Source>, AggregateError> {
        Ok(Listed::default())
    }

    async fn about(&self, _: &Source) -> Result<Option<AboutSource>, AggregateError> {
        Ok(None)
    }

    async fn dimension_values(
        &self,
        _: &Source,
        _: &Dimension,
        _: &[Filter],
        _: usize,
    ) -> Result<Listed<String>, AggregateError> {
        Ok(Listed::default())
    }

    async fn metrics(
        &self,
        _: &Source,
        _: Option<&str>,
        _: usize,
    ) -> Result<Vec<StoredMetric>, AggregateError> {
        Ok(Vec::new())
    }

    async fn status(&self) -> Result<Status, AggregateError> {
        Ok(self.state().status.clone())
    }

    async fn source_pings(&self, _: usize) -> Result<Listed<SourcePings>, AggregateError> {
        Ok(Listed::default())
    }

    async fn errored(
        &self,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<ErroredRow>, AggregateError> {
        let state = self.state();
        let rows = state.errored.values().filter(|row| Some(row.record) > after);
        Ok(rows.take(limit).cloned().collect())
    }

    async fn dump(&self, _: mpsc::Sender<String>) -> Result<(), AggregateError> {
        Ok(())
    }
}

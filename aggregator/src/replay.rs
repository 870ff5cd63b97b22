//! A replay: errored pings are read again, after a change that accepts more. Each that is folded now loses its error row
//! in the transaction of its sums: so a replay may be called often, end early, and run beside the loop.

use std::collections::BTreeMap;
use std::sync::Arc;

use aggregate_store::{AggregateStore, Batch, Committed, ErroredRow, Kept, Rebuild, RetriedChunk, Source};
use index_schema::{ChunkKind, IndexEntry, Selection};
use ping::{ChunkId, RecordId};

use crate::aggregator::Aggregator;
use crate::batch_fold::{BatchFold, Errored};
use crate::error::AggregatorError;
use crate::inflate::is_retriable;
use crate::metrics;
use crate::parts::{self, Destination, Parts};
use crate::passed_over::PassedOver;
use crate::reader::{OpenChunk, Reader, broken};
use crate::scope::source_of;
use crate::taking_back::{TakingBack, Trouble, tell_passed_over};
use crate::work::Work;

/// Error rows that are looked at together: a few MB.
const ROWS: usize = 10_000;

/// Index entries that are looked at together.
const ENTRIES: usize = 1_000;

/// How far a replay is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayProgress {
    /// Errored pings that were read again, and chunks of bodies too large that were tried again.
    pub tried: u64,
    /// Pings that were errored and are folded now.
    pub replayed: u64,
    /// Errored pings that could not be read, or that displace one that cannot; they stay as they are.
    pub unreadable: u64,
}

/// What came of a replay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Pings that were errored and are folded now.
    pub replayed: u64,
    /// Pings that are errored still, by reason.
    pub still_errored: BTreeMap<String, i64>,
    /// Errored pings that could not be read, or that displace one that cannot; they stay as they are.
    pub unreadable: u64,
    /// Chunks of errored pings that could not be read.
    pub passed_over: PassedOver,
}

/// What was done with some errored pings.
#[derive(Clone, Copy, Debug, Default)]
struct Tried {
    replayed: u64,
    unreadable: u64,
}

impl Aggregator {
    /// Reads all errored pings again and folds those that can be folded now; below the floors they stay as they are. If this
    /// program's rules only accept more than those under which the aggregates were folded, they are put in place first: from then on the loop folds by
    /// them, and what of the replay is left undone by an early end is done by the next.
    ///
    /// # Errors
    /// When index, store or aggregates failed: what was replayed stays so, call it again. Or when the rules differ
    /// otherwise: then only a rebuild helps.
    pub async fn replay_errors(
        &self,
        progress: &(dyn Fn(ReplayProgress) + Send + Sync),
    ) -> Result<Replayed, AggregatorError> {
        self.take_over_rules().await?;
        let before = self.current.get().rebuilds().await?;
        self.work.try_all_again();
        let (mut done, mut passed_over) = (ReplayProgress::default(), PassedOver::default());
        self.replay_rows(&mut done, &mut passed_over, progress).await?;
        self.retry_chunks(&mut done, &mut passed_over, progress).await?;
        self.tell_rebuilds_begun_anew(&before).await?;
        let status = self.current.get().status().await?;
        let ReplayProgress {
            replayed, unreadable, ..
        } = done;
        tracing::info!(replayed, unreadable, "errored pings were read again");
        if !passed_over.is_empty() {
            tracing::warn!(
                chunks = passed_over.chunks,
                "errored pings could not be read again: {passed_over}"
            );
        }
        Ok(Replayed {
            replayed,
            still_errored: status.errored_by_reason,
            unreadable,
            passed_over,
        })
    }

    /// Tries the bodies again that were too large when inflated, under the cap of the rules in use.
    ///
    /// # Errors
    /// When index, store or aggregates failed: what was folded stays so, call it again.
    pub async fn retry_large_bodies(&self) -> Result<(), AggregatorError> {
        let (mut done, mut passed_over) = (ReplayProgress::default(), PassedOver::default());
        self.retry_chunks(&mut done, &mut passed_over, &|_| {}).await
    }

    /// What was under way and had folded pings as errored ones that are folded now began anew, in the transaction of their sums.
    async fn tell_rebuilds_begun_anew(&self, before: &[Rebuild]) -> Result<(), AggregatorError> {
        for rebuild in self.current.get().rebuilds().await? {
            let was = before.iter().find(|was| was.wish == rebuild.wish);
            if was.is_some_and(|was| was.epoch != rebuild.epoch) {
                tracing::info!(
                    epoch = rebuild.epoch,
                    "a rebuild begins anew: it knew pings as errored ones that are folded now"
                );
            }
        }
        Ok(())
    }

    /// Goes on behind a chunk that cannot be read; the error comes back when it is not the chunk's own trouble.
    async fn pass_over(
        &self,
        error: AggregatorError,
        passed_over: &mut PassedOver,
    ) -> Result<(), AggregatorError> {
        match error {
            AggregatorError::Chunk { chunk, reason } => passed_over.note(chunk, reason),
            AggregatorError::Unreachable { chunk, source } => {
                let reason = source.to_string();
                if !self.work.store_answers().await {
                    return Err(AggregatorError::Unreachable { chunk, source });
                }
                passed_over.note(chunk, reason);
            }
            other => return Err(other),
        }
        Ok(())
    }

    /// Puts our rules in the place of stored ones that accept less. Nothing may be folded by ours before that is written:
    /// a program of the old rules that came after us would go on with sums that are not its own.
    async fn take_over_rules(&self) -> Result<(), AggregatorError> {
        let _standing = self.gate.lock().await;
        let aggregates = self.current.get();
        match self.work.check_fold_version(&*aggregates).await {
            Err(AggregatorError::AcceptsMore { stored, ours }) => {
                aggregates.replace_fold_version(&stored, &ours).await?;
                tracing::info!(
                    settings = ours.settings,
                    "the aggregates are folded by these rules from now on"
                );
                self.wake.notify_one();
                Ok(())
            }
            other => other,
        }
    }

    /// Reads every ping with an error row again.
    async fn replay_rows(
        &self,
        done: &mut ReplayProgress,
        passed_over: &mut PassedOver,
        progress: &(dyn Fn(ReplayProgress) + Send + Sync),
    ) -> Result<(), AggregatorError> {
        let mut after: Option<RecordId> = None;
        loop {
            let rows = self.current.get().errored(after, ROWS).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.record);
            let mut by_chunk: BTreeMap<ChunkId, Vec<ErroredRow>> = BTreeMap::new();
            for row in rows {
                by_chunk.entry(row.chunk).or_default().push(row);
            }
            for (chunk, rows) in by_chunk {
                let tried = rows.len() as u64;
                let mut all = Tried::default();
                if let Err(error) = self.replay_chunk(chunk, rows, &mut all).await {
                    self.pass_over(error, passed_over).await?;
                }
                done.replayed += all.replayed;
                done.unreadable += all.unreadable;
                done.tried += tried;
                progress(*done);
            }
        }
    }

    /// Reads the errored pings of one chunk again. With an error, what of them is left is counted as unreadable.
    async fn replay_chunk(
        &self,
        chunk: ChunkId,
        mut rows: Vec<ErroredRow>,
        all: &mut Tried,
    ) -> Result<(), AggregatorError> {
        rows.sort_unstable_by_key(|row| row.position);
        let entry = self.work.index.entry(chunk).await?;
        let Some(entry) = entry else {
            all.unreadable += rows.len() as u64;
            return Err(broken(chunk, &"it is not in the index"));
        };
        while !rows.is_empty() {
            let _folding = self.gate.lock().await;
            if !self.work.may_fold(&entry).await? {
                return Ok(());
            }
            let aggregates = self.current.get();
            let done = self.work.replay_some(&entry, &rows, &aggregates).await;
            let (tried, rest) = match done {
                Ok(done) => done,
                Err(error) => {
                    all.unreadable += rows.len() as u64;
                    return Err(error);
                }
            };
            all.replayed += tried.replayed;
            all.unreadable += tried.unreadable;
            rows = rest;
        }
        Ok(())
    }

    /// Tries the bodies again that were too large when inflated.
    async fn retry_chunks(
        &self,
        done: &mut ReplayProgress,
        passed_over: &mut PassedOver,
        progress: &(dyn Fn(ReplayProgress) + Send + Sync),
    ) -> Result<(), AggregatorError> {
        let selection = Selection {
            kind: Some(ChunkKind::Errors),
            ..Selection::default()
        };
        let mut after: Option<String> = None;
        loop {
            let index = &self.work.index;
            let page = index.select(&selection, after.as_deref(), ENTRIES).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.key.clone());
            for entry in page.iter().filter(|entry| is_retriable(entry)) {
                let _folding = self.gate.lock().await;
                if !self.work.may_fold(entry).await? {
                    continue;
                }
                let aggregates = self.current.get();
                match self.work.retry_one(entry, &aggregates).await {
                    Ok(replayed) => done.replayed += replayed,
                    Err(error) => {
                        self.pass_over(error, passed_over).await?;
                        done.unreadable += entry.records;
                    }
                }
                done.tried += 1;
                progress(*done);
            }
        }
    }
}

impl Work {
    /// Whether a chunk lies above the floors: what is folded below them counts again in days that are deleted, or is taken out of them.
    async fn may_fold(&self, entry: &IndexEntry) -> Result<bool, AggregatorError> {
        Ok(self.index.all_floors().await?.fold(entry))
    }

    /// Replays the first of these rows, until the batch is full; answers what became of them, and the rest.
    async fn replay_some(
        &self,
        entry: &IndexEntry,
        rows: &[ErroredRow],
        aggregates: &Arc<dyn AggregateStore>,
    ) -> Result<(Tried, Vec<ErroredRow>), AggregatorError> {
        loop {
            match self.try_replay(entry, rows.to_vec(), &**aggregates).await {
                Ok(done) => return Ok(done),
                Err(Trouble::Again) => {}
                Err(Trouble::Error(error)) => return Err(error),
            }
        }
    }

    async fn try_replay(
        &self,
        entry: &IndexEntry,
        mut rows: Vec<ErroredRow>,
        aggregates: &dyn AggregateStore,
    ) -> Result<(Tried, Vec<ErroredRow>), Trouble> {
        let mut reader = Reader::new(Arc::clone(&self.store));
        let chunk = reader.open(entry).await?;
        let cap = self.inflated_cap(aggregates).await?;
        let rules = self.in_use(aggregates).await?;
        let (mut batch, mut tried) = (self.new_batch(&rules), Tried::default());
        for frame in chunk.frames() {
            let end = frame.first_record + u64::from(frame.records);
            let rest = rows.split_off(rows.partition_point(|row| u64::from(row.position) < end));
            let errored = Errored {
                rows: std::mem::replace(&mut rows, rest),
                kind: entry.kind,
                cap,
            };
            if errored.rows.is_empty() {
                continue;
            }
            match reader.load(&chunk, *frame).await {
                Ok(()) => {}
                Err(AggregatorError::Chunk { chunk, reason }) => {
                    tracing::warn!(%chunk, reason, "errored pings of a data frame could not be read again");
                    tried.unreadable += errored.rows.len() as u64;
                    continue;
                }
                Err(AggregatorError::Unreachable { chunk, source }) if self.store_answers().await => {
                    tracing::warn!(%chunk, %source, "errored pings of a data frame could not be read again");
                    tried.unreadable += errored.rows.len() as u64;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            let replay =
                move |batch: &mut BatchFold, first: u32, raw: &[u8]| batch.replay_frame(&errored, first, raw);
            batch = self
                .fold_frame(entry.id, *frame, batch, &mut reader, aggregates, replay)
                .await?;
            if batch.bytes() >= self.settings.batch_memory_bytes {
                break;
            }
        }
        // What names no record of the chunk can be found by nobody.
        let beyond = rows.partition_point(|row| u64::from(row.position) < entry.records);
        tried.unreadable += rows.split_off(beyond).len() as u64;
        tried.unreadable += batch.unreadable_rows() + batch.passed_over();
        tried.replayed = self.write_replay(entry, batch, reader, aggregates).await?;
        Ok((tried, rows))
    }

    /// Tries the bodies of a folded chunk of errored pings again, if the cap rose since; answers how many are folded now.
    async fn retry_one(
        &self,
        entry: &IndexEntry,
        aggregates: &Arc<dyn AggregateStore>,
    ) -> Result<u64, AggregatorError> {
        let retry = RetriedChunk {
            id: entry.id,
            before: aggregates
                .retried(&[entry.id])
                .await?
                .first()
                .copied()
                .unwrap_or(0),
            now: self.inflated_cap(&**aggregates).await?,
        };
        let folded = aggregates.folded(&[entry.id]).await?;
        if retry.before >= retry.now || folded != [true] {
            return Ok(0);
        }
        let aggregates = &**aggregates;
        loop {
            let rules = self.in_use(aggregates).await?;
            let (mut replayed, mut passed_over) = (0, 0);
            let fold = async |parts: Arc<Parts>| -> Result<Batch, Trouble> {
                let mut reader = Reader::new(Arc::clone(&self.store));
                let chunk = reader.open(entry).await?;
                let tried = (aggregates, &parts);
                let mut batch = self
                    .retry_chunk((&chunk, entry), retry, self.new_batch(&rules), &mut reader, tried)
                    .await?;
                let (displaced, entries) = (batch.displaced(), std::slice::from_ref(entry));
                let mut taking = TakingBack::new(self, reader, entries, aggregates);
                let batch = taking.take_back(displaced, batch, Some(&parts)).await?;
                (replayed, passed_over) = (batch.replayed_pings(), batch.passed_over());
                Ok(batch.finish())
            };
            return match parts::keep(
                aggregates,
                Destination::Store,
                self.settings.part_memory_bytes,
                fold,
            )
            .await
            {
                Ok(Kept::Outdated) => continue,
                Ok(kept) => {
                    tell_passed_over(passed_over);
                    Ok(Self::told(kept == Kept::Written, replayed))
                }
                Err(Trouble::Again) => continue,
                Err(Trouble::Error(error)) => Err(error),
            };
        }
    }

    /// Tries the bodies of a chunk of errored pings between two caps.
    pub(crate) async fn retry_chunk(
        &self,
        (chunk, entry): (&OpenChunk, &IndexEntry),
        retry: RetriedChunk,
        mut batch: Box<BatchFold>,
        reader: &mut Reader,
        (aggregates, parts): (&dyn AggregateStore, &Arc<Parts>),
    ) -> Result<Box<BatchFold>, AggregatorError> {
        for frame in chunk.frames() {
            let (parts, counted_as) = (Arc::clone(parts), Source::named(&source_of(entry)));
            let work = move |batch: &mut BatchFold, first: u32, raw: &[u8]| {
                batch.retry_frame((retry, &counted_as), first, raw, |batch| parts.hand_over(batch))
            };
            reader.load(chunk, *frame).await?;
            batch = self
                .fold_frame(chunk.id(), *frame, batch, reader, aggregates, work)
                .await?;
        }
        batch.note_retried(retry);
        Ok(batch)
    }

    async fn write_replay(
        &self,
        entry: &IndexEntry,
        mut batch: Box<BatchFold>,
        reader: Reader,
        aggregates: &dyn AggregateStore,
    ) -> Result<u64, Trouble> {
        if batch.is_empty() {
            return Ok(0);
        }
        let (displaced, entries) = (batch.displaced(), std::slice::from_ref(entry));
        let mut taking = TakingBack::new(self, reader, entries, aggregates);
        let batch = taking.take_back(displaced, batch, None).await?;
        let replayed = batch.replayed_pings();
        match aggregates.commit(batch.finish()).await? {
            Committed::Written => Ok(Self::told(true, replayed)),
            // Somebody folded copies of the same documents meanwhile, or other epochs are in use.
            Committed::Outdated => Err(Trouble::Again),
            Committed::AlreadyFolded(_) => Ok(Self::told(false, replayed)),
        }
    }

    /// How many pings are folded now. If somebody else was faster with some of them, what is left over is found by the
    /// next replay.
    fn told(written: bool, replayed: u64) -> u64 {
        let replayed = if written { replayed } else { 0 };
        metrics::replayed(replayed);
        replayed
    }
}

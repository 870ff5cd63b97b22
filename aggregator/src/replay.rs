//! A replay: errored pings are read again, after a change that accepts more. Each that is folded now loses its error row
//! in the transaction of its sums: so a replay may be called often, end early, and run beside the loop.

use std::collections::BTreeMap;
use std::sync::Arc;

use aggregate_store::{AggregateStore, Committed, ErroredRow, Kept, RetriedChunk};
use index_schema::{ChunkKind, IndexEntry, Selection};
use ping::{ChunkId, RecordId};

use crate::aggregator::Aggregator;
use crate::batch_fold::{BatchFold, Errored};
use crate::error::AggregatorError;
use crate::fold::inflated_bytes_of;
use crate::inflate::is_retriable;
use crate::metrics;
use crate::parts::{self, Keep, Parts};
use crate::reader::{Reader, broken};
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
    /// Errored pings whose chunk could not be read; they stay as they are.
    pub unreadable: u64,
}

/// What came of a replay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Pings that were errored and are folded now.
    pub replayed: u64,
    /// Pings that are errored still, by reason.
    pub still_errored: BTreeMap<String, i64>,
    /// Errored pings whose chunk could not be read; they stay as they are.
    pub unreadable: u64,
}

impl Aggregator {
    /// Reads all errored pings again and folds those that can be folded now. If this program's rules only accept more
    /// than those under which the aggregates were folded, they are put in place first: from then on the loop folds by
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
        let mut done = ReplayProgress::default();
        self.replay_rows(&mut done, progress).await?;
        self.retry_chunks(&mut done, progress).await?;
        let status = self.current.get().status().await?;
        let ReplayProgress {
            replayed, unreadable, ..
        } = done;
        tracing::info!(replayed, unreadable, "errored pings were read again");
        Ok(Replayed {
            replayed,
            still_errored: status.errored_by_reason,
            unreadable,
        })
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
                match self.replay_chunk(chunk, rows).await {
                    Ok(replayed) => done.replayed += replayed,
                    Err(AggregatorError::Chunk { chunk, reason }) => {
                        tracing::warn!(%chunk, reason, "errored pings could not be read again");
                        done.unreadable += tried;
                    }
                    Err(error) => return Err(error),
                }
                done.tried += tried;
                progress(*done);
            }
        }
    }

    /// Reads the errored pings of one chunk again; answers how many are folded now.
    async fn replay_chunk(&self, chunk: ChunkId, mut rows: Vec<ErroredRow>) -> Result<u64, AggregatorError> {
        rows.sort_unstable_by_key(|row| row.position);
        let entry = self.work.index.entry(chunk).await?;
        let entry = entry.ok_or_else(|| broken(chunk, &"it is not in the index"))?;
        let mut replayed = 0;
        while !rows.is_empty() {
            let _folding = self.gate.lock().await;
            let aggregates = self.current.get();
            let (folded, rest) = self.work.replay_some(&entry, rows, &aggregates).await?;
            replayed += folded;
            rows = rest;
        }
        Ok(replayed)
    }

    /// Tries the bodies again that were too large when inflated.
    async fn retry_chunks(
        &self,
        done: &mut ReplayProgress,
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
                let aggregates = self.current.get();
                match self.work.retry_one(entry, &aggregates).await {
                    Ok(replayed) => done.replayed += replayed,
                    Err(AggregatorError::Chunk { chunk, reason }) => {
                        tracing::warn!(%chunk, reason, "errored pings could not be read again");
                        done.unreadable += entry.records;
                    }
                    Err(error) => return Err(error),
                }
                done.tried += 1;
                progress(*done);
            }
        }
    }
}

impl Work {
    /// Replays the first of these rows, until the batch is full; answers how many pings are folded now, and the rest.
    async fn replay_some(
        &self,
        entry: &IndexEntry,
        mut rows: Vec<ErroredRow>,
        aggregates: &Arc<dyn AggregateStore>,
    ) -> Result<(u64, Vec<ErroredRow>), AggregatorError> {
        let mut reader = Reader::new(Arc::clone(&self.store));
        let chunk = reader.open(entry).await?;
        let cap = self.inflated_cap(&**aggregates).await?;
        let mut batch = Box::new(BatchFold::new(self.settings.fold.clone()));
        for (number, frame) in chunk.frames().iter().enumerate() {
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
            let replay =
                move |batch: &mut BatchFold, first: u32, raw: &[u8]| batch.replay_frame(&errored, first, raw);
            batch = self
                .fold_frame(&chunk, number, batch, &mut reader, &**aggregates, replay)
                .await?;
            if batch.bytes() >= self.settings.batch_memory_bytes {
                break;
            }
        }
        if rows.iter().any(|row| u64::from(row.position) >= entry.records) {
            return Err(broken(entry.id, &"it has fewer records than errored ones"));
        }
        let replayed = self
            .write_replay(entry, batch, &mut reader, &**aggregates)
            .await?;
        Ok((replayed, rows))
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
        let mut replayed = 0;
        let aggregates = &**aggregates;
        let fold = async |parts: Arc<Parts>| {
            let mut reader = Reader::new(Arc::clone(&self.store));
            let batch = Box::new(BatchFold::new(self.settings.fold.clone()));
            let tried = (aggregates, &parts);
            let mut batch = self.retry_chunk(entry, retry, batch, &mut reader, tried).await?;
            let (displaced, entries) = (batch.displaced(), std::slice::from_ref(entry));
            let to = (aggregates, Some(&parts));
            let batch = self.take_back(displaced, entries, batch, &mut reader, to).await?;
            replayed = batch.replayed_pings();
            Ok(batch.finish())
        };
        let kept = parts::keep(aggregates, Keep::Written, self.settings.part_memory_bytes, fold).await?;
        Ok(Self::told(kept == Kept::Written, replayed))
    }

    /// Tries the bodies of a chunk of errored pings between two caps.
    pub(crate) async fn retry_chunk(
        &self,
        entry: &IndexEntry,
        retry: RetriedChunk,
        mut batch: Box<BatchFold>,
        reader: &mut Reader,
        (aggregates, parts): (&dyn AggregateStore, &Arc<Parts>),
    ) -> Result<Box<BatchFold>, AggregatorError> {
        let chunk = reader.open(entry).await?;
        for number in 0..chunk.frames().len() {
            let parts = Arc::clone(parts);
            let work = move |batch: &mut BatchFold, first: u32, raw: &[u8]| {
                batch.retry_frame(retry, first, raw, |batch| parts.hand_over(batch))
            };
            batch = self
                .fold_frame(&chunk, number, batch, reader, aggregates, work)
                .await?;
        }
        batch.note_retried(retry);
        Ok(batch)
    }

    async fn write_replay(
        &self,
        entry: &IndexEntry,
        mut batch: Box<BatchFold>,
        reader: &mut Reader,
        aggregates: &dyn AggregateStore,
    ) -> Result<u64, AggregatorError> {
        if batch.is_empty() {
            return Ok(0);
        }
        let (displaced, entries) = (batch.displaced(), std::slice::from_ref(entry));
        let batch = self
            .take_back(displaced, entries, batch, reader, (aggregates, None))
            .await?;
        let replayed = batch.replayed_pings();
        let committed = aggregates.commit(batch.finish()).await?;
        Ok(Self::told(committed == Committed::Written, replayed))
    }

    /// How many pings are folded now. If somebody else was faster with some of them, what is left over is found by the
    /// next replay.
    fn told(written: bool, replayed: u64) -> u64 {
        let replayed = if written { replayed } else { 0 };
        metrics::replayed(replayed);
        replayed
    }

    /// The most bytes of an inflated body under the rules of these aggregates.
    pub(crate) async fn inflated_cap(&self, aggregates: &dyn AggregateStore) -> Result<u64, AggregatorError> {
        let stored = aggregates.fold_version().await?;
        Ok(stored.map_or(self.settings.fold.caps.inflated_bytes, |stored| {
            inflated_bytes_of(&stored)
        }))
    }
}

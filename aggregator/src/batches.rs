//! Folds chunks into aggregates, batch by batch: what the live loop and a rebuild have in common.

use std::sync::Arc;
use std::time::Duration;

use aggregate_store::{AggregateStore, Counters, Kept, Rebuild};
use chunk::{DataFrame, RecordError};
use index_schema::{ChunkKind, IndexEntry};
use ping::{ChunkId, DocumentKey};

use crate::batch_fold::{BatchFold, first_try};
use crate::error::AggregatorError;
use crate::inflate::is_retriable;
use crate::metrics;
use crate::parts::{self, Destination, Parts};
use crate::reader::{OpenChunk, Reader, broken};
use crate::share::Fences;
use crate::taking_back::{TakingBack, Trouble, tell_passed_over};
use crate::work::{Rules, Work};

/// How a batch ended.
#[derive(Debug, Default)]
pub(crate) struct BatchEnd {
    /// How many chunks it had.
    pub(crate) chunks: usize,
    /// Those that are folded and written now, by this batch or another one. Those that are held stay pending.
    pub(crate) written: Vec<ChunkId>,
    /// Pings that this batch added, by what became of them.
    pub(crate) counters: Counters,
}

impl Work {
    /// Folds the first of these chunks, none of which is folded yet, until the batch is full, and commits.
    pub(crate) async fn fold_batch(
        &self,
        entries: &[IndexEntry],
        aggregates: &dyn AggregateStore,
    ) -> Result<BatchEnd, AggregatorError> {
        self.fold_and_keep(entries, aggregates, Destination::Store, (None, None))
            .await
    }

    /// The same, but the batch is held in memory where the aggregates have a layer there. One in parts is written. It bears
    /// the fences under which these chunks are folded, if any.
    pub(crate) async fn hold_batch(
        &self,
        entries: &[IndexEntry],
        aggregates: &dyn AggregateStore,
        fences: Option<&Fences>,
    ) -> Result<BatchEnd, AggregatorError> {
        let drops = aggregates.held().drops;
        self.fold_and_keep(entries, aggregates, Destination::Layer { drops }, (fences, None))
            .await
    }

    /// The same for a rebuild of a source, beside what is in use.
    pub(crate) async fn fold_anew(
        &self,
        entries: &[IndexEntry],
        aggregates: &dyn AggregateStore,
        rebuild: &Rebuild,
    ) -> Result<BatchEnd, AggregatorError> {
        self.fold_and_keep(entries, aggregates, Destination::Store, (None, Some(rebuild)))
            .await
    }

    async fn fold_and_keep(
        &self,
        entries: &[IndexEntry],
        aggregates: &dyn AggregateStore,
        destination: Destination,
        (fences, rebuild): (Option<&Fences>, Option<&Rebuild>),
    ) -> Result<BatchEnd, AggregatorError> {
        loop {
            let rules = match rebuild {
                Some(rebuild) => self.of_rebuild(aggregates, rebuild).await?,
                None => self.in_use(aggregates).await?,
            };
            let start = self.clock.monotonic();
            let (mut end, mut taken_back, mut passed_over) = (BatchEnd::default(), 0, 0);
            let fold = async |parts| {
                let batch = self.new_batch(&rules);
                let (batch, displaced) = self
                    .fold_entries(entries, batch, (aggregates, &parts), start)
                    .await?;
                (taken_back, passed_over) = (displaced, batch.passed_over());
                end = BatchEnd {
                    chunks: batch.chunks().len(),
                    written: batch.chunks().iter().map(|chunk| chunk.id).collect(),
                    counters: batch.counters(),
                };
                let mut batch = batch.finish();
                if let Some(fences) = fences {
                    fences.put_on(&mut batch);
                }
                Ok(batch)
            };
            let kept = match parts::keep(aggregates, destination, self.settings.part_memory_bytes, fold).await
            {
                Ok(kept) => kept,
                Err(Trouble::Again) => continue,
                Err(Trouble::Error(error)) => return Err(error),
            };
            match kept {
                Kept::Written => {}
                Kept::Held => end.written.clear(),
                Kept::AlreadyFolded(folded) => return Ok(lost(folded.len())),
                Kept::Outdated => return Ok(lost(end.chunks)),
            }
            let took: Duration = self.clock.monotonic().saturating_sub(start);
            metrics::written(end.counters, end.chunks, taken_back, took);
            tell_passed_over(passed_over);
            return Ok(end);
        }
    }

    /// Folds until the batch is full, and takes displaced copies back. Answers the batch, and how many those were. A chunk
    /// that cannot be opened ends the batch before it, so that what was folded is kept.
    async fn fold_entries(
        &self,
        entries: &[IndexEntry],
        mut batch: Box<BatchFold>,
        (aggregates, parts): (&dyn AggregateStore, &Arc<Parts>),
        start: Duration,
    ) -> Result<(Box<BatchFold>, usize), Trouble> {
        let mut reader = Reader::new(Arc::clone(&self.store));
        for entry in entries {
            let opened = match entry.kind == ChunkKind::Errors && !is_retriable(entry) {
                true => None,
                false => match reader.open(entry).await {
                    Ok(opened) => Some(opened),
                    Err(AggregatorError::Chunk { .. } | AggregatorError::Unreachable { .. })
                        if !batch.chunks().is_empty() =>
                    {
                        break;
                    }
                    Err(error) => return Err(error.into()),
                },
            };
            batch = self
                .fold_chunk(entry, opened.as_ref(), batch, &mut reader, (aggregates, parts))
                .await?;
            let full = batch.bytes() >= self.settings.batch_memory_bytes;
            let time = match batch.is_rebuild() {
                // What is pending waits for it.
                true => self.settings.batch_time / 2,
                false => self.settings.batch_time,
            };
            if full || self.clock.monotonic().saturating_sub(start) >= time {
                break;
            }
        }
        let displaced = batch.displaced();
        let taken_back = displaced.len();
        let mut taking = TakingBack::new(self, reader, entries, aggregates);
        let batch = taking.take_back(displaced, batch, Some(parts)).await?;
        Ok((batch, taken_back))
    }

    /// Folds a chunk; one of errored pings is opened only if some of them may be read.
    async fn fold_chunk(
        &self,
        entry: &IndexEntry,
        opened: Option<&OpenChunk>,
        mut batch: Box<BatchFold>,
        reader: &mut Reader,
        (aggregates, parts): (&dyn AggregateStore, &Arc<Parts>),
    ) -> Result<Box<BatchFold>, AggregatorError> {
        if entry.kind == ChunkKind::Errors {
            batch.count_errors(entry);
            let cap = match batch.is_rebuild() {
                // As far as what is in use tried it, and a replay goes on from there.
                true => aggregates
                    .retried(&[entry.id])
                    .await?
                    .first()
                    .copied()
                    .unwrap_or(0),
                false => self.inflated_cap(aggregates).await?,
            };
            if let Some(chunk) = opened.filter(|_| cap > 0) {
                let retry = first_try(entry.id, cap);
                batch = self
                    .retry_chunk((chunk, entry), retry, batch, reader, (aggregates, parts))
                    .await?;
            }
            batch.end_chunk(entry);
            return Ok(batch);
        }
        let Some(chunk) = opened else {
            return Err(broken(entry.id, &"it was not opened"));
        };
        for frame in chunk.frames() {
            let (id, parts) = (entry.id, Arc::clone(parts));
            let fold = move |batch: &mut BatchFold, first: u32, raw: &[u8]| {
                batch
                    .fold_frame(id, first, raw, |batch| parts.hand_over(batch))
                    .map_err(|error| error.to_string())
            };
            reader.load(chunk, *frame).await?;
            batch = self
                .fold_frame(entry.id, *frame, batch, reader, aggregates, fold)
                .await?;
        }
        batch.end_chunk(entry);
        self.note_read(entry);
        Ok(batch)
    }

    /// Has `work` (the batch, the first record's position, the raw bytes) fold the data frame that was loaded, once the
    /// copies of its documents are known. It answers how many records there are.
    pub(crate) async fn fold_frame(
        &self,
        id: ChunkId,
        frame: DataFrame,
        batch: Box<BatchFold>,
        reader: &mut Reader,
        aggregates: &dyn AggregateStore,
        work: impl FnOnce(&mut BatchFold, u32, &[u8]) -> Result<u32, String> + Send + 'static,
    ) -> Result<Box<BatchFold>, AggregatorError> {
        let first = u32::try_from(frame.first_record).map_err(|error| broken(id, &error))?;
        let ask = |mut batch: Box<BatchFold>, raw: &[u8]| {
            let unknown = batch.unknown_documents(raw);
            (batch, unknown)
        };
        let (batch, unknown): (_, Result<Vec<DocumentKey>, RecordError>) =
            reader.with_loaded(batch, ask).await;
        let unknown = unknown.map_err(|error| broken(id, &error))?;
        let stored = if unknown.is_empty() {
            Vec::new()
        } else {
            aggregates.seen(&unknown).await?
        };
        let fold = move |mut batch: Box<BatchFold>, raw: &[u8]| {
            batch.load(&unknown, stored);
            let folded = work(&mut batch, first, raw);
            (batch, folded)
        };
        let (batch, folded) = reader.with_loaded(batch, fold).await;
        let folded = folded.map_err(|what| broken(id, &what))?;
        if folded != frame.records {
            return Err(broken(id, &"a frame has not as many records as its summary says"));
        }
        Ok(batch)
    }

    /// An empty batch, which passes over what could not be read lately.
    pub(crate) fn new_batch(&self, rules: &Rules) -> Box<BatchFold> {
        let now = self.clock.monotonic();
        let mut unreadable = self.unreadable();
        if !unreadable.is_empty() {
            Arc::make_mut(&mut unreadable).forget_older(now);
        }
        let batch = BatchFold::new(rules.fold.clone(), rules.scope.clone());
        Box::new(batch.passing_over(Arc::clone(&unreadable)))
    }
}

/// A batch was dropped. Which of its chunks are written is seen when they are looked at next.
fn lost(chunks: usize) -> BatchEnd {
    metrics::batch("lost");
    tracing::warn!(
        chunks,
        "a batch was dropped: another aggregator folded some of its chunks first, or copies of its pings"
    );
    BatchEnd::default()
}

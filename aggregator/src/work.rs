//! Folds chunks into aggregates, batch by batch: what the live loop and a rebuild have in common.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aggregate_store::{AggregateStore, Counters, Kept};
use chunk::{RecordError, records};
use index_schema::{ChunkKind, Index, IndexEntry};
use ping::{ChunkId, DocumentKey};
use service::clock::Clock;
use store::Store;

use crate::batch_fold::{BatchFold, Displaced, first_try};
use crate::error::AggregatorError;
use crate::fold::Standing;
use crate::inflate::{inflated, is_retriable};
use crate::metrics;
use crate::parts::{self, Keep, Parts};
use crate::reader::{OpenChunk, Reader, broken};
use crate::settings::AggregatorSettings;
use crate::share::Fences;

/// What folding needs.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) index: Arc<dyn Index>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: AggregatorSettings,
}

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
        self.fold_and_keep(entries, aggregates, Keep::Written, None).await
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
        self.fold_and_keep(entries, aggregates, Keep::Held { drops }, fences)
            .await
    }

    async fn fold_and_keep(
        &self,
        entries: &[IndexEntry],
        aggregates: &dyn AggregateStore,
        keep: Keep,
        fences: Option<&Fences>,
    ) -> Result<BatchEnd, AggregatorError> {
        let start = self.clock.monotonic();
        let (mut end, mut taken_back) = (BatchEnd::default(), 0);
        let fold = async |parts| {
            let (batch, displaced) = self.fold_entries(entries, aggregates, parts, start).await?;
            taken_back = displaced;
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
        let kept = parts::keep(aggregates, keep, self.settings.part_memory_bytes, fold).await?;
        match kept {
            Kept::Written => {}
            Kept::Held => end.written.clear(),
            Kept::AlreadyFolded(folded) => return Ok(lost(folded.len())),
            Kept::Outdated => return Ok(lost(end.chunks)),
        }
        let took: Duration = self.clock.monotonic().saturating_sub(start);
        metrics::written(end.counters, end.chunks, taken_back, took);
        Ok(end)
    }

    /// Folds until the batch is full, and takes displaced copies back. Answers the batch, and how many those were.
    async fn fold_entries(
        &self,
        entries: &[IndexEntry],
        aggregates: &dyn AggregateStore,
        parts: Arc<Parts>,
        start: Duration,
    ) -> Result<(Box<BatchFold>, usize), AggregatorError> {
        let mut reader = Reader::new(Arc::clone(&self.store));
        let mut batch = Box::new(BatchFold::new(self.settings.fold.clone()));
        for entry in entries {
            batch = self
                .fold_chunk(entry, batch, &mut reader, aggregates, &parts)
                .await?;
            let full = batch.bytes() >= self.settings.batch_memory_bytes;
            if full || self.clock.monotonic().saturating_sub(start) >= self.settings.batch_time {
                break;
            }
        }
        let displaced = batch.displaced();
        let taken_back = displaced.len();
        let batch = self
            .take_back(displaced, entries, batch, &mut reader, (aggregates, Some(&parts)))
            .await?;
        Ok((batch, taken_back))
    }

    async fn fold_chunk(
        &self,
        entry: &IndexEntry,
        mut batch: Box<BatchFold>,
        reader: &mut Reader,
        aggregates: &dyn AggregateStore,
        parts: &Arc<Parts>,
    ) -> Result<Box<BatchFold>, AggregatorError> {
        if entry.kind == ChunkKind::Errors {
            batch.count_errors(entry);
            if is_retriable(entry) {
                let retry = first_try(entry.id, self.inflated_cap(aggregates).await?);
                batch = self
                    .retry_chunk(entry, retry, batch, reader, (aggregates, parts))
                    .await?;
            }
            batch.end_chunk(entry);
            return Ok(batch);
        }
        let chunk = reader.open(entry).await?;
        for number in 0..chunk.frames().len() {
            let (id, parts) = (entry.id, Arc::clone(parts));
            let fold = move |batch: &mut BatchFold, first: u32, raw: &[u8]| {
                batch
                    .fold_frame(id, first, raw, |batch| parts.hand_over(batch))
                    .map_err(|error| error.to_string())
            };
            batch = self
                .fold_frame(&chunk, number, batch, reader, aggregates, fold)
                .await?;
        }
        batch.end_chunk(entry);
        Ok(batch)
    }

    /// Has `work` (the batch, the first record's position, the raw bytes) fold a data frame once the copies of its
    /// documents are known. It answers how many records there are.
    pub(crate) async fn fold_frame(
        &self,
        chunk: &OpenChunk,
        number: usize,
        batch: Box<BatchFold>,
        reader: &mut Reader,
        aggregates: &dyn AggregateStore,
        work: impl FnOnce(&mut BatchFold, u32, &[u8]) -> Result<u32, String> + Send + 'static,
    ) -> Result<Box<BatchFold>, AggregatorError> {
        let id = chunk.id();
        let frame = chunk.frames()[number];
        let first = u32::try_from(frame.first_record).map_err(|error| broken(id, &error))?;
        let ask = |batch: Box<BatchFold>, raw: &[u8]| {
            let unknown = batch.unknown_documents(raw);
            (batch, unknown)
        };
        let (batch, unknown): (_, Result<Vec<DocumentKey>, RecordError>) =
            reader.with_frame(chunk, frame, batch, ask).await?;
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
        let (batch, folded) = reader.again(batch, fold).await;
        let folded = folded.map_err(|what| broken(id, &what))?;
        if folded != frame.records {
            return Err(broken(id, &"a frame has not as many records as its summary says"));
        }
        Ok(batch)
    }

    /// Reads each displaced copy again and takes it back.
    pub(crate) async fn take_back(
        &self,
        displaced: Vec<Displaced>,
        entries: &[IndexEntry],
        mut batch: Box<BatchFold>,
        reader: &mut Reader,
        (aggregates, parts): (&dyn AggregateStore, Option<&Arc<Parts>>),
    ) -> Result<Box<BatchFold>, AggregatorError> {
        let known: HashMap<ChunkId, &IndexEntry> = entries.iter().map(|entry| (entry.id, entry)).collect();
        for Displaced { place, by } in displaced {
            let lost = |what: &dyn std::fmt::Display| {
                let chunk = place.chunk;
                broken(
                    by,
                    &format!("it makes a ping of chunk {chunk} a repeat, which cannot be read again: {what}"),
                )
            };
            let entry = match known.get(&place.chunk) {
                Some(entry) => (*entry).clone(),
                None => self
                    .index
                    .entry(place.chunk)
                    .await?
                    .ok_or_else(|| lost(&"it is not in the index"))?,
            };
            let blame = |error| match error {
                AggregatorError::Chunk { reason, .. } => lost(&reason),
                other => other,
            };
            let chunk = reader.open(&entry).await.map_err(blame)?;
            let frame = chunk
                .frame_of(place.position)
                .ok_or_else(|| lost(&"it has no such record"))?;
            let parts = parts.map(Arc::clone);
            let cap = match entry.kind {
                ChunkKind::Pings => None,
                ChunkKind::Errors => Some(self.inflated_cap(aggregates).await?),
            };
            let back = move |mut batch: Box<BatchFold>, raw: &[u8]| {
                let at = u64::from(place.position) - frame.first_record;
                let record = records(raw).nth(usize::try_from(at).unwrap_or(usize::MAX));
                let done = match record {
                    Some(Ok(record)) => {
                        let inflated = cap.and_then(|cap| inflated(&record, cap));
                        let body = inflated.as_deref().unwrap_or(record.body);
                        let taken = batch.take_back(place, body, record.submission_date);
                        taken.map_err(|error| error.to_string())
                    }
                    Some(Err(error)) => Err(error.to_string()),
                    None => Err("its frame has fewer records".to_owned()),
                };
                if let Some(parts) = parts {
                    parts.hand_over(&mut batch);
                }
                (batch, done)
            };
            let (returned, done) = reader
                .with_frame(&chunk, frame, batch, back)
                .await
                .map_err(blame)?;
            done.map_err(|what| lost(&what))?;
            batch = returned;
        }
        Ok(batch)
    }

    /// Whether these aggregates are folded by our rules; aggregates without any get ours.
    pub(crate) async fn check_fold_version(
        &self,
        aggregates: &dyn AggregateStore,
    ) -> Result<(), AggregatorError> {
        let fold = &self.settings.fold;
        let Some(stored) = aggregates.fold_version().await? else {
            return Ok(aggregates.set_fold_version(&fold.version()).await?);
        };
        match fold.standing(&stored) {
            Standing::Same => Ok(()),
            Standing::AcceptMore(ours) => Err(AggregatorError::AcceptsMore { stored, ours }),
            Standing::Other => Err(AggregatorError::OtherFoldVersion {
                ours: fold.beside(&stored),
                stored,
            }),
        }
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

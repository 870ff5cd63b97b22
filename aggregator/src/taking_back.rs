//! Displaced copies are read again from their chunks and taken back. One that cannot be read in three tries is noted, and
//! the batch is folded anew: the ping that would displace it is an errored one then, and the copy stays counted. So an
//! object that is lost, damaged, archived or on a bad sector costs the pings that repeat what is in it, and no others.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aggregate_store::{AggregateError, AggregateStore};
use chunk::{DataFrame, records};
use index_schema::{ChunkKind, IndexEntry, IndexError};
use ping::ChunkId;
use service::task;

use crate::batch_fold::{BatchFold, DISPLACED_UNREADABLE, Displaced};
use crate::copies::RecordPosition;
use crate::error::AggregatorError;
use crate::inflate::inflated;
use crate::metrics;
use crate::parts::Parts;
use crate::reader::{OpenChunk, Reader};
use crate::unreadable::Stretch;
use crate::work::Work;

/// Why a batch was not folded to its end.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Copies that it displaced cannot be read, and that is noted: the same records are to be folded again.
    Again,
    /// Everything else.
    Error(AggregatorError),
}

impl From<AggregatorError> for Trouble {
    fn from(error: AggregatorError) -> Self {
        Self::Error(error)
    }
}

impl From<AggregateError> for Trouble {
    fn from(error: AggregateError) -> Self {
        Self::Error(error.into())
    }
}

impl From<IndexError> for Trouble {
    fn from(error: IndexError) -> Self {
        Self::Error(error.into())
    }
}

/// Reads displaced copies of one batch again.
pub(crate) struct TakingBack<'a> {
    work: &'a Work,
    reader: Reader,
    /// The batch's own chunks.
    entries: HashMap<ChunkId, &'a IndexEntry>,
    aggregates: &'a dyn AggregateStore,
    opened: Option<(OpenChunk, ChunkKind)>,
    /// The first record of the data frame of the opened chunk that the reader has loaded.
    loaded: Option<u64>,
}

/// What cannot be read, and why.
#[derive(Clone, Debug)]
struct Lost {
    chunk: ChunkId,
    stretch: Stretch,
    reason: String,
    /// Whether the store did not say that it is not there.
    is_unreachable: bool,
}

impl Lost {
    fn new(chunk: ChunkId, stretch: Stretch, reason: &dyn std::fmt::Display) -> Self {
        Self {
            chunk,
            stretch,
            reason: reason.to_string(),
            is_unreachable: false,
        }
    }

    /// What failed while it was read. Errors that say nothing of the chunk come back.
    fn by(error: AggregatorError, stretch: Stretch) -> Result<Self, AggregatorError> {
        match error {
            AggregatorError::Chunk { chunk, reason } => Ok(Self::new(chunk, stretch, &reason)),
            AggregatorError::Unreachable { chunk, source } => Ok(Self {
                is_unreachable: true,
                ..Self::new(chunk, stretch, &source)
            }),
            other => Err(other),
        }
    }

    fn holds(&self, place: RecordPosition) -> bool {
        let Stretch { first, last } = self.stretch;
        self.chunk == place.chunk && (first..=last).contains(&place.position)
    }
}

impl<'a> TakingBack<'a> {
    /// For a batch of these chunks.
    pub(crate) fn new(
        work: &'a Work,
        reader: Reader,
        entries: &'a [IndexEntry],
        aggregates: &'a dyn AggregateStore,
    ) -> Self {
        Self {
            work,
            reader,
            entries: entries.iter().map(|entry| (entry.id, entry)).collect(),
            aggregates,
            opened: None,
            loaded: None,
        }
    }

    /// Takes these copies, ascending by their places, back.
    pub(crate) async fn take_back(
        &mut self,
        displaced: Vec<Displaced>,
        mut batch: Box<BatchFold>,
        parts: Option<&Arc<Parts>>,
    ) -> Result<Box<BatchFold>, Trouble> {
        let (mut left, mut lost) = (displaced, Vec::new());
        for pause in [Duration::ZERO].into_iter().chain(self.work.settings.copy_pauses) {
            if left.is_empty() {
                return Ok(batch);
            }
            if !pause.is_zero() {
                task::sleep(pause).await;
                self.opened = None;
            }
            let again: Vec<Displaced> = std::mem::take(&mut left);
            lost.clear();
            for displaced in again {
                let found = match lost.last() {
                    Some(known) if Lost::holds(known, displaced.place) => Err(known.clone()),
                    _ => self.load(displaced.place).await?,
                };
                let taken = match found {
                    Ok((frame, kind)) => {
                        let (returned, taken) = self.subtract(displaced, frame, kind, batch, parts).await?;
                        batch = returned;
                        taken
                    }
                    Err(lost) => Err(lost),
                };
                if let Err(why) = taken {
                    left.push(displaced);
                    lost.push(why);
                }
            }
        }
        if left.is_empty() {
            return Ok(batch);
        }
        self.check_store(&left, &lost).await?;
        self.note(&lost);
        Err(Trouble::Again)
    }

    /// Has the reader load the data frame with this record.
    async fn load(&mut self, place: RecordPosition) -> Result<Result<(DataFrame, ChunkKind), Lost>, Trouble> {
        if self
            .opened
            .as_ref()
            .is_none_or(|(chunk, _)| chunk.id() != place.chunk)
        {
            (self.opened, self.loaded) = (None, None);
            let entry = match self.entries.get(&place.chunk) {
                Some(entry) => Some((*entry).clone()),
                None => self.work.index.entry(place.chunk).await?,
            };
            let Some(entry) = entry else {
                return Ok(Err(Lost::new(
                    place.chunk,
                    Stretch::ALL,
                    &"it is not in the index",
                )));
            };
            match self.reader.open(&entry).await {
                Ok(chunk) => self.opened = Some((chunk, entry.kind)),
                Err(error) => return Ok(Err(Lost::by(error, Stretch::ALL)?)),
            }
        }
        let Some((chunk, kind)) = &self.opened else {
            return Ok(Err(Lost::new(place.chunk, Stretch::ALL, &"it was not opened")));
        };
        let Some(frame) = chunk.frame_of(place.position) else {
            let one = Stretch::one(place.position);
            return Ok(Err(Lost::new(place.chunk, one, &"it has no such record")));
        };
        if self.loaded != Some(frame.first_record) {
            self.loaded = None;
            if let Err(error) = self.reader.load(chunk, frame).await {
                let position = |record: u64| u32::try_from(record).unwrap_or(u32::MAX);
                let stretch = Stretch {
                    first: position(frame.first_record),
                    last: position(frame.first_record + u64::from(frame.records).saturating_sub(1)),
                };
                return Ok(Err(Lost::by(error, stretch)?));
            }
            self.loaded = Some(frame.first_record);
        }
        Ok(Ok((frame, *kind)))
    }

    /// Takes the sums of one copy back, whose frame is loaded.
    async fn subtract(
        &mut self,
        displaced: Displaced,
        frame: DataFrame,
        kind: ChunkKind,
        batch: Box<BatchFold>,
        parts: Option<&Arc<Parts>>,
    ) -> Result<(Box<BatchFold>, Result<(), Lost>), AggregatorError> {
        let parts = parts.map(Arc::clone);
        let cap = match kind {
            ChunkKind::Pings => None,
            ChunkKind::Errors => Some(self.work.inflated_cap(self.aggregates).await?),
        };
        let place = displaced.place;
        let back = move |mut batch: Box<BatchFold>, raw: &[u8]| {
            let at = u64::from(place.position) - frame.first_record;
            let record = records(raw).nth(usize::try_from(at).unwrap_or(usize::MAX));
            let done = match record {
                Some(Ok(record)) => {
                    let inflated = cap.and_then(|cap| inflated(&record, cap));
                    let body = inflated.as_deref().unwrap_or(record.body);
                    let taken = batch.take_back(&displaced, &record, body);
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
        let (batch, done) = self.reader.with_loaded(batch, back).await;
        let done = done.map_err(|what| Lost::new(place.chunk, Stretch::one(place.position), &what));
        Ok((batch, done))
    }

    /// An error when even the chunk with the new copy, which was read a moment ago, cannot be reached any more: then it is
    /// the store's trouble, and everything waits for it.
    async fn check_store(&self, left: &[Displaced], lost: &[Lost]) -> Result<(), AggregatorError> {
        let unreachable = left.iter().zip(lost).find(|(_, lost)| lost.is_unreachable);
        let by = unreachable.and_then(|(displaced, _)| self.entries.get(&displaced.by));
        match by {
            Some(entry) => match self.reader.open(entry).await {
                Err(error @ AggregatorError::Unreachable { .. }) => Err(error),
                _ => Ok(()),
            },
            None => Ok(()),
        }
    }

    fn note(&self, lost: &[Lost]) {
        let now = self.work.clock.monotonic();
        let mut unreadable = self.work.unreadable();
        let noted = Arc::make_mut(&mut unreadable);
        // Those of one stretch follow one another.
        for same in lost.chunk_by(|a, b| (a.chunk, a.stretch) == (b.chunk, b.stretch)) {
            let Lost {
                chunk,
                stretch,
                reason,
                ..
            } = &same[0];
            noted.note(*chunk, *stretch, now);
            tracing::error!(
                %chunk, reason, pings = same.len(),
                "pings of a chunk that counted cannot be read to be taken back; they stay counted, and those that they \
                 repeat are errored for as long as that lasts"
            );
        }
        metrics::displaced_unreadable(lost.len());
    }
}

/// Says how many pings a batch passed over.
pub(crate) fn tell_passed_over(pings: u64) {
    if pings > 0 {
        tracing::warn!(
            pings,
            reason = DISPLACED_UNREADABLE,
            "pings are errored since copies of them that counted cannot be read: when those can be read again, run \
             `highwater replay-errors`"
        );
    }
}

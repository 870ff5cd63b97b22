//! One batch: records in, everything that one transaction writes out. Pure: whoever drives it reads chunks and asks
//! which copies are stored.
//!
//! For each data frame: ask [`BatchFold::unknown_documents`], look their copies up, [`BatchFold::load`] them, then
//! [`BatchFold::fold_frame`]. Before the end, read again what [`BatchFold::displaced`] names and
//! [`BatchFold::take_back`] it. What of that cannot be read is told to another batch, which folds the same records anew
//! ([`BatchFold::passing_over`]).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aggregate_store::{Batch, Counters, ErroredRow, FoldedChunk, RetriedChunk, Source, SourceCounts};
use chunk::{RecordError, RecordRef, records};
use foldhash::fast::RandomState;
use index_schema::IndexEntry;
use ping::{ChunkId, DocumentKey, RecordId, SubmissionDate, Timestamp};

use crate::copies::{Copies, RecordPosition};
use crate::fold::{FoldSettings, Folder, PingError, check_object};
use crate::kinds::{Kinds, Sent};
use crate::reading;
use crate::scope::{Scope, source_of};
use crate::unreadable::Unreadable;

mod lookup;
mod replay;

pub(crate) use self::replay::{Errored, first_try};

/// About what an error row takes.
const ERRORED_BYTES: usize = 128;

/// The reason of a ping whose copy counted before and cannot be read to be taken back. It claims no document: the other
/// copy stays counted. A replay takes it once that one can be read.
pub(crate) const DISPLACED_UNREADABLE: &str = "displaced_unreadable";

/// The reason of a ping whose copy counted before by rules that are not those by which this one is folded: it cannot be taken
/// back. It claims no document, and the other copy stays counted.
pub(crate) const DISPLACED_OTHER_RULES: &str = "displaced_other_rules";

/// Sums and rows of one batch so far.
#[derive(Debug)]
pub(crate) struct BatchFold {
    settings: FoldSettings,
    scope: Scope,
    folder: Folder,
    copies: Copies,
    /// Under which keys the store knows copies of documents, and of what each is.
    keys: HashMap<DocumentKey, StoredKey, RandomState>,
    by_source: BTreeMap<(Source, SubmissionDate), SourceCounts>,
    kinds: Kinds,
    chunks: Vec<FoldedChunk>,
    errored: Vec<ErroredRow>,
    errored_by_reason: BTreeMap<String, i64>,
    counters: Counters,
    newest_received: Option<Timestamp>,
    displaced: Vec<Displaced>,
    replayed: Vec<ErroredRow>,
    retried: Vec<RetriedChunk>,
    replayed_pings: u64,
    unreadable: Arc<Unreadable>,
    passed_over: u64,
    unreadable_rows: u64,
}

/// The document, its source, and the epoch in which copies lie that the store knows under a key.
#[derive(Clone, Debug)]
struct StoredKey {
    document: DocumentKey,
    source: Source,
    epoch: u32,
}

/// A copy that counted and is a repeat now: its sums are to be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Displaced {
    /// Where it should lie.
    pub(crate) place: RecordPosition,
    /// Which record it is.
    pub(crate) record: RecordId,
    /// The chunk with the copy that makes it a repeat.
    pub(crate) by: ChunkId,
}

/// What lies where a displaced copy should: it must not be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTheSame {
    /// Another record: what told the place is wrong, or the object is another one.
    #[error("another record lies in its place")]
    Record,
    /// It was folded before, and is no ping that can be folded now: a defect, or damage.
    #[error("it was folded before and cannot be read the same way again")]
    Body,
}

impl BatchFold {
    pub(crate) fn new(settings: FoldSettings, scope: Scope) -> Self {
        let folder = Folder::within(settings.caps).counting(Arc::clone(&settings.strings));
        Self {
            scope,
            ..Self::with_folder(settings, folder)
        }
    }

    /// The same with a folder of the caller's.
    pub(crate) fn with_folder(settings: FoldSettings, folder: Folder) -> Self {
        Self {
            folder,
            copies: Copies::new(settings.repeat_window),
            scope: Scope::default(),
            keys: HashMap::default(),
            by_source: BTreeMap::new(),
            kinds: Kinds::default(),
            settings,
            chunks: Vec::new(),
            errored: Vec::new(),
            errored_by_reason: BTreeMap::new(),
            counters: Counters::default(),
            newest_received: None,
            displaced: Vec::new(),
            replayed: Vec::new(),
            retried: Vec::new(),
            replayed_pings: 0,
            unreadable: Arc::default(),
            passed_over: 0,
            unreadable_rows: 0,
        }
    }

    /// The same, but a ping that would displace a copy in such a place is errored instead.
    pub(crate) fn passing_over(mut self, unreadable: Arc<Unreadable>) -> Self {
        self.unreadable = unreadable;
        self
    }

    /// Folds the records of a decoded data frame, of which `first` is the first one's position in the chunk. After each
    /// of them `after_record` may take a part of the batch. Answers how many there were.
    pub(crate) fn fold_frame(
        &mut self,
        chunk: ChunkId,
        first: u32,
        frame: &[u8],
        mut after_record: impl FnMut(&mut Self),
    ) -> Result<u32, RecordError> {
        let mut position = first;
        for record in records(frame) {
            self.fold(&record?, RecordPosition { chunk, position });
            after_record(self);
            position += 1;
        }
        Ok(position - first)
    }

    fn fold(&mut self, record: &RecordRef<'_>, place: RecordPosition) {
        let sent = self.sent(record);
        let (source, day) = (&sent.kind.source, record.submission_date);
        if !self.scope.takes(source.as_str(), day) {
            return;
        }
        let stored_only = Counters {
            stored_only: 1,
            ..Counters::default()
        };
        if sent.kind.reading.is_none() {
            match check_object(record.body) {
                Ok(()) => self.note(source, day, stored_only),
                Err(error) => self.error(source, record, place, error.reason()),
            }
            return;
        }
        match self.read(record, record.body, &sent) {
            Ok(true) => {}
            Ok(false) => {
                self.note(source, day, stored_only);
                return;
            }
            Err(error) => {
                self.error(source, record, place, error.reason());
                return;
            }
        }
        let document = sent.document_key();
        if let Some(reason) = self.must_pass_over(source, record, document) {
            self.error(source, record, place, reason);
            return;
        }
        self.count(source, record, document, place);
    }

    /// What was sent, and of which kind it is.
    fn sent(&mut self, record: &RecordRef<'_>) -> Sent {
        self.kinds.sent(record.uri, &self.settings, &self.scope)
    }

    /// Counts pings of a source and day.
    fn note(&mut self, source: &Source, day: SubmissionDate, counters: Counters) {
        self.counters.add(&counters);
        self.of_source(source, day).counters.add(&counters);
    }

    /// Counts an errored ping, or one less.
    fn note_reason(&mut self, source: &Source, day: SubmissionDate, reason: &str, pings: i64) {
        *self.errored_by_reason.entry(reason.to_owned()).or_default() += pings;
        let counts = self.of_source(source, day);
        *counts.errored_by_reason.entry(reason.to_owned()).or_default() += pings;
    }

    fn of_source(&mut self, source: &Source, day: SubmissionDate) -> &mut SourceCounts {
        self.by_source.entry((source.clone(), day)).or_default()
    }

    /// Reads a body, in place of the one before. False when its type is one that may be counted and it is not.
    fn read(&mut self, record: &RecordRef<'_>, body: &[u8], sent: &Sent) -> Result<bool, PingError> {
        reading::read(&mut self.folder, &self.settings, record, body, sent)
    }

    /// Why a ping may not count, for it would displace a copy that cannot be taken back.
    fn must_pass_over(
        &mut self,
        source: &Source,
        record: &RecordRef<'_>,
        document: Option<DocumentKey>,
    ) -> Option<&'static str> {
        let displaced = self.copies.displaced_by(document?, record.received, record.id)?;
        if displaced.epoch != self.scope.epoch(source.as_str(), record.submission_date) {
            return Some(DISPLACED_OTHER_RULES);
        }
        let is_unreadable = !self.unreadable.is_empty() && self.unreadable.holds(displaced.place);
        self.passed_over += u64::from(is_unreadable);
        is_unreadable.then_some(DISPLACED_UNREADABLE)
    }

    /// Counts the ping that was read last: as a copy, which is in the cells or not.
    fn count(
        &mut self,
        source: &Source,
        record: &RecordRef<'_>,
        document: Option<DocumentKey>,
        place: RecordPosition,
    ) {
        let epoch = self.scope.epoch(source.as_str(), record.submission_date);
        self.newest_received = self.newest_received.max(Some(record.received));
        self.folder.note_user();
        let verdict = document.map(|key| self.copies.take(key, record.received, record.id, (place, epoch)));
        let counts = verdict.is_none_or(|verdict| verdict.counts);
        if counts {
            self.folder.add();
        }
        let counted = Counters {
            folded: i64::from(counts),
            repeated: i64::from(!counts),
            ..Counters::default()
        };
        self.note(source, record.submission_date, counted);
        if let Some(displaced) = verdict.and_then(|verdict| verdict.displaced) {
            let changed = Counters {
                folded: -1,
                repeated: 1,
                ..Counters::default()
            };
            self.note(source, displaced.received.submission_date(), changed);
            self.displaced.push(Displaced {
                place: displaced.place,
                record: displaced.record,
                by: place.chunk,
            });
        }
    }

    fn error(&mut self, source: &Source, record: &RecordRef<'_>, place: RecordPosition, reason: &str) {
        let errored = Counters {
            errored_pings: 1,
            ..Counters::default()
        };
        self.note(source, record.submission_date, errored);
        self.note_reason(source, record.submission_date, reason, 1);
        self.errored.push(ErroredRow {
            source: self.in_epoch(source, record.submission_date),
            record: record.id,
            submission_date: record.submission_date,
            chunk: place.chunk,
            position: place.position,
            reason: reason.to_owned(),
        });
    }

    /// A source in the epoch into which its pings of a day are folded.
    fn in_epoch(&self, source: &Source, day: SubmissionDate) -> Source {
        source.in_epoch(self.scope.epoch(source.as_str(), day))
    }

    /// Counts the records of a chunk of errored pings by their reasons; their bodies are not looked into. They are counted of the source
    /// that the chunk's partition names.
    pub(crate) fn count_errors(&mut self, entry: &IndexEntry) {
        let (source, day) = (Source::named(&source_of(entry)), entry.submission_date());
        if !self.scope.takes(source.as_str(), day) {
            return;
        }
        let count = |records: u64| i64::try_from(records).unwrap_or(i64::MAX);
        let errored = Counters {
            errored_pings: count(entry.records),
            ..Counters::default()
        };
        self.note(&source, day, errored);
        for (reason, records) in &entry.error_reasons {
            self.note_reason(&source, day, reason, count(*records));
        }
    }

    /// Notes that all of a chunk is in this batch.
    pub(crate) fn end_chunk(&mut self, entry: &IndexEntry) {
        self.chunks.push(FoldedChunk {
            id: entry.id,
            key: entry.key.clone(),
            submission_date: entry.submission_date(),
            records: entry.records,
        });
    }

    /// The copies whose sums must be taken back before the end. They are named once.
    pub(crate) fn displaced(&mut self) -> Vec<Displaced> {
        let mut displaced = std::mem::take(&mut self.displaced);
        displaced.sort_by_key(|displaced| displaced.place);
        displaced
    }

    /// Takes the sums of a displaced copy back. `record` is what lies where it should, and `body` that one's body.
    pub(crate) fn take_back(
        &mut self,
        displaced: &Displaced,
        record: &RecordRef<'_>,
        body: &[u8],
    ) -> Result<(), NotTheSame> {
        if record.id != displaced.record {
            return Err(NotTheSame::Record);
        }
        let sent = self.sent(record);
        let is_folded = sent.folded(&self.scope, record.submission_date).is_some();
        if !is_folded || self.read(record, body, &sent) != Ok(true) {
            return Err(NotTheSame::Body);
        }
        self.folder.subtract();
        Ok(())
    }

    /// How many pings are errored because they would displace a copy that cannot be read.
    pub(crate) const fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// The chunks folded so far.
    pub(crate) fn chunks(&self) -> &[FoldedChunk] {
        &self.chunks
    }

    /// Counters so far.
    pub(crate) const fn counters(&self) -> Counters {
        self.counters
    }

    /// About how much memory the batch takes.
    pub(crate) fn bytes(&self) -> usize {
        self.part_bytes() + self.copies.bytes()
    }

    /// About how much memory the sums and error rows take: what [`take_part`](Self::take_part) frees.
    pub(crate) fn part_bytes(&self) -> usize {
        self.folder.bytes() + (self.errored.len() + self.replayed.len()) * ERRORED_BYTES
    }

    /// The sums and error rows so far, to be written in the same transaction as the rest.
    pub(crate) fn take_part(&mut self) -> Batch {
        let mut part = Batch {
            errored: std::mem::take(&mut self.errored),
            replayed: std::mem::take(&mut self.replayed),
            ..self.folder.take()
        };
        self.place(&mut part);
        part
    }

    /// Puts all that a batch names into its epochs.
    fn place(&self, batch: &mut Batch) {
        (batch.epochs, batch.rebuild) = (self.scope.number(), self.scope.rebuild());
        let epoch = |source: &Source, day| self.scope.epoch(source.as_str(), day);
        let sets = batch.dimension_sets.iter_mut();
        for set in sets.chain(batch.users.iter_mut().map(|(set, _)| set)) {
            let epoch = epoch(set.source(), set.submission_date());
            if epoch != set.source().epoch() {
                *set = set.clone().in_epoch(epoch);
            }
        }
        let counts = std::mem::take(&mut batch.by_source).into_iter();
        let counts =
            counts.map(|((source, day), counts)| ((source.in_epoch(epoch(&source, day)), day), counts));
        batch.by_source = counts.collect();
    }

    /// What is to be written.
    pub(crate) fn finish(mut self) -> Batch {
        debug_assert!(self.displaced.is_empty(), "displaced copies were taken back");
        let mut sums = self.folder.take();
        for (place, counts) in std::mem::take(&mut self.by_source) {
            sums.by_source.entry(place).or_default().add(&counts);
        }
        self.place(&mut sums);
        Batch {
            chunks: self.chunks,
            seen: self.copies.changed(),
            known: self.copies.known(),
            errored: self.errored,
            replayed: self.replayed,
            retried: self.retried,
            counters: self.counters,
            errored_by_reason: self.errored_by_reason,
            newest_received: self.newest_received,
            ..sums
        }
    }
}

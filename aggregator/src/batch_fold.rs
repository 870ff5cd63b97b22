//! One batch: records in, everything that one transaction writes out. Pure: whoever drives it reads chunks and asks
//! which copies are stored.
//!
//! For each data frame: ask [`BatchFold::unknown_documents`], look their copies up, [`BatchFold::load`] them, then
//! [`BatchFold::fold_frame`]. Before the end, read again what [`BatchFold::displaced`] names and
//! [`BatchFold::take_back`] it. What of that cannot be read is told to another batch, which folds the same records anew
//! ([`BatchFold::passing_over`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aggregate_store::{Batch, Counters, ErroredRow, FoldedChunk, RetriedChunk, SeenRow};
use chunk::{RecordError, RecordRef, records};
use index_schema::IndexEntry;
use ping::{ChunkId, DocumentKey, RecordId, Submission, Timestamp};
use readers::declared::Submitted;
use readers::glean::Received;

use crate::copies::{Copies, RecordPosition};
use crate::fold::{FoldSettings, Folder, PingError, Reading, check_object};
use crate::unreadable::Unreadable;

mod replay;

pub(crate) use self::replay::{Errored, first_try};

/// About what an error row takes.
const ERRORED_BYTES: usize = 128;

/// The reason of a ping whose copy counted before and cannot be read to be taken back. It claims no document: the other
/// copy stays counted. A replay takes it once that one can be read.
pub(crate) const DISPLACED_UNREADABLE: &str = "displaced_unreadable";

/// Sums and rows of one batch so far.
#[derive(Debug)]
pub(crate) struct BatchFold {
    settings: FoldSettings,
    folder: Folder,
    copies: Copies,
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
    pub(crate) fn new(settings: FoldSettings) -> Self {
        let folder = Folder::within(settings.caps).counting(Arc::clone(&settings.strings));
        Self::with_folder(settings, folder)
    }

    /// The same with a folder of the caller's.
    pub(crate) fn with_folder(settings: FoldSettings, folder: Folder) -> Self {
        Self {
            folder,
            copies: Copies::new(settings.repeat_window),
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

    /// The documents in a decoded data frame whose stored copies are not loaded yet.
    pub(crate) fn unknown_documents(&self, frame: &[u8]) -> Result<Vec<DocumentKey>, RecordError> {
        let mut unknown = BTreeSet::new();
        for record in records(frame) {
            let key = self
                .folded(&record?)
                .and_then(|submission| submission.document_key());
            unknown.extend(key.filter(|key| !self.copies.knows(key)));
        }
        Ok(unknown.into_iter().collect())
    }

    /// Takes in all stored copies of these documents.
    pub(crate) fn load(&mut self, documents: &[DocumentKey], stored: Vec<SeenRow>) {
        self.copies.load(documents, stored);
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
        let Some(submission) = self.folded(record) else {
            match check_object(record.body) {
                Ok(()) => self.counters.stored_only += 1,
                Err(error) => self.error(record, place, error.reason()),
            }
            return;
        };
        match self.read(record, record.body, &submission) {
            Ok(true) => {}
            Ok(false) => {
                self.counters.stored_only += 1;
                return;
            }
            Err(error) => {
                self.error(record, place, error.reason());
                return;
            }
        }
        if self.must_pass_over(record, &submission) {
            self.error(record, place, DISPLACED_UNREADABLE);
            return;
        }
        self.count(record, &submission, place);
    }

    /// Reads a body, in place of the one before. False when its type is one that may be counted and it is not.
    fn read(
        &mut self,
        record: &RecordRef<'_>,
        body: &[u8],
        submission: &Submission,
    ) -> Result<bool, PingError> {
        match self.settings.reader_of(submission) {
            None => Ok(false),
            Some(Reading::Telemetry) => self.folder.read(body, record.submission_date).map(|()| true),
            Some(Reading::Glean) => {
                let received = Received {
                    namespace: &submission.namespace,
                    document_type: submission.document_type.as_deref().unwrap_or_default(),
                    date: record.submission_date,
                    source_tags: None,
                    is_declared: self.settings.is_bare(submission),
                };
                self.folder.read_glean(body, &received)
            }
            Some(Reading::Declared(product)) => {
                let header = |name: &str| {
                    let mut headers = record.headers();
                    headers.find_map(|(header, value)| (header == name).then_some(value))
                };
                let submitted = Submitted {
                    received: record.submission_date,
                    header: &header,
                    submission: Some(submission),
                };
                self.folder
                    .read_declared(body, &product, submitted)
                    .map(|()| true)
            }
        }
    }

    /// Whether a ping would displace a copy that cannot be read.
    fn must_pass_over(&mut self, record: &RecordRef<'_>, submission: &Submission) -> bool {
        if self.unreadable.is_empty() {
            return false;
        }
        let displaced = submission
            .document_key()
            .and_then(|key| self.copies.displaced_by(key, record.received, record.id));
        let passed_over = displaced.is_some_and(|place| self.unreadable.holds(place));
        self.passed_over += u64::from(passed_over);
        passed_over
    }

    /// Counts the ping that was read last: as a copy, which is in the cells or not.
    fn count(&mut self, record: &RecordRef<'_>, submission: &Submission, place: RecordPosition) {
        self.newest_received = self.newest_received.max(Some(record.received));
        self.folder.note_user();
        let verdict = submission
            .document_key()
            .map(|key| self.copies.take(key, record.received, record.id, place));
        if verdict.is_none_or(|verdict| verdict.counts) {
            self.counters.folded += 1;
            self.folder.add();
        } else {
            self.counters.repeated += 1;
        }
        if let Some((displaced, record)) = verdict.and_then(|verdict| verdict.displaced) {
            self.counters.folded -= 1;
            self.counters.repeated += 1;
            self.displaced.push(Displaced {
                place: displaced,
                record,
                by: place.chunk,
            });
        }
    }

    fn error(&mut self, record: &RecordRef<'_>, place: RecordPosition, reason: &str) {
        self.counters.errored_pings += 1;
        *self.errored_by_reason.entry(reason.to_owned()).or_default() += 1;
        self.errored.push(ErroredRow {
            record: record.id,
            submission_date: record.submission_date,
            chunk: place.chunk,
            position: place.position,
            reason: reason.to_owned(),
        });
    }

    /// The submission of a record whose type is folded.
    fn folded(&self, record: &RecordRef<'_>) -> Option<Submission> {
        let submission = Submission::parse(&String::from_utf8_lossy(record.uri)).ok()?;
        self.settings.folds(&submission).then_some(submission)
    }

    /// Counts the records of a chunk of errored pings by their reasons; their bodies are not looked into.
    pub(crate) fn count_errors(&mut self, entry: &IndexEntry) {
        let count = |records: u64| i64::try_from(records).unwrap_or(i64::MAX);
        self.counters.errored_pings += count(entry.records);
        for (reason, records) in &entry.error_reasons {
            *self.errored_by_reason.entry(reason.clone()).or_default() += count(*records);
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
        let submission = self.folded(record).ok_or(NotTheSame::Body)?;
        if self.read(record, body, &submission) != Ok(true) {
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
        Batch {
            errored: std::mem::take(&mut self.errored),
            replayed: std::mem::take(&mut self.replayed),
            ..self.folder.take()
        }
    }

    /// What is to be written.
    pub(crate) fn finish(mut self) -> Batch {
        debug_assert!(self.displaced.is_empty(), "displaced copies were taken back");
        let sums = self.folder.take();
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

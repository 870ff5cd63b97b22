//! What errored pings add to a batch when they are read again.

use aggregate_store::{Counters, ErroredRow, RetriedChunk, Source};
use chunk::{RecordRef, records};
use index_schema::ChunkKind;
use ping::ChunkId;

use super::BatchFold;
use crate::copies::RecordPosition;
use crate::fold::check_object;
use crate::inflate::{TOO_LARGE, inflated};
use crate::kinds::Sent;

/// Errored pings of one chunk, and how their bodies are come by.
#[derive(Clone, Debug)]
pub(crate) struct Errored {
    /// Their rows, ascending by position.
    pub(crate) rows: Vec<ErroredRow>,
    /// What the chunk holds: in a chunk of errored pings, bodies are inflated first.
    pub(crate) kind: ChunkKind,
    /// The most bytes of an inflated body.
    pub(crate) cap: u64,
}

impl BatchFold {
    /// Folds those of the rows that lie in this decoded data frame. Answers how many records the frame has.
    pub(crate) fn replay_frame(
        &mut self,
        errored: &Errored,
        first: u32,
        frame: &[u8],
    ) -> Result<u32, String> {
        let mut position = first;
        for record in records(frame) {
            let record = record.map_err(|error| error.to_string())?;
            if let Ok(at) = errored.rows.binary_search_by_key(&position, |row| row.position) {
                let row = &errored.rows[at];
                if row.record == record.id {
                    self.replay(row, &record, errored);
                } else {
                    // What told the place is wrong, or the object is another one. The row stays.
                    self.unreadable_rows += 1;
                }
            }
            position += 1;
        }
        Ok(position - first)
    }

    fn replay(&mut self, row: &ErroredRow, record: &RecordRef<'_>, errored: &Errored) {
        let sent = self.sent(record);
        match errored.kind {
            ChunkKind::Pings => self.read_again(record, record.body, &sent, row, true),
            ChunkKind::Errors => {
                if let Some(body) = inflated(record, errored.cap) {
                    self.read_again(record, &body, &sent, row, true);
                }
            }
        }
    }

    /// Folds those records of a decoded data frame of errored pings that are too large under the cap before and not under
    /// the one now; and, if nothing was tried before, those that can be decoded otherwise. All of them are counted as errored. After each `after_record` may take a part of the batch. Answers how many records the frame has.
    pub(crate) fn retry_frame(
        &mut self,
        (retry, counted_as): (RetriedChunk, &Source),
        first: u32,
        frame: &[u8],
        mut after_record: impl FnMut(&mut Self),
    ) -> Result<u32, String> {
        let mut position = first;
        for record in records(frame) {
            let record = record.map_err(|error| error.to_string())?;
            let sent = self.sent(&record);
            let reason = record.error.unwrap_or(TOO_LARGE);
            let is_untried = |body: &Vec<u8>| match reason {
                TOO_LARGE => body.len() as u64 > retry.before,
                _ => retry.before == 0,
            };
            let body = match sent.folded(&self.scope, record.submission_date) {
                Some(_) => inflated(&record, retry.now).filter(is_untried),
                None => None,
            };
            if let Some(body) = body {
                let row = ErroredRow {
                    source: counted_as.clone(),
                    record: record.id,
                    submission_date: record.submission_date,
                    chunk: retry.id,
                    position,
                    reason: reason.to_owned(),
                };
                self.read_again(&record, &body, &sent, &row, false);
                after_record(self);
            }
            position += 1;
        }
        Ok(position - first)
    }

    /// Notes under which cap a chunk of errored pings is tried by this batch. A rebuild tries it under the same one again, and is
    /// not written when that is another one by then.
    pub(crate) fn note_retried(&mut self, retry: RetriedChunk) {
        let before = if self.is_rebuild() {
            retry.now
        } else {
            retry.before
        };
        self.retried.push(RetriedChunk { before, ..retry });
    }

    /// Whether it is folded into the epoch of a rebuild.
    pub(crate) fn is_rebuild(&self) -> bool {
        self.scope.rebuild().is_some()
    }

    /// Pings that were counted as errored and are folded by this batch.
    pub(crate) const fn replayed_pings(&self) -> u64 {
        self.replayed_pings
    }

    /// Error rows whose record is not where it should be.
    pub(crate) const fn unreadable_rows(&self) -> u64 {
        self.unreadable_rows
    }

    /// Whether this batch changes anything.
    pub(crate) const fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.replayed.is_empty() && self.retried.is_empty()
    }

    /// Reads an errored ping again; its row, if it is stored, goes or gets another reason.
    fn read_again(
        &mut self,
        record: &RecordRef<'_>,
        body: &[u8],
        sent: &Sent,
        row: &ErroredRow,
        stored: bool,
    ) {
        let (source, day) = (&sent.kind.source, record.submission_date);
        let is_folded = sent.folded(&self.scope, day).is_some();
        let read = match is_folded {
            true => self.read(record, body, sent),
            false => check_object(body).map(|()| false),
        };
        let document = sent.document_key();
        let reason = match read {
            Err(error) => Some(error.reason()),
            Ok(true) => self.must_pass_over(source, record, document),
            Ok(false) => None,
        };
        if stored && reason == Some(&row.reason) {
            return;
        }
        let counted_as = row.source.in_epoch(0);
        // What was counted as another source's is taken from there, but not by a rebuild, which did not count it.
        let is_counted = self.scope.takes(counted_as.as_str(), day);
        if is_counted {
            self.note_reason(&counted_as, day, &row.reason, -1);
        }
        if stored {
            self.replayed.push(row.clone());
        }
        if let Some(reason) = reason {
            if is_counted {
                self.note_reason(&counted_as, day, reason, 1);
            }
            self.errored.push(ErroredRow {
                source: self.in_epoch(&counted_as, day),
                reason: reason.to_owned(),
                ..row.clone()
            });
            return;
        }
        if is_counted {
            let one_less = Counters {
                errored_pings: -1,
                ..Counters::default()
            };
            self.note(&counted_as, day, one_less);
        }
        self.replayed_pings += 1;
        let place = RecordPosition {
            chunk: row.chunk,
            position: row.position,
        };
        if read == Ok(true) {
            self.count(source, record, document, place);
        } else {
            let stored_only = Counters {
                stored_only: 1,
                ..Counters::default()
            };
            self.note(source, day, stored_only);
        }
    }
}

/// The caps between which a chunk of errored pings is tried when it is folded for the first time.
pub(crate) const fn first_try(id: ChunkId, cap: u64) -> RetriedChunk {
    RetriedChunk {
        id,
        before: 0,
        now: cap,
    }
}

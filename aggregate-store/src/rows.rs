//! Rows that a batch writes beside cells and sketches: folded chunks, seen copies, errored pings.

use ping::{ChunkId, DocumentKey, RecordId, SubmissionDate, Timestamp};

use crate::Source;

/// A chunk that a batch folds: the unit of exactly-once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedChunk {
    /// Its identity.
    pub id: ChunkId,
    /// Its key in the store.
    pub key: String,
    /// The submission date of its records.
    pub submission_date: SubmissionDate,
    /// Its records, counted or not.
    pub records: u64,
}

/// One copy of a document. The row of a copy is known by its document and its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRow {
    /// The document.
    pub key: DocumentKey,
    /// When this copy was received.
    pub received: Timestamp,
    /// The record that is this copy.
    pub record: RecordId,
    /// The chunk in which it should lie. The chunk may be deleted before this row: who reads the record compares its id.
    pub chunk: ChunkId,
    /// Its position in that chunk; the first record has 0.
    pub position: u32,
    /// Whether it is in the cells: it counts unless it repeats another copy.
    pub counted: bool,
}

/// A ping that could not be folded. It stays in its chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErroredRow {
    /// Where it came from, in the epoch in which it is counted; [`ping::OTHER`] where an older program did not say so.
    pub source: Source,
    /// The record.
    pub record: RecordId,
    /// The day on which it was received.
    pub submission_date: SubmissionDate,
    /// The chunk in which it should lie. The chunk may be deleted before this row: who reads the record compares its id.
    pub chunk: ChunkId,
    /// Its position in that chunk; the first record has 0.
    pub position: u32,
    /// Why, as one word such as `duplicate_key`.
    pub reason: String,
}

/// A chunk of errored pings in which bodies that were too large when inflated were tried again under a higher cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetriedChunk {
    /// Its identity.
    pub id: ChunkId,
    /// The cap under which it was tried before, in bytes; 0 when it never was.
    pub before: u64,
    /// The cap under which it was tried now, in bytes.
    pub now: u64,
}

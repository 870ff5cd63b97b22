//! An index entry: the fact that a chunk exists, with counts and times.

use std::collections::BTreeMap;

use ping::{ChunkId, Partition, SubmissionDate, Timestamp};

/// What kind of pings a chunk holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChunkKind {
    /// Pings whose bodies could be taken apart.
    Pings,
    /// Pings that could not, as sent, each with its reason.
    Errors,
}

/// The fact that a chunk exists: one row of the index, unique by key and by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// The object's key.
    pub key: String,
    /// The chunk's identity.
    pub id: ChunkId,
    /// What it holds.
    pub kind: ChunkKind,
    /// Its dimension values.
    pub partition: Partition,
    /// Records in it.
    pub records: u64,
    /// Bytes of the uncompressed record stream.
    pub raw_bytes: u64,
    /// Bytes of the object.
    pub stored_bytes: u64,
    /// Bytes of the bodies as received.
    pub received_bytes: u64,
    /// Receive time of its oldest record.
    pub received_min: Timestamp,
    /// Receive time of its newest record.
    pub received_max: Timestamp,
    /// When it was sealed.
    pub sealed: Timestamp,
    /// Chunks that it replaces.
    pub replaces: Vec<ChunkId>,
    /// Records by reason, in an error chunk.
    pub error_reasons: BTreeMap<String, u64>,
}

impl IndexEntry {
    /// The UTC day all its records were received on.
    pub fn submission_date(&self) -> SubmissionDate {
        self.received_min.submission_date()
    }
}

//! Why something was not written into a chunk, and what to do then.

use std::io;

use crate::limits::{RECORD_RAW_BYTES_MAX, REPLACES_MAX};

/// A limit of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Bytes as stored.
    StoredBytes,
    /// Records.
    Records,
    /// Bytes of the uncompressed record stream.
    RawBytes,
    /// Log incarnations.
    Incarnations,
}

/// Why something was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// With this record the chunk would pass a limit. Nothing was written: finish it, and put the record into the next.
    #[error("the chunk is full ({0:?}): finish it and begin another")]
    Full(Limit),
    /// No chunk can hold the record.
    #[error("a record of {bytes} bytes fits no chunk: the most is {RECORD_RAW_BYTES_MAX}")]
    TooLarge {
        /// Its bytes.
        bytes: usize,
    },
    /// The record does not belong into this chunk.
    #[error("the record does not belong into this chunk: {0}")]
    Misplaced(&'static str),
    /// The chunk has no record: there is nothing to write.
    #[error("a chunk without a record is none")]
    Empty,
    /// The summary would be larger than a reader takes.
    #[error("the chunk's head is too large: at most {REPLACES_MAX} replaced chunks, short names")]
    Head,
    /// The sink or the compression failed. The chunk is lost: begin it anew.
    #[error("writing the chunk: {0}")]
    Io(#[from] io::Error),
}

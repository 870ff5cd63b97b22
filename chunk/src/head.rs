//! What is known of a chunk before its records, and which records belong into it.

use index_schema::ChunkKind;
use ping::{ChunkId, Dimension, Partition};

use crate::limits::{ERROR_REASON_BYTES_MAX, REPLACES_MAX, WRITER_BYTES_MAX};
use crate::{RecordHead, WriteError};

/// What is known of a chunk before its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkHead {
    /// Its identity.
    pub id: ChunkId,
    /// What it holds.
    pub kind: ChunkKind,
    /// Its dimension values.
    pub partition: Partition,
    /// The program that writes it, such as `highwater 0.1.0`.
    pub writer: String,
    /// Chunks that it replaces.
    pub replaces: Vec<ChunkId>,
}

impl ChunkHead {
    /// Whether a summary has room for it.
    pub(crate) const fn check(&self) -> Result<(), WriteError> {
        if self.replaces.len() > REPLACES_MAX || self.writer.len() > WRITER_BYTES_MAX {
            return Err(WriteError::Head);
        }
        Ok(())
    }

    /// Whether a record belongs into the chunk.
    pub(crate) fn check_place(&self, record: &RecordHead) -> Result<(), WriteError> {
        let date = self.partition.get(Dimension::SubmissionDate);
        if record.submission_date.to_string() != date {
            return Err(WriteError::Misplaced("its submission date is another"));
        }
        match (self.kind, record.error.as_deref()) {
            (ChunkKind::Pings, None) => Ok(()),
            (ChunkKind::Pings, Some(_)) => Err(WriteError::Misplaced("it has an error")),
            (ChunkKind::Errors, Some(reason)) if (1..=ERROR_REASON_BYTES_MAX).contains(&reason.len()) => {
                Ok(())
            }
            (ChunkKind::Errors, _) => Err(WriteError::Misplaced("it has no error of 1 to 64 bytes")),
        }
    }
}

//! Writes a chunk: records gathered into data frames, then ids, summary and seek table. Knows no file and no clock.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use index_schema::ChunkKind;
use index_schema::proto::{Kind, ReasonCount, SequenceRange, Summary};
use ping::limits::FRAME_RAW_BYTES;
use ping::{ChunkId, Dimension, OTHER, Partition, Timestamp};
use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::Xxh3;
use zstd::zstd_safe::compress_bound;

use crate::ids::IdsWriter;
use crate::limits::{
    ChunkLimits, ERROR_REASON_BYTES_MAX, ERROR_REASONS_MAX, RECORD_RAW_BYTES_MAX, REPLACES_MAX,
    SUMMARY_BYTES_MAX, WRITER_BYTES_MAX,
};
use crate::seek::{SeekEntry, SeekTable};
use crate::summary::{self, FORMAT_MAJOR, FORMAT_MINOR};
use crate::{FrameEncoder, RecordHead, RecordIdentity};

/// Writes one chunk, record by record, to a sink that is written in order.
pub struct ChunkWriter<W> {
    sink: HashingSink<W>,
    head: ChunkHead,
    limits: ChunkLimits,
    encoder: FrameEncoder,
    seek_table: SeekTable,
    ids: IdsWriter,
    digest: Box<Xxh3>,
    counts: Counts,
}

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

/// A chunk that was written whole.
#[derive(Debug)]
pub struct Finished<W> {
    /// What it says of itself.
    pub summary: Summary,
    /// Its bytes.
    pub stored_bytes: u64,
    /// XXH3-128 (big-endian) of its uncompressed record stream: equal digests are equal records in equal order.
    pub record_digest: [u8; 16],
    /// What it was written to, not flushed.
    pub sink: W,
    /// To be used for the next chunk.
    pub encoder: FrameEncoder,
}

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

#[derive(Debug, Default)]
struct Counts {
    records: u64,
    raw_bytes: u64,
    received_bytes: u64,
    received: Option<(Timestamp, Timestamp)>,
    frame_records: Vec<u32>,
    in_frame: u32,
    error_reasons: BTreeMap<String, u64>,
}

struct HashingSink<W> {
    sink: W,
    hash: Sha256,
    written: u64,
}

impl<W: Write> HashingSink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sink.write_all(bytes)?;
        self.hash.update(bytes);
        self.written += bytes.len() as u64;
        Ok(())
    }
}

impl<W: Write> ChunkWriter<W> {
    /// Begins a chunk with an encoder of its own.
    ///
    /// # Errors
    /// When there is no memory for the encoder, or the head is too large.
    pub fn new(sink: W, head: ChunkHead) -> Result<Self, WriteError> {
        Self::with(sink, head, FrameEncoder::new()?, ChunkLimits::default())
    }

    /// Begins a chunk with an encoder that was used before, and limits of one's own.
    ///
    /// # Errors
    /// When the head is too large.
    pub fn with(
        sink: W,
        head: ChunkHead,
        mut encoder: FrameEncoder,
        limits: ChunkLimits,
    ) -> Result<Self, WriteError> {
        if head.replaces.len() > REPLACES_MAX || head.writer.len() > WRITER_BYTES_MAX {
            return Err(WriteError::Head);
        }
        encoder.raw.clear();
        Ok(Self {
            sink: HashingSink {
                sink,
                hash: Sha256::new(),
                written: 0,
            },
            head,
            limits,
            encoder,
            seek_table: SeekTable::default(),
            ids: IdsWriter::default(),
            digest: Box::new(Xxh3::new()),
            counts: Counts::default(),
        })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`WriteError::Full`], [`WriteError::TooLarge`] and [`WriteError::Misplaced`] leave the chunk as it was; after
    /// [`WriteError::Io`] it is lost.
    pub fn append(&mut self, record: &RecordHead, body: &[u8]) -> Result<(), WriteError> {
        let bytes = record.stream_len(body.len());
        self.check_place(record)?;
        if bytes > RECORD_RAW_BYTES_MAX {
            return Err(WriteError::TooLarge { bytes });
        }
        if let Some(limit) = self.limit_passed_by(record, bytes) {
            return Err(WriteError::Full(limit));
        }
        if !self.encoder.raw.is_empty() && self.encoder.raw.len() + bytes > FRAME_RAW_BYTES {
            self.end_frame()?;
        }
        record.append_to(body, &mut self.encoder.raw);
        self.ids
            .push(&RecordIdentity::new(record.id, record.received, &record.uri));
        self.counts.add(record, bytes);
        Ok(())
    }

    /// Records so far.
    pub const fn records(&self) -> u64 {
        self.counts.records
    }

    /// Bytes of the uncompressed record stream so far.
    pub const fn raw_bytes(&self) -> u64 {
        self.counts.raw_bytes
    }

    /// Bytes written to the sink so far.
    pub const fn stored_bytes(&self) -> u64 {
        self.sink.written
    }

    /// No finished chunk of these records is larger, even with one record of no bytes more.
    pub fn upper_bound(&self) -> u64 {
        self.bound_with(self.encoder.raw.len(), 1)
    }

    /// Ends the chunk.
    ///
    /// # Errors
    /// [`WriteError::Empty`] without a record; when the sink or the compression fails.
    pub fn finish(mut self, sealed: Timestamp) -> Result<Finished<W>, WriteError> {
        self.end_frame()?;
        let data_bytes = self.sink.written;
        let ids = self.ids.frame().ok_or(WriteError::Head)?;
        self.write_skippable(&ids)?;
        let record_digest = self.digest.digest128().to_be_bytes();
        let summary = self.summary(sealed, data_bytes, ids.len() as u64, record_digest)?;
        let frame = summary::encode(&summary).ok_or(WriteError::Head)?;
        self.write_skippable(&frame)?;
        let seek_table = self.seek_table.encode();
        self.sink.write(&seek_table)?;
        Ok(Finished {
            summary,
            stored_bytes: self.sink.written,
            record_digest,
            sink: self.sink.sink,
            encoder: self.encoder,
        })
    }

    /// Gives the chunk up, so that sink and encoder can be used again.
    pub fn abandon(self) -> (W, FrameEncoder) {
        (self.sink.sink, self.encoder)
    }

    fn check_place(&self, record: &RecordHead) -> Result<(), WriteError> {
        let date = self.head.partition.get(Dimension::SubmissionDate);
        if record.submission_date.to_string() != date {
            return Err(WriteError::Misplaced("its submission date is another"));
        }
        match (self.head.kind, record.error.as_deref()) {
            (ChunkKind::Pings, None) => Ok(()),
            (ChunkKind::Pings, Some(_)) => Err(WriteError::Misplaced("it has an error")),
            (ChunkKind::Errors, Some(reason)) if (1..=ERROR_REASON_BYTES_MAX).contains(&reason.len()) => {
                Ok(())
            }
            (ChunkKind::Errors, _) => Err(WriteError::Misplaced("it has no error of 1 to 64 bytes")),
        }
    }

    fn limit_passed_by(&self, record: &RecordHead, bytes: usize) -> Option<Limit> {
        let pending = self.encoder.raw.len();
        if self.counts.records >= self.limits.records {
            Some(Limit::Records)
        } else if self.counts.raw_bytes + bytes as u64 > self.limits.raw_bytes {
            Some(Limit::RawBytes)
        } else if self.ids.incarnations_with(record.id.incarnation) > self.limits.incarnations {
            Some(Limit::Incarnations)
        } else if self.bound_with(pending, 1) + compress_bound(bytes) as u64 > self.limits.stored_bytes {
            Some(Limit::StoredBytes)
        } else {
            None
        }
    }

    /// The most that the finished chunk can take, if `pending` bytes in at most `frames` frames are still compressed.
    fn bound_with(&self, pending: usize, frames: usize) -> u64 {
        let frames = self.seek_table.entries.len() + frames + 3;
        self.sink.written
            + compress_bound(pending) as u64
            + self.ids.upper_bound()
            + (SUMMARY_BYTES_MAX + 8 + SeekTable::encoded_len(frames)) as u64
    }

    /// Compresses the records gathered so far into a frame.
    fn end_frame(&mut self) -> Result<(), WriteError> {
        let raw = self.encoder.raw.len();
        if raw == 0 {
            return Ok(());
        }
        self.digest.update(&self.encoder.raw);
        let stored = self.encoder.compress()?;
        self.seek_table.entries.push(SeekEntry {
            stored: length_u32(stored.len()),
            raw: length_u32(raw),
        });
        self.sink.write(stored)?;
        self.counts
            .frame_records
            .push(std::mem::take(&mut self.counts.in_frame));
        Ok(())
    }

    fn write_skippable(&mut self, frame: &[u8]) -> io::Result<()> {
        self.seek_table.entries.push(SeekEntry {
            stored: length_u32(frame.len()),
            raw: 0,
        });
        self.sink.write(frame)
    }

    fn summary(
        &mut self,
        sealed: Timestamp,
        data_bytes: u64,
        ids_length: u64,
        record_digest: [u8; 16],
    ) -> Result<Summary, WriteError> {
        let counts = std::mem::take(&mut self.counts);
        let (received_min, received_max) = counts.received.ok_or(WriteError::Empty)?;
        let sequences = self.ids.ranges().iter().map(|range| SequenceRange {
            incarnation: range.incarnation.as_bytes().to_vec().into(),
            lowest: range.lowest,
            highest: range.highest,
        });
        let kind = match self.head.kind {
            ChunkKind::Pings => Kind::Pings,
            ChunkKind::Errors => Kind::Errors,
        };
        let reason = |(reason, records)| ReasonCount { reason, records };
        Ok(Summary {
            format_major: FORMAT_MAJOR,
            format_minor: FORMAT_MINOR,
            writer: self.head.writer.clone(),
            chunk_id: self.head.id.to_string(),
            kind: kind.into(),
            partition: summary::partition_values(&self.head.partition),
            records: counts.records,
            raw_bytes: counts.raw_bytes,
            data_bytes,
            received_bytes: counts.received_bytes,
            frame_records: counts.frame_records,
            received_min_us: received_min.as_micros(),
            received_max_us: received_max.as_micros(),
            sealed_us: sealed.as_micros(),
            sequences: sequences.collect(),
            record_digest: record_digest.to_vec().into(),
            replaces: self.head.replaces.iter().map(ChunkId::to_string).collect(),
            ids_offset: data_bytes,
            ids_length,
            sha256: self.sink.hash.clone().finalize().to_vec().into(),
            error_reasons: counts.error_reasons.into_iter().map(reason).collect(),
        })
    }
}

impl<W> fmt::Debug for ChunkWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { head, counts, .. } = self;
        f.debug_struct("ChunkWriter")
            .field("head", head)
            .field("counts", counts)
            .finish_non_exhaustive()
    }
}

impl Counts {
    fn add(&mut self, record: &RecordHead, bytes: usize) {
        self.records += 1;
        self.in_frame += 1;
        self.raw_bytes += bytes as u64;
        self.received_bytes = self.received_bytes.saturating_add(record.received_bytes);
        let (oldest, newest) = self.received.unwrap_or((record.received, record.received));
        self.received = Some((oldest.min(record.received), newest.max(record.received)));
        if let Some(reason) = &record.error {
            let is_told_apart =
                self.error_reasons.contains_key(reason) || self.error_reasons.len() < ERROR_REASONS_MAX;
            let reason = if is_told_apart { reason } else { OTHER };
            *self.error_reasons.entry(reason.to_owned()).or_default() += 1;
        }
    }
}

fn length_u32(length: usize) -> u32 {
    u32::try_from(length)
        .expect("frames are at most 64 MiB raw, and ids frames 60 bytes for each of a million records")
}

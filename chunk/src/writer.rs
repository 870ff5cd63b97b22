//! Writes a chunk: records gathered into data frames, then ids, summary and seek table. Knows no file and no clock.

use std::fmt;
use std::io::{self, Write};

use index_schema::ChunkKind;
use index_schema::proto::{Kind, SequenceRange, Summary};
use ping::limits::FRAME_RAW_BYTES;
use ping::{ChunkId, Timestamp};
use xxhash_rust::xxh3::Xxh3;
use zstd::zstd_safe::compress_bound;

use crate::counts::Counts;
use crate::head::ChunkHead;
use crate::ids::IdsWriter;
use crate::limits::{ChunkLimits, RECORD_RAW_BYTES_MAX, summary_bound};
use crate::seek::{SeekEntry, SeekTable};
use crate::sink::HashingSink;
use crate::summary::{self, FORMAT_MAJOR, FORMAT_MINOR};
use crate::write_error::{Limit, WriteError};
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
    /// Records in each data frame, the last one still being gathered.
    frame_records: Vec<u32>,
    in_frame: u32,
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

impl<W: Write> ChunkWriter<W> {
    /// Begins a chunk with an encoder of its own.
    ///
    /// # Errors
    /// When there is no memory for the encoder, or the head is too large.
    pub fn new(sink: W, head: ChunkHead) -> Result<Self, WriteError> {
        Self::with(sink, head, FrameEncoder::new()?, ChunkLimits::default())
    }

    /// Begins a chunk with an encoder that was used before, and limits of one's own (within those of the format).
    ///
    /// # Errors
    /// When the head is too large.
    pub fn with(
        sink: W,
        head: ChunkHead,
        mut encoder: FrameEncoder,
        limits: ChunkLimits,
    ) -> Result<Self, WriteError> {
        head.check()?;
        encoder.raw.clear();
        Ok(Self {
            sink: HashingSink::new(sink),
            head,
            limits: limits.within_format(),
            encoder,
            seek_table: SeekTable::default(),
            ids: IdsWriter::default(),
            digest: Box::new(Xxh3::new()),
            counts: Counts::default(),
            frame_records: Vec::new(),
            in_frame: 0,
        })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`WriteError::Full`], [`WriteError::TooLarge`] and [`WriteError::Misplaced`] leave the chunk as it was; after
    /// [`WriteError::Io`] it is lost.
    pub fn append(&mut self, record: &RecordHead, body: &[u8]) -> Result<(), WriteError> {
        let bytes = record.stream_len(body.len());
        self.head.check_place(record)?;
        if bytes > RECORD_RAW_BYTES_MAX {
            return Err(WriteError::TooLarge { bytes });
        }
        if let Some(limit) = self.limit_passed_by(record, bytes) {
            return Err(WriteError::Full(limit));
        }
        if !self.encoder.raw.is_empty() && self.encoder.raw.len() + bytes > FRAME_RAW_BYTES {
            self.end_frame()?;
        }
        let begin = self.encoder.raw.len();
        record.append_to(body, &mut self.encoder.raw);
        // Now, while the processor has it at hand.
        self.digest.update(&self.encoder.raw[begin..]);
        self.ids
            .push(&RecordIdentity::new(record.id, record.received, &record.uri));
        self.counts.add(
            bytes,
            record.received,
            record.received_bytes,
            record.error.as_deref(),
        );
        self.in_frame += 1;
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
        self.sink.written()
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
        let data_bytes = self.sink.written();
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
            stored_bytes: self.sink.written(),
            record_digest,
            sink: self.sink.into_inner(),
            encoder: self.encoder,
        })
    }

    /// Gives the chunk up, so that sink and encoder can be used again.
    pub fn abandon(self) -> (W, FrameEncoder) {
        (self.sink.into_inner(), self.encoder)
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

    /// The most that the finished chunk can take, if `pending` bytes in at most `frames` frames are still compressed,
    /// and one record more, whose bytes are not counted.
    fn bound_with(&self, pending: usize, frames: usize) -> u64 {
        let frames = self.seek_table.entries.len() + frames + 1;
        let summary = summary_bound(
            frames,
            self.ids.ranges().len() + 1,
            self.counts.reasons() + 1,
            self.head.replaces.len(),
        );
        self.sink.written()
            + compress_bound(pending) as u64
            + self.ids.upper_bound()
            + (8 + summary + SeekTable::encoded_len(frames + 2)) as u64
    }

    /// Compresses the records gathered so far into a frame.
    fn end_frame(&mut self) -> Result<(), WriteError> {
        let raw = self.encoder.raw.len();
        if raw == 0 {
            return Ok(());
        }
        let stored = self.encoder.compress()?;
        self.seek_table.entries.push(SeekEntry {
            stored: length_u32(stored.len()),
            raw: length_u32(raw),
        });
        self.sink.write(stored)?;
        self.frame_records.push(std::mem::take(&mut self.in_frame));
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
        &self,
        sealed: Timestamp,
        data_bytes: u64,
        ids_length: u64,
        record_digest: [u8; 16],
    ) -> Result<Summary, WriteError> {
        let counts = &self.counts;
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
            frame_records: self.frame_records.clone(),
            received_min_us: received_min.as_micros(),
            received_max_us: received_max.as_micros(),
            sealed_us: sealed.as_micros(),
            sequences: sequences.collect(),
            record_digest: record_digest.to_vec().into(),
            replaces: self.head.replaces.iter().map(ChunkId::to_string).collect(),
            ids_offset: data_bytes,
            ids_length,
            sha256: self.sink.sha256().to_vec().into(),
            error_reasons: counts.error_reasons(),
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

fn length_u32(length: usize) -> u32 {
    u32::try_from(length)
        .expect("frames are at most 64 MiB raw, and ids frames 60 bytes for each of a million records")
}

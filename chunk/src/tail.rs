//! The end of a chunk: summary and seek table, from one read of the file's last bytes. Needs no decompression.

use std::ops::Range;

use index_schema::ChunkKind;
use index_schema::proto::Summary;
use ping::limits::{CHUNK_RAW_BYTES_MAX, CHUNK_RECORDS_MAX};
use ping::{ChunkId, Partition};

use crate::damage::{Damage, Part};
use crate::limits::{RECORD_RAW_BYTES_MAX, SUMMARY_BYTES_MAX};
use crate::seek::{SeekTable, Sought};
use crate::summary::{self, FORMAT_MAJOR};

/// What a chunk's end says, checked as far as it can be without the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Tail {
    /// The chunk's identity.
    pub id: ChunkId,
    /// What it holds.
    pub kind: ChunkKind,
    /// Its dimension values.
    pub partition: Partition,
    /// All that it says of itself.
    pub summary: Summary,
    /// Its frames.
    pub seek_table: SeekTable,
    /// Where its data frames lie, in order.
    pub data_frames: Vec<DataFrame>,
    /// Where its ids frame lies, the frame's header included.
    pub ids: Range<u64>,
    /// Where its summary begins.
    pub summary_offset: u64,
}

/// Where a data frame lies, and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataFrame {
    /// Its number; the first is 0.
    pub number: usize,
    /// Its first byte in the file.
    pub offset: u64,
    /// Its bytes in the file.
    pub stored_len: u32,
    /// Its raw bytes: at most [`RECORD_RAW_BYTES_MAX`].
    pub raw_len: u32,
    /// Its records.
    pub records: u32,
    /// Records in all frames before it.
    pub first_record: u64,
}

/// Why the end of a chunk could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TailError {
    /// What was given begins too late.
    #[error("the last {0} bytes of the chunk are needed")]
    NeedMore(u64),
    /// It was written by a later program.
    #[error("the chunk has format {found}, this program reads {FORMAT_MAJOR}: use a newer highwater")]
    UnknownMajor {
        /// The format's major version.
        found: u32,
    },
    /// It is not what the format says.
    #[error(transparent)]
    Damaged(#[from] Damage),
}

impl DataFrame {
    /// Where it lies in the file.
    pub const fn range(&self) -> Range<u64> {
        self.offset..self.offset + self.stored_len as u64
    }
}

impl Tail {
    /// Reads the last bytes of a file of `total_len` bytes. [`crate::limits::TAIL_BYTES`] of them are always enough.
    ///
    /// # Errors
    /// [`TailError::NeedMore`] when they were too few, else what is wrong with the chunk.
    pub fn parse(tail: &[u8], total_len: u64) -> Result<Self, TailError> {
        let damaged = |part, what: &str| TailError::Damaged(Damage::new(part, what));
        let need = |bytes: usize| {
            if bytes as u64 > total_len || tail.len() as u64 > total_len {
                return damaged(Part::SeekTable, "the file is shorter than what its end says");
            }
            TailError::NeedMore(bytes as u64)
        };
        let (seek_table, table_len) = match SeekTable::find(tail) {
            Sought::Found(table, length) => (table, length),
            Sought::NeedMore(bytes) => return Err(need(bytes)),
            Sought::Broken(what) => return Err(damaged(Part::SeekTable, what)),
        };
        if seek_table.stored_bytes() + table_len as u64 != total_len {
            return Err(damaged(
                Part::SeekTable,
                "its frames have not the length of the file",
            ));
        }
        let summary_len = match seek_table.entries.last() {
            Some(entry) if entry.raw == 0 && entry.stored as usize <= SUMMARY_BYTES_MAX + 8 => {
                entry.stored as usize
            }
            _ => return Err(damaged(Part::SeekTable, "its last frame is no summary")),
        };
        let Some(start) = tail.len().checked_sub(table_len + summary_len) else {
            return Err(need(table_len + summary_len));
        };
        let summary = summary::decode(&tail[start..start + summary_len])
            .map_err(|what| damaged(Part::Summary, what))?;
        if summary.format_major != FORMAT_MAJOR {
            return Err(TailError::UnknownMajor {
                found: summary.format_major,
            });
        }
        let summary_offset = total_len - (table_len + summary_len) as u64;
        Ok(Self::checked(summary, seek_table, summary_offset)?)
    }

    /// Holds the summary against the seek table.
    fn checked(summary: Summary, seek_table: SeekTable, summary_offset: u64) -> Result<Self, Damage> {
        let broken = |what| Damage::new(Part::Summary, what);
        let (id, kind, partition) = summary::identity(&summary).map_err(broken)?;
        let data_frames = locate(&summary, &seek_table).map_err(broken)?;
        let sum =
            |of: fn(&DataFrame) -> u32| data_frames.iter().map(|frame| u64::from(of(frame))).sum::<u64>();
        if summary.records != sum(|frame| frame.records) || summary.records > CHUNK_RECORDS_MAX {
            return Err(broken("its count of records is not that of its frames"));
        }
        if summary.raw_bytes != sum(|frame| frame.raw_len) || summary.raw_bytes > CHUNK_RAW_BYTES_MAX {
            return Err(broken("its raw bytes are not those of its frames"));
        }
        if summary.data_bytes != sum(|frame| frame.stored_len) {
            return Err(broken("its stored bytes are not those of its frames"));
        }
        if summary.record_digest.len() != 16 || summary.sha256.len() != 32 {
            return Err(broken("a digest has not its length"));
        }
        if summary.received_min_us > summary.received_max_us {
            return Err(broken("its oldest record is younger than its newest"));
        }
        let ids = summary.ids_offset..summary.ids_offset.saturating_add(summary.ids_length);
        let mut at = 0;
        let is_listed = seek_table.entries.iter().any(|entry| {
            let range = at..at + u64::from(entry.stored);
            at = range.end;
            entry.raw == 0 && range == ids && ids.end <= summary_offset
        });
        if !is_listed {
            return Err(broken("its ids frame is not in the seek table"));
        }
        Ok(Self {
            id,
            kind,
            partition,
            summary,
            seek_table,
            data_frames,
            ids,
            summary_offset,
        })
    }
}

/// The data frames: all that come before the first skippable one, and none after it.
fn locate(summary: &Summary, seek_table: &SeekTable) -> Result<Vec<DataFrame>, &'static str> {
    let count = seek_table
        .entries
        .iter()
        .take_while(|entry| entry.raw != 0)
        .count();
    if count == 0 || seek_table.entries[count..].iter().any(|entry| entry.raw != 0) {
        return Err("its data frames do not come first");
    }
    if summary.frame_records.len() != count {
        return Err("it does not say how many records each data frame has");
    }
    let (mut offset, mut first_record) = (0, 0);
    let mut frames = Vec::with_capacity(count);
    for (number, (entry, records)) in seek_table.entries.iter().zip(&summary.frame_records).enumerate() {
        if entry.raw as usize > RECORD_RAW_BYTES_MAX || *records == 0 {
            return Err("a data frame is larger than any can be, or holds no record");
        }
        frames.push(DataFrame {
            number,
            offset,
            stored_len: entry.stored,
            raw_len: entry.raw,
            records: *records,
            first_record,
        });
        offset += u64::from(entry.stored);
        first_record += u64::from(*records);
    }
    Ok(frames)
}

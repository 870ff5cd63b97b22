//! The seek table, last in a chunk: a skippable frame of the Zstandard seekable format, without checksums. Skippable
//! frames before it are listed with raw size 0. Written and read.
//! Source: zstd's `contrib/seekable_format/zstd_seekable_compression_format.md`.

use crate::frame::{self, SEEK_TABLE_MAGIC, SKIPPABLE_HEADER_BYTES};
use crate::limits::FRAMES_MAX;

const FOOTER_BYTES: usize = 9;
const FOOTER_MAGIC: u32 = 0x8f92_eab1;
const ENTRY_BYTES: usize = 8;

/// A frame, as the seek table lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeekEntry {
    /// Its bytes in the file, its header included.
    pub stored: u32,
    /// Its raw bytes; 0 for a skippable frame.
    pub raw: u32,
}

/// All frames before the seek table, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeekTable {
    /// The frames.
    pub entries: Vec<SeekEntry>,
}

/// How looking for a seek table at the end of a file ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sought {
    /// It is there: the table, and its bytes.
    Found(SeekTable, usize),
    /// It begins before what was given: so many bytes of the file's end are needed.
    NeedMore(usize),
    /// It is none, for this reason.
    Broken(&'static str),
}

impl SeekTable {
    /// The whole frame.
    pub fn encode(&self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(self.entries.len() * ENTRY_BYTES + FOOTER_BYTES);
        for SeekEntry { stored, raw } in &self.entries {
            payload.extend_from_slice(&stored.to_le_bytes());
            payload.extend_from_slice(&raw.to_le_bytes());
        }
        payload.extend_from_slice(&(self.entries.len() as u32).to_le_bytes());
        payload.push(0);
        payload.extend_from_slice(&FOOTER_MAGIC.to_le_bytes());
        frame::skippable(SEEK_TABLE_MAGIC, &[&payload]).expect("a table of bounded length fits a frame")
    }

    /// Bytes of the table of so many frames.
    pub const fn encoded_len(entries: usize) -> usize {
        SKIPPABLE_HEADER_BYTES + entries * ENTRY_BYTES + FOOTER_BYTES
    }

    /// Bytes of all frames it lists.
    pub fn stored_bytes(&self) -> u64 {
        self.entries.iter().map(|entry| u64::from(entry.stored)).sum()
    }

    /// Looks for the table at the end of a file's last bytes.
    pub(crate) fn find(tail: &[u8]) -> Sought {
        let Some((before, footer)) = tail.split_last_chunk::<FOOTER_BYTES>() else {
            return Sought::NeedMore(Self::encoded_len(0));
        };
        if frame::u32_at(footer, 5) != Some(FOOTER_MAGIC) {
            return Sought::Broken("the file does not end in a seek table: it is cut, or no chunk");
        }
        let count = frame::u32_at(footer, 0).map_or(usize::MAX, |count| count as usize);
        if footer[4] != 0 || count > FRAMES_MAX {
            return Sought::Broken("the seek table's footer says what no chunk has");
        }
        let length = Self::encoded_len(count);
        let Some(start) = tail.len().checked_sub(length) else {
            return Sought::NeedMore(length);
        };
        if frame::skippable_payload(SEEK_TABLE_MAGIC, &tail[start..]).is_none() {
            return Sought::Broken("the seek table has not the length that its footer says");
        }
        let entries = before[start + SKIPPABLE_HEADER_BYTES..]
            .as_chunks::<ENTRY_BYTES>()
            .0;
        let word = |bytes: &[u8], at| frame::u32_at(bytes, at).expect("8 bytes have two words");
        let entry = |bytes: &[u8; 8]| SeekEntry {
            stored: word(bytes, 0),
            raw: word(bytes, 4),
        };
        Sought::Found(
            Self {
                entries: entries.iter().map(entry).collect(),
            },
            length,
        )
    }
}

//! Limits of one chunk beyond those in [`ping::limits`], each with its reason. They belong to the format: a reader
//! relies on them before it takes memory.

use ping::limits::{
    CHUNK_INCARNATIONS_MAX, CHUNK_RAW_BYTES_MAX, CHUNK_RECORDS_MAX, CHUNK_STORED_BYTES_MAX, FRAME_RAW_BYTES,
};

/// One record with its length before it: twice the inflated size that is admitted by default. A bigger record than
/// [`FRAME_RAW_BYTES`] has a data frame of its own, so this is also the most that one frame can hold.
pub const RECORD_RAW_BYTES_MAX: usize = 64 << 20;

/// The summary with its digest: so that one read of [`TAIL_BYTES`] always has all of it.
pub const SUMMARY_BYTES_MAX: usize = 64 << 10;

/// The last bytes of a chunk that surely hold its summary and its seek table.
pub const TAIL_BYTES: u64 = 128 << 10;

/// Data frames: of two neighbours the first and the second's first record exceed [`FRAME_RAW_BYTES`].
pub const DATA_FRAMES_MAX: usize = 2 * (CHUNK_RAW_BYTES_MAX as usize / FRAME_RAW_BYTES);

/// Frames in the seek table: data, ids, summary, and room for types that are not known yet.
pub const FRAMES_MAX: usize = DATA_FRAMES_MAX + 64;

/// Reasons that the summary of an error chunk tells apart; what comes later is counted as `OTHER`.
pub const ERROR_REASONS_MAX: usize = 64;

/// A reason of an error, in bytes.
pub const ERROR_REASON_BYTES_MAX: usize = 64;

/// Chunks that one chunk replaces.
pub const REPLACES_MAX: usize = 250;

/// The name of the program that wrote a chunk, in bytes.
pub const WRITER_BYTES_MAX: usize = 128;

/// Where a writer stops. The default is what the format admits; a test may stop earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkLimits {
    /// Bytes of the whole file, held against the upper bound of its final size.
    pub stored_bytes: u64,
    /// Records.
    pub records: u64,
    /// Bytes of the uncompressed record stream.
    pub raw_bytes: u64,
    /// Log incarnations that records come from.
    pub incarnations: usize,
}

impl Default for ChunkLimits {
    fn default() -> Self {
        Self {
            stored_bytes: CHUNK_STORED_BYTES_MAX,
            records: CHUNK_RECORDS_MAX,
            raw_bytes: CHUNK_RAW_BYTES_MAX,
            incarnations: CHUNK_INCARNATIONS_MAX,
        }
    }
}

impl ChunkLimits {
    /// These limits, none beyond what the format admits.
    #[must_use]
    pub fn within_format(self) -> Self {
        let format = Self::default();
        Self {
            stored_bytes: self.stored_bytes.min(format.stored_bytes),
            records: self.records.min(format.records),
            raw_bytes: self.raw_bytes.min(format.raw_bytes),
            incarnations: self.incarnations.min(format.incarnations),
        }
    }
}

/// The most that a summary with its digest can take: at most 4 bytes for each frame's count, 42 for an incarnation, 80
/// for a reason, 77 for a replaced chunk, 150 for a dimension value, and the rest.
pub(crate) const fn summary_bound(
    frames: usize,
    incarnations: usize,
    reasons: usize,
    replaces: usize,
) -> usize {
    frames * 4
        + incarnations * 42
        + reasons * (ERROR_REASON_BYTES_MAX + 16)
        + replaces * 77
        + 8 * 150
        + WRITER_BYTES_MAX
        + 512
}

const SUMMARY_WORST: usize = summary_bound(
    DATA_FRAMES_MAX,
    CHUNK_INCARNATIONS_MAX,
    ERROR_REASONS_MAX + 1,
    REPLACES_MAX,
);
const _: () = assert!(SUMMARY_WORST <= SUMMARY_BYTES_MAX);
const _: () = assert!(SUMMARY_BYTES_MAX + FRAMES_MAX * 8 + 64 <= TAIL_BYTES as usize);
const _: () = assert!(RECORD_RAW_BYTES_MAX >= FRAME_RAW_BYTES);

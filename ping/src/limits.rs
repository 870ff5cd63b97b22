//! Limits that more than one crate relies on, each with its reason.

/// A dimension value longer than this when percent-encoded is stored as `OTHER`: a path segment may have 255 bytes,
/// and the longest dimension name with `=` takes 19.
pub const DIMENSION_VALUE_ENCODED_BYTES_MAX: usize = 96;

/// A chunk as stored: the original's limit, large enough that requests cost little, small enough to read in one go.
pub const CHUNK_STORED_BYTES_MAX: u64 = 300_000_000;

/// Records in one chunk, and so in one plan: bounds plans and the tails of chunks.
pub const CHUNK_RECORDS_MAX: u64 = 1_000_000;

/// Raw bytes in one chunk, and so at most 1,024 frames: bounds seek tables.
pub const CHUNK_RAW_BYTES_MAX: u64 = 4 << 30;

/// Incarnations in one chunk: bounds its summary.
pub const CHUNK_INCARNATIONS_MAX: usize = 500;

/// Raw bytes gathered into one data frame: nine tenths of the ratio of one long stream, small enough to read alone.
pub const FRAME_RAW_BYTES: usize = 8 << 20;

const _: () = assert!(FRAME_RAW_BYTES as u64 * 512 == CHUNK_RAW_BYTES_MAX);
const _: () = assert!(DIMENSION_VALUE_ENCODED_BYTES_MAX + "app_update_channel=".len() < 255);

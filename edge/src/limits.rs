//! The limits of the edge's log and seals, each with its reason. Those of the HTTP door are with the door.

use std::time::Duration;

use chunk::ChunkLimits;

use crate::log::frame::PAYLOAD_BYTES_MAX;

/// The longest body that is taken, in bytes as sent: with its head it fits a frame of the log, and as an errored ping, which
/// is kept as it was sent, a record of a chunk. The same for what a body may inflate to.
pub const BODY_BYTES_MAX: usize = chunk::limits::RECORD_RAW_BYTES_MAX - HEAD_BYTES_MAX;

/// All of a record but its body: URI and stored headers, of which the door admits far less.
pub(crate) const HEAD_BYTES_MAX: usize = 1 << 20;

const _: () = assert!(BODY_BYTES_MAX + HEAD_BYTES_MAX <= PAYLOAD_BYTES_MAX);

/// What the privacy rules of all declarations take together, as they are kept: they are read at a start.
pub(crate) const PRIVACY_SET_BYTES_MAX: usize = 16 << 20;

/// The smallest log: eight segments of the shortest length.
pub const LOG_BYTES_MIN: u64 = 8 * SEGMENT_BYTES_MIN;

/// A segment has at least room for its state, and for some pings.
pub(crate) const SEGMENT_BYTES_MIN: u64 = 4 << 10;

/// How much the edge takes and when it seals.
#[derive(Clone, Copy, Debug)]
pub struct EdgeLimits {
    /// Bytes on disk of what waits: pings in the write-ahead log, and the files that large chunks are gathered in
    /// ([`Self::staging_bytes`]). Submissions that would take more of the log are refused with 507. On disk it takes up to
    /// three segments more: the one being written, the spare, and plans with their done-marks and copies of stragglers.
    pub log_bytes: u64,
    /// Pings in no chunk yet; each takes up to 24 bytes of memory.
    pub waiting_pings: u64,
    /// How long a segment of the log gets. At most an eighth of `log_bytes`, since room comes back by whole segments.
    pub segment_bytes: u64,
    /// An open chunk is sealed when its oldest ping has waited so long.
    pub seal_age: Duration,
    /// Where a chunk ends.
    pub chunk: ChunkLimits,
    /// With so many open partitions, further ones lose version and build id.
    pub open_partitions: usize,
    /// So many partitions that were not seen since the start are admitted each minute, a tenth of them of new products, and
    /// ten minutes' share at once; further ones are kept under `OTHER`. A partition makes eight folders and files a day.
    pub new_partitions: u32,
    /// A body that inflates to more goes to an error chunk.
    pub inflated_bytes: usize,
    /// Seals under way at once; most of the time they wait for disk and store, whose syncs they share. Each holds up to
    /// `chunk_memory_bytes`.
    pub seals: usize,
    /// A chunk up to this size is gathered in memory, a larger one in a file of the staging folder.
    pub chunk_memory_bytes: u64,
    /// Seals that gather at once; each keeps one processor busy and takes about 30 MB.
    pub gathers: usize,
    /// The first wait before something that failed is tried again; it doubles, up to a hundredfold.
    pub retry: Duration,
}

impl Default for EdgeLimits {
    fn default() -> Self {
        Self {
            log_bytes: 16 << 30,
            waiting_pings: 20_000_000,
            segment_bytes: 64 << 20,
            seal_age: Duration::from_secs(10),
            chunk: ChunkLimits::default(),
            open_partitions: 100_000,
            new_partitions: 200,
            inflated_bytes: 32 << 20,
            seals: 32,
            chunk_memory_bytes: 1 << 20,
            gathers: 2,
            retry: Duration::from_millis(100),
        }
    }
}

impl EdgeLimits {
    /// What the files of chunks on their way to the store may take together: an eighth of `log_bytes`, which the log then does
    /// not take. A log so small that this is no more than fits into memory has no such files.
    pub const fn staging_bytes(&self) -> u64 {
        let part = self.log_bytes / 8;
        if part > self.chunk_memory_bytes { part } else { 0 }
    }
}

/// What a client is told that meets a full log: by then a few chunks are sealed.
pub(crate) const RETRY_AFTER_FULL: Duration = Duration::from_secs(30);

/// A log without room for a ping of so many bytes counts as full: about what a main ping takes. A small log does
/// when it has none for an eighth of itself.
pub(crate) const USUAL_PING_BYTES: u64 = 32 << 10;

/// How long seals under way are waited for when the edge ends: a chunk is gathered and put within seconds, and whoever ends
/// a process waits for 30 s, often.
pub(crate) const SEALS_END_WITHIN: Duration = Duration::from_secs(10);

/// Imported files whose last line is remembered, for ever: so a file that is imported again adds nothing. Each takes about 30 bytes in
/// the beginning of every segment of the log, all together 300 KB.
pub const IMPORTED_FILES_MAX: usize = 10_000;

/// Imported lines are logged in pieces of so many bytes, so that submissions get their turn in between.
pub(crate) const IMPORT_BYTES: usize = 4 << 20;

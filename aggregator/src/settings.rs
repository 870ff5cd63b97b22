//! What can be set about the aggregator.

use std::time::Duration;

use crate::fold::FoldSettings;

/// The aggregator's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AggregatorSettings {
    /// What the fold reads; part of the stored fold version.
    pub fold: FoldSettings,
    /// A batch takes no further chunk after this time, one of a rebuild after half of it. Bounds how long a number waits for its
    /// transaction.
    pub batch_time: Duration,
    /// A batch takes no further chunk above this much memory. One chunk is always folded whole, so a batch may exceed
    /// it by what that chunk adds.
    pub batch_memory_bytes: usize,
    /// Sums that take more memory than this are handed over as a part of the batch, before its end; all parts are one
    /// transaction. A part being written takes about as much again. At least as large as `batch_memory_bytes`, so that
    /// only a single large chunk, or one of hostile pings, is written in parts.
    pub part_memory_bytes: usize,
    /// What may be held in memory before it is written; half of it is written at once, and above it folding waits. A
    /// batch comes on top, and while half of it is written, about half as much again.
    pub layer_memory_bytes: usize,
    /// How long what is folded is held in memory only, at most: after a crash so much is folded again, and other
    /// processes see it so much later.
    pub persist_age: Duration,
    /// What is held is written when for so long nothing was left to fold.
    pub persist_idle: Duration,
    /// How often the index is asked for work when nobody tells of any.
    pub poll: Duration,
    /// The pauses between three tries to read a copy that is to be taken back. Folding stands still meanwhile.
    pub copy_pauses: [Duration; 2],
}

impl Default for AggregatorSettings {
    /// One second and 256 MiB a batch; the index is asked every second. 512 MiB a part: a chunk of main pings that is as
    /// large as chunks become takes two.
    ///
    /// 256 MiB are held: some three million cells, so that keys meet in memory before they meet the disk. Ten seconds:
    /// on a busy machine merges of thousands of pings, and ten seconds of folding again after a crash.
    fn default() -> Self {
        Self {
            fold: FoldSettings::default(),
            batch_time: Duration::from_secs(1),
            batch_memory_bytes: 256 << 20,
            part_memory_bytes: 512 << 20,
            layer_memory_bytes: 256 << 20,
            persist_age: Duration::from_secs(10),
            persist_idle: Duration::from_millis(500),
            poll: Duration::from_secs(1),
            copy_pauses: match cfg!(test) {
                // Tests do not wait.
                true => [Duration::from_millis(1); 2],
                false => [Duration::from_millis(200), Duration::from_secs(1)],
            },
        }
    }
}

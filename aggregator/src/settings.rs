//! What can be set about the aggregator.

use std::time::Duration;

use crate::fold::FoldSettings;

/// The aggregator's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AggregatorSettings {
    /// What the fold reads; part of the stored fold version.
    pub fold: FoldSettings,
    /// A batch takes no further chunk after this time. Bounds how long a number waits for its transaction.
    pub batch_time: Duration,
    /// A batch takes no further chunk above this much memory. One chunk is always folded whole, so a batch may exceed
    /// it by what that chunk adds.
    pub batch_memory_bytes: usize,
    /// A chunk whose sums take more memory than this is set aside: it is hostile, or wants a larger machine. When a
    /// batch is written, it takes about as much again.
    pub chunk_memory_bytes: usize,
    /// How often the index is asked for work when nobody tells of any.
    pub poll: Duration,
}

impl Default for AggregatorSettings {
    /// One second and 256 MiB a batch; the index is asked every second. 2 GiB a chunk: by estimate, twice what as many
    /// main pings take as fit one.
    fn default() -> Self {
        Self {
            fold: FoldSettings::default(),
            batch_time: Duration::from_secs(1),
            batch_memory_bytes: 256 << 20,
            chunk_memory_bytes: 2 << 30,
            poll: Duration::from_secs(1),
        }
    }
}

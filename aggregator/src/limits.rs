//! Limits of the aggregator, each with its reason; memory and times are settings. Those on folding are functions of one
//! ping alone, never of what came before it: so any order of folding admits the same. The first five are defaults of
//! [`crate::fold::Caps`].

/// Names in one ping under which something may be counted: metrics and labels, whatever becomes of them. A main ping
/// has about 2,000. Above it the ping is an errored one, `too_many_parts`.
pub const PARTS_PER_PING_MAX: u32 = 50_000;

/// Labels of one keyed metric in one ping. Known metrics have some hundreds. Above it: `too_many_labels`.
pub const LABELS_PER_METRIC_MAX: u32 = 5_000;

/// Processes in one ping. Firefox knows about ten. Above it: `too_many_processes`.
pub const PROCESSES_PER_PING_MAX: u32 = 64;

/// Bins that are not zero in all histograms of one ping. A main ping has about 4,000. Above it: `too_many_bins`.
pub const BINS_PER_PING_MAX: u32 = 500_000;

/// Bytes of an inflated body. The edge keeps a larger one as an error, which a replay with a higher cap takes apart.
pub const INFLATED_BYTES_MAX: u64 = 32 << 20;

/// Bins stated by one histogram: as many as the largest layout has. A histogram above it is refused alone.
pub const BINS_PER_HISTOGRAM_MAX: usize = sketch::BIN_COUNT_MAX as usize;

/// Samples in one bin of one histogram: so 2^22 pings of one batch fit into 63 bits. A histogram above it is refused.
pub const BIN_SAMPLES_MAX: i64 = 1 << 40;

/// Ends of a layout's range: exactly representable in the floating point that the formulas are defined on.
pub const RANGE_MAX: i64 = 1 << 53;

/// Bytes of a metric's, label's or process's name as sent. Firefox admits 72; add-on ids and urls reach about 200. What
/// is named longer is refused alone.
pub const NAME_BYTES_MAX: usize = 512;

/// Bytes of a dimension's value. Longer ones count as `OTHER`.
pub const DIMENSION_BYTES_MAX: usize = 128;

/// Bytes of a scalar's text that counts by its value, as of Glean's strings. Longer ones count as `OTHER`.
pub const TEXT_BYTES_MAX: usize = 255;

/// Batches that are held in memory before they are due to be written: a question for a copy looks into each of them.
pub const HELD_BATCHES_MAX: usize = 64;

/// Chunks that are held in memory before they are due to be written: their pending rows are read again at each step.
pub const HELD_CHUNKS_MAX: usize = 1_000;

/// Bytes of frames that are read for one question for raw pings, as they were before they were compressed.
pub const RAW_READ_BYTES_MAX: u64 = 512 << 20;

/// Chunks that are opened for one such question: one may hold a single ping.
pub const RAW_CHUNKS_MAX: u64 = 5_000;

/// Bytes that names take which raw pings bear, until what was learned of them is forgotten.
pub const RAW_NAMES_BYTES_MAX: usize = 16 << 20;

const _: () = assert!(BINS_PER_HISTOGRAM_MAX < BINS_PER_PING_MAX as usize);
const _: () = assert!(LABELS_PER_METRIC_MAX < PARTS_PER_PING_MAX);

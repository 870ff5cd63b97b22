//! Limits of a Glean ping, each with its reason: at or above what the SDK can send. Over them a text counts as `OTHER`, or
//! a value is left out, and the rest of the ping counts. They are functions of one ping alone.

/// Bytes of a metric's name: category (40), a point, name (70), with room for what an SDK may add.
pub const NAME_BYTES_MAX: usize = 128;

/// Characters of a label, and of each side of a dual one: the SDK's own limit.
pub const LABEL_CHARACTERS_MAX: usize = 111;

/// Labels of one metric: a definition's list may have 4,096, and a dual one has pairs of two lists of 17 and more.
pub const LABELS_PER_METRIC_MAX: usize = 5_000;

/// Bytes of a value that counts by its name: the SDK cuts strings at 255; a host's name has 253 at most.
pub const STRING_BYTES_MAX: usize = 255;

/// Items of a list of strings: the SDK's own limit.
pub const LIST_ITEMS_MAX: usize = 100;

/// Bytes of a dimension's value.
pub const DIMENSION_BYTES_MAX: usize = 128;

/// Tags of a source: the SDK's own limit.
pub const SOURCE_TAGS_MAX: usize = 5;

/// Bytes of such a tag: the SDK's own limit.
pub const SOURCE_TAG_BYTES_MAX: usize = 20;

/// Metrics, labels, values and events in one ping. The largest known pings have some thousands.
pub const VALUES_PER_PING_MAX: usize = 50_000;

/// Bins stated by one distribution: as many as the largest layout has.
pub const BINS_PER_DISTRIBUTION_MAX: usize = sketch::BIN_COUNT_MAX as usize;

/// Bins stated by all distributions of one ping.
pub const BINS_PER_PING_MAX: usize = 500_000;

/// Samples in one bin: so 2^22 pings of one batch fit into 63 bits.
pub const BIN_SAMPLES_MAX: i64 = 1 << 40;

/// Bytes of texts for which a reader keeps room from one ping to the next: a usual ping has some thousands.
pub const TEXT_BYTES_KEPT: usize = 1 << 20;

/// Keys, values, bins and events for which it keeps room, of each.
pub const THINGS_KEPT: usize = 20_000;

const _: () = assert!(BINS_PER_DISTRIBUTION_MAX < BINS_PER_PING_MAX);
const _: () = assert!(LABELS_PER_METRIC_MAX < VALUES_PER_PING_MAX);

//! Bounds of what is taken from one ping of a declared product, each with its reason. They are functions of one ping alone, so
//! any order of folding admits the same.

/// Labels of one metric in one ping; those that come later in the ping count as `OTHER`. A command line has about a hundred
/// commands.
pub const LABELS_PER_METRIC_MAX: usize = 500;

/// Different values of one category and label in one ping; those that come later count as `OTHER`.
pub const VALUES_PER_METRIC_MAX: usize = 500;

/// Bytes of a label; a longer one counts as `OTHER`. Names that people choose have up to 72, paths and addresses reach this.
pub const LABEL_BYTES_MAX: usize = 128;

/// Samples, bins and categories of metrics with several values, in one ping: so that a body of 32 MiB cannot ask for gigabytes.
/// What comes later is left out.
pub const ITEMS_PER_PING_MAX: usize = 100_000;

/// Samples in one bin: so 2^22 pings of one batch fit into 63 bits.
pub const BIN_SAMPLES_MAX: i64 = 1 << 40;

/// Bytes of a client's id: a UUID has 36.
pub const CLIENT_BYTES_MAX: usize = 128;

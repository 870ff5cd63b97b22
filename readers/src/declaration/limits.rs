//! Bounds of a declaration, each with its reason. They are wide: what is beyond is a mistake, or made by a program.

/// Bytes of a file: a thousand metrics with descriptions take about 200 KB.
pub const FILE_BYTES_MAX: usize = 1 << 20;

/// Tables and lists in each other in a file: a declaration needs 5, the body of an example may need more.
pub const DEPTH_MAX: usize = 32;

/// Keys and values in a file, those that an alias repeats counted again: so that a small file stays small.
pub const NODES_MAX: usize = 100_000;

/// Sources of one product.
pub const SOURCES_MAX: usize = 100;

/// Dimensions of one product: each is a word of every dimension set that is stored.
pub const DIMENSIONS_MAX: usize = 32;

/// Metrics of one product, over all its document types.
pub const METRICS_MAX: usize = 2_000;

/// Bytes of a path.
pub const PATH_BYTES_MAX: usize = 512;

/// Steps of a path: JSON that is made by people is less deep.
pub const PATH_STEPS_MAX: usize = 16;

/// Steps `*` of a path: each may multiply what is read.
pub const STARS_MAX: usize = 4;

/// Metrics and dimensions that read one path: each reads it again.
pub const READERS_PER_PATH_MAX: usize = 8;

/// Bytes of the name of a metric or dimension: they stand in queries, and `.` joins two.
pub const NAME_BYTES_MAX: usize = 64;

/// Values that `values` names for a dimension or a category.
pub const VALUES_MAX: usize = 1_000;

/// Characters that `max_length` can admit.
pub const LENGTH_MAX: usize = 500;

/// Paths that are ignored, or dropped.
pub const PATHS_MAX: usize = 1_000;

/// Examples of one file.
pub const EXAMPLES_MAX: usize = 100;

/// Bytes of a description.
pub const DESCRIPTION_BYTES_MAX: usize = 4_000;

/// Years that something is kept, at most: more is a slip of the hand.
pub const KEEP_YEARS_MAX: i64 = 100;

//! Bounds of definitions, each with its reason. Beyond them is a mistake, or a file made by a program.

/// Bytes of a file: the largest known has some thousand metrics, each with 400 bytes of words for people.
pub const FILE_BYTES_MAX: usize = 8 << 20;

/// Keys and values in a file, those that an alias repeats counted again: a metric has about 30.
pub const NODES_MAX: usize = 1_000_000;

/// Labels of one metric: as many as the schema admits.
pub const LABELS_MAX: usize = 4_096;

/// Items of any other list or table of one definition.
pub const ITEMS_MAX: usize = 1_000;

/// Ends of a layout's range: exactly representable in the floating point that the formulas are defined on.
pub const RANGE_MAX: i64 = 1 << 53;

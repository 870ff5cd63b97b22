//! What a question may ask for, each limit with its reason.

/// Bytes of a query string. The page's longest is about 1,500, that of the original's dashboard 4,094.
pub(crate) const QUERY_BYTES_MAX: usize = 16 << 10;

/// Parameters of a query string; the longest list of a route has eleven names.
pub(crate) const PARAMETERS_MAX: usize = 64;

/// Dates of one question: more than three years of daily builds.
pub(crate) const DATES_MAX: usize = 1_200;

/// Bytes of a channel's name in a path, decoded. Names in pings are shorter.
pub(crate) const CHANNEL_BYTES_MAX: usize = 256;

/// Days of one engagement question: a year and a month, so that a year can be compared with its beginning.
pub(crate) const ENGAGEMENT_DAYS_MAX: i64 = 397;

/// Names or dates that one sentence lists before it says "and so many more".
pub(crate) const NAMES_IN_A_SENTENCE: usize = 12;

/// Bytes of an `Allow` header; clients commonly refuse 8 KiB of headers.
pub(crate) const ALLOW_BYTES_MAX: usize = 4 << 10;

/// Partitions of one answer: a screenful.
pub(crate) const PARTITIONS_ON_A_PAGE: usize = 20;

const _: () = assert!(
    DATES_MAX * 9 < QUERY_BYTES_MAX,
    "a query string has room for the dates it may name"
);

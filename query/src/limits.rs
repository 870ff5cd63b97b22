//! What a question may ask for, each limit with its reason.

use std::time::Duration;

use aggregate_store::Bounds;

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

/// Rows of one answer, a row being a date with a label, or a day with a group: a hundred labels at 200 dates.
pub(crate) const ROWS_MAX: usize = 20_000;

/// Rows that are read for one answer over any source: labels and values of categories lie apart until they are added.
pub(crate) const ROWS_READ_MAX: usize = 100_000;

/// Rows of an answer over any source where nothing else is asked.
pub(crate) const GROUPS_USUAL: usize = 1_000;

/// Rows of such an answer at most: a table that a person or a chart still takes in.
pub(crate) const GROUPS_MAX: usize = 10_000;

/// Percentiles of each row: every one of a hundred.
pub(crate) const PERCENTILES_MAX: usize = 101;

/// Metrics that are looked at together.
pub(crate) const METRICS_AT_ONCE: usize = 1_000;

/// Metrics on one page of their list: of each of them its pings are counted.
pub(crate) const METRICS_ON_A_PAGE: usize = 200;

/// How long the pings of metrics are counted for one page of their list; those behind have none. A large source's take milliseconds each.
pub(crate) const PINGS_TIME_MAX: Duration = Duration::from_secs(3);

/// Subjects and rules of what is left out that one answer names, those of the most pings.
pub(crate) const LEFT_OUT_NAMED_MAX: usize = 100;

/// Labels of one metric that the list of metrics names: of a whole page of metrics with the longest, 11 MiB.
pub(crate) const LABELS_NAMED_MAX: usize = 100;

/// Pings that are Glean's by definition alone: their names are among the rules of the fold, which are compared as one text.
pub(crate) const BARE_PINGS_MAX: usize = 100;

/// Scalars whose texts count: their names are among the rules of the fold, too. Firefox 76 had some twenty.
pub(crate) const STRINGS_MAX: usize = 1_000;

/// Expired metrics of which one look asks whether they still arrive: each is a question of its own.
pub(crate) const EXPIRED_ASKED_MAX: usize = 100;

/// Days back of which it is asked: what an old client sent a month ago asks for nothing.
pub(crate) const EXPIRED_DAYS: i64 = 7;

/// Names of metrics that a report of health lists of each kind, before it says how many more there are.
pub(crate) const METRICS_NAMED_MAX: usize = 50;

/// Raw pings of one answer where nothing else is asked.
pub(crate) const PINGS_USUAL: usize = 100;

/// Raw pings of one answer at most; `highwater pings` has no limit.
pub(crate) const PINGS_MAX: usize = 10_000;

/// Bytes of the raw pings of one answer: eighty of the largest, or some thousand usual ones.
pub(crate) const PING_BYTES_MAX: usize = 8 << 20;

/// Fields of each raw ping that one answer may name.
pub(crate) const FIELDS_MAX: usize = 100;

/// Metrics that the catalogue names of one source.
pub(crate) const CATALOGUE_METRICS_OF_A_SOURCE: usize = 500;

/// Metrics that it names of all sources together: some MiB.
pub(crate) const CATALOGUE_METRICS_MAX: usize = 10_000;

/// Sources in one list.
pub(crate) const LIST_SOURCES_MAX: usize = 1_000;

/// Bins of an answer, and one for each of its rows, up to which it is shaped where it was asked: a fraction of a millisecond. What
/// is larger goes to a thread of its own, so that pings on their way in do not wait for it.
pub(crate) const BINS_AT_ONCE_MAX: usize = 1_000;

/// Bins that are read for one answer, those without samples not counted: 32 MiB.
pub(crate) const BINS_READ_MAX: usize = 1_000_000;

/// Both, as the store is told.
pub(crate) const READ: Bounds = Bounds {
    rows: ROWS_READ_MAX,
    bins: BINS_READ_MAX,
};

/// Numbers in the histograms of one answer, zeros among them: 16 MiB, and some MiB of JSON.
pub(crate) const BINS_SHOWN_MAX: usize = 2_000_000;

/// Bytes of one answer.
pub(crate) const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Bytes of all answers that are being sent; a slow client keeps its own as long as it takes them.
pub(crate) const SENDING_BYTES_MAX: usize = 128 << 20;

/// Values of each kind in one list: Firefox knows about 5,000 metrics.
pub(crate) const LIST_VALUES_MAX: usize = 10_000;

/// Dates with their versions in one list: fifty versions of three years, each.
pub(crate) const LIST_DATES_MAX: usize = 50_000;

/// Products in one list.
pub(crate) const LIST_PRODUCTS_MAX: usize = 1_000;

/// Layouts that a header names before it says how many more there are: 8 KiB of headers are what clients commonly take.
pub(crate) const LAYOUTS_IN_A_HEADER: usize = 16;

/// Questions that are answered at a time: as many as there are threads that read aggregates.
pub(crate) const QUESTIONS_AT_ONCE: usize = 3;

/// Questions that wait for their turn; more are refused.
pub(crate) const QUESTIONS_WAITING_MAX: usize = 64;

/// How long a question may take, its wait for its turn included. The longest that the page asks take seconds.
pub(crate) const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

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

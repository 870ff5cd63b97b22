//! What a source has: its dimensions and days, and the forms of its metrics. Not here: their sums.

use ping::SubmissionDate;
use sketch::Layout;

/// What is kept of a source. What was taken back to the last cell may still be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutSource {
    /// The names of dimensions that some ping stated, ascending; the day of submission is not among them.
    pub dimensions: Vec<String>,
    /// The first day on which a ping was received.
    pub first_day: SubmissionDate,
    /// The last one.
    pub last_day: SubmissionDate,
}

/// A metric that has cells, and what those look like that lie under one of its dimension sets: pings of one shape lie there, so
/// that this tells what kind of metric it is without a walk over all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMetric {
    /// As it is stored.
    pub metric: String,
    /// Labels and layouts, ascending, at most [`EXAMPLES_MAX`].
    pub examples: Vec<(String, Layout)>,
}

/// Labels and layouts of one metric that are looked at: a labelled one has a label or, beside its marker, a second cell.
pub const EXAMPLES_MAX: usize = 8;

//! What is kept of what. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use ping::SubmissionDate;

use crate::RetentionRule;
use crate::limits::COPIES_MARGIN_DAYS;

const DAY: u64 = 86_400;

/// What is kept of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Chunks of pings, their index rows, and the rows of pings in them that could not be folded.
    pub pings: RetentionRule,
    /// Chunks of errored pings, and their index rows.
    pub errors: RetentionRule,
    /// Cells and user sketches.
    pub aggregates: RetentionRule,
    /// Copies, by which repeats are known; also above the floor of pings.
    pub copies: RetentionRule,
    /// For how long a copy of a ping is a repeat.
    pub repeat_window: Duration,
}

/// What is kept of sources that are kept shorter than all, by `<namespace>/<document type>`.
pub type RulesBySource = BTreeMap<String, SourceRules>;

/// What is kept of one source, where that is less than what is kept of all: ages only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceRules {
    /// Its chunks, of pings and of errored pings alike.
    pub chunks: RetentionRule,
    /// Its cells and user sketches.
    pub aggregates: RetentionRule,
}

impl Rules {
    /// Whether nothing is ever deleted.
    pub const fn keep_everything(&self) -> bool {
        self.pings.is_forever()
            && self.errors.is_forever()
            && self.aggregates.is_forever()
            && self.copies.is_forever()
    }

    /// Copies below this day can make no later ping a repeat that may still be folded above the floor of pings.
    pub(crate) fn copies_below(&self, floor: SubmissionDate) -> SubmissionDate {
        let days = self.repeat_window.as_secs().div_ceil(DAY);
        floor.plus_days(-i64::try_from(days).unwrap_or(i64::MAX / 2) - COPIES_MARGIN_DAYS)
    }
}

//! The day before which nothing is indexed any more, as who asks the index told it: a ping of a day before is not taken, for
//! a 200 says that it will be found. Who takes pings and never asks an index knows of none.

use std::sync::atomic::{AtomicU32, Ordering};

use ping::SubmissionDate;

/// A floor date that may change.
#[derive(Debug, Default)]
pub(crate) struct Floor {
    /// YYYYMMDD; 0 lies below every day.
    day: AtomicU32,
}

impl Floor {
    /// It is this day from now on.
    pub(crate) fn set(&self, floor: Option<SubmissionDate>) {
        self.day
            .store(floor.map_or(0, SubmissionDate::as_yyyymmdd), Ordering::Relaxed);
    }

    /// Whether a ping of this day will be indexed.
    pub(crate) fn admits(&self, day: SubmissionDate) -> bool {
        day.as_yyyymmdd() >= self.day.load(Ordering::Relaxed)
    }
}

//! How far the numbers are behind what was acknowledged, as of the newest look at the whole.

use std::time::Duration;

use ping::{SubmissionDate, Timestamp};

use crate::health::HealthReport;

/// What is known of pings that are in no number yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Live {
    /// Acknowledged pings that are in no number yet, and will be.
    pub(crate) behind: u64,
    /// How long ago the newest ping was received that is counted.
    pub(crate) newest_age: Option<Duration>,
    now: Option<Timestamp>,
}

impl Live {
    pub(crate) fn of(report: &HealthReport) -> Self {
        let numbers = &report.numbers;
        Self {
            behind: numbers.counts.behind(),
            newest_age: numbers.newest_age(),
            now: numbers.at,
        }
    }

    /// The day that is not over, by the clock of that look.
    pub(crate) fn today(&self) -> Option<SubmissionDate> {
        self.now.map(Timestamp::submission_date)
    }

    /// For a sentence: what may still come.
    pub(crate) fn sentence(&self) -> String {
        let behind = match self.behind {
            0 => String::new(),
            1 => " 1 acknowledged ping is in no number yet.".to_owned(),
            many => format!(" {many} acknowledged pings are in no number yet."),
        };
        match self.newest_age {
            Some(age) => format!(
                "{behind} The newest ping that is counted was received {} s ago.",
                age.as_secs()
            ),
            None => behind,
        }
    }
}

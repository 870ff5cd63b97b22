//! How far the numbers are behind what was acknowledged, as of the newest look at the whole.

use std::time::Duration;

use ping::{SubmissionDate, Timestamp};
use serde::Serialize;

use crate::health::HealthReport;
use crate::status_report::rfc3339;

/// What is known of pings that are in no number yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Live {
    /// Acknowledged pings that are in no number yet, and will be.
    pub(crate) behind: u64,
    /// How long ago the newest ping was received that is counted.
    pub(crate) newest_age: Option<Duration>,
    now: Option<Timestamp>,
}

/// How far an answer reaches, beside whatever it says.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Reach {
    /// The receive time of the newest ping that is counted.
    as_of: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    live_behind: u64,
}

/// Whether a number is left away.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Live {
    /// How far an answer reaches that counts all up to the newest of these pings.
    pub(crate) fn reach(&self, newest_received: Option<Timestamp>) -> Reach {
        Reach {
            as_of: newest_received.map(rfc3339),
            live_behind: self.behind,
        }
    }

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

//! Which day it is: this machine's clock, and whether what is there vouches for it. Pure.

use std::collections::BTreeSet;

use ping::SubmissionDate;

use crate::limits::PAUSE_DAYS_MAX;

const DAY_MICROS: i64 = 86_400_000_000;

/// A day by this machine's clock, and the days of which is known that they were.
#[derive(Clone, Debug)]
pub(crate) struct Today {
    /// By the clock.
    pub(crate) day: SubmissionDate,
    /// Of the chunks that are there, and of this process's runs.
    known: BTreeSet<SubmissionDate>,
    /// By which a floor was raised: what was before is no matter.
    since: Option<SubmissionDate>,
}

impl Today {
    pub(crate) const fn new(
        day: SubmissionDate,
        known: BTreeSet<SubmissionDate>,
        since: Option<SubmissionDate>,
    ) -> Self {
        Self { day, known, since }
    }

    /// The same where a floor was raised by this day, too.
    pub(crate) fn since(&self, day: Option<SubmissionDate>) -> Self {
        Self {
            since: self.since.max(day),
            ..self.clone()
        }
    }

    /// Whether the known days and these lead up to today without a long pause. A clock that is ahead has one before it: behind
    /// it lie at most pings that came under that very clock. What is kept for few days may have a pause of half of them.
    pub(crate) fn is_vouched_for(&self, kept_days: i64, own: impl Iterator<Item = SubmissionDate>) -> bool {
        let pause = (kept_days / 2).clamp(1, PAUSE_DAYS_MAX);
        let own = BTreeSet::from_iter(own);
        let mut days = self.since.into_iter().chain(
            self.known
                .union(&own)
                .copied()
                .filter(|day| Some(*day) > self.since && *day <= self.day),
        );
        let Some(mut at) = days.next() else { return false };
        for day in days.chain([self.day]) {
            if days_between(at, day) > pause {
                return false;
            }
            at = day;
        }
        true
    }
}

/// Days from one to the other.
pub(crate) fn days_between(from: SubmissionDate, to: SubmissionDate) -> i64 {
    to.start().micros_since(from.start()) / DAY_MICROS
}

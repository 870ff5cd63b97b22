//! From which day on something is kept. Pure: the day and the sizes are told.

use std::time::Duration;

use ping::SubmissionDate;

use crate::Keep;
use crate::limits::COPIES_MARGIN_DAYS;

const DAY: u64 = 86_400;

/// What is kept of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Chunks of pings, their index rows, and the rows of pings in them that could not be folded.
    pub pings: Keep,
    /// Chunks of errored pings, and their index rows.
    pub errors: Keep,
    /// Cells and user sketches.
    pub aggregates: Keep,
    /// For how long a copy of a ping is a repeat.
    pub repeat_window: Duration,
}

impl Rules {
    /// Copies below this day can make no later ping a repeat that may still be folded above the floor of pings.
    pub(crate) fn copies_below(&self, floor: SubmissionDate) -> SubmissionDate {
        let days = self.repeat_window.as_secs().div_ceil(DAY);
        floor.plus_days(-i64::try_from(days).unwrap_or(i64::MAX / 2) - COPIES_MARGIN_DAYS)
    }
}

/// The first day that is kept, given what each day takes (oldest first); `None` when nothing has to go. Days go whole.
/// Neither rule ever takes `today` or what lies after it.
pub fn floor_of(
    keep: &Keep,
    days: &[(SubmissionDate, u64)],
    today: SubmissionDate,
) -> Option<SubmissionDate> {
    let by_age = keep.age.map(|age| {
        let days = i64::try_from(age.as_secs() / DAY).unwrap_or(i64::MAX / 2);
        today.plus_days(-days)
    });
    by_age.max(keep.bytes.and_then(|bytes| floor_by_size(bytes, days, today)))
}

fn floor_by_size(
    bytes: u64,
    days: &[(SubmissionDate, u64)],
    today: SubmissionDate,
) -> Option<SubmissionDate> {
    let mut left: u64 = days.iter().map(|(_, bytes)| bytes).sum();
    let mut floor = None;
    for (day, taken) in days {
        if left <= bytes || *day >= today {
            break;
        }
        left -= taken;
        floor = Some(day.plus_days(1));
    }
    floor
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn today() -> SubmissionDate {
        "20170131".parse().expect("a date")
    }

    #[test]
    fn an_age_keeps_so_many_days_before_today() {
        let keep: Keep = "30d".parse().expect("a rule");
        assert_eq!(
            floor_of(&keep, &[], today()),
            Some("20170101".parse().expect("a date"))
        );
        assert_eq!(floor_of(&Keep::default(), &[(today(), u64::MAX)], today()), None);
    }

    proptest! {
        #[test]
        fn the_oldest_days_go_until_the_rest_fits(sizes in prop::collection::vec(0u64..100, 0..12), budget in 0u64..400) {
            let days: Vec<_> = (0..).zip(&sizes).map(|(at, size)| (today().plus_days(at - 8), *size)).collect();
            let keep = Keep { bytes: Some(budget), ..Keep::default() };
            let floor = floor_of(&keep, &days, today());
            let kept_from = |floor| days.iter().filter(move |(day, _)| Some(*day) >= floor).map(|(_, size)| size).sum::<u64>();
            let before_today = |day: &SubmissionDate| *day < today();
            // The slow way: the first of all possible floors that leaves little enough, else today.
            let mut floors = vec![None];
            floors.extend(days.iter().map(|(day, _)| *day).filter(before_today).map(|day| Some(day.plus_days(1))));
            let enough = floors.iter().find(|floor| kept_from(**floor) <= budget);
            prop_assert_eq!(floor, *enough.unwrap_or_else(|| floors.last().expect("one at least")));
            prop_assert!(floor.is_none_or(|floor| floor <= today()));
        }
    }
}

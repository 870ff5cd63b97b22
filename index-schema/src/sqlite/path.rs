//! By which of its table's indexes SQLite walks a selection. Its planner knows no sums over the values, and takes the days
//! even where they are sixty and the version is one; PostgreSQL counts for itself.

use std::borrow::Cow;

use ping::{Dimension, SubmissionDate};

use crate::{Condition, Selection};

/// So few days are narrower than any version or build.
const FEW_DAYS: usize = 3;

/// More days than this are not looked up one by one.
const DAYS_MAX: usize = 366;

/// More values than this are not narrow.
const VALUES_MAX: usize = 100;

/// How a selection is walked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path<'a> {
    /// What stands behind the table's name: one index and no other, or nothing where the planner finds the way.
    pub(super) hint: &'static str,
    /// The selection, as it is put to the database.
    pub(super) selection: Cow<'a, Selection>,
}

impl<'a> Path<'a> {
    /// The path of a selection.
    pub(super) fn of(selection: &'a Selection) -> Self {
        let has = |wanted: Dimension, meets: &dyn Fn(&Condition) -> bool| {
            let mut of_it = selection
                .conditions
                .iter()
                .filter(|(dimension, _)| *dimension == wanted);
            of_it.any(|(_, condition)| meets(condition))
        };
        let has_days = |most| has(Dimension::SubmissionDate, &|days| days_of(days, most).is_some());
        let hint = if has_days(FEW_DAYS) {
            BY_DATE
        } else if has(Dimension::AppVersion, &is_narrow) {
            " INDEXED BY chunk_by_version"
        } else if has(Dimension::AppUpdateChannel, &|channels| is_few(channels))
            && has(Dimension::AppBuildId, &is_narrow)
        {
            " INDEXED BY chunk_by_build"
        } else if has_days(DAYS_MAX) {
            BY_DATE
        } else {
            ""
        };
        let selection = if hint == BY_DATE {
            Cow::Owned(day_by_day(selection))
        } else {
            Cow::Borrowed(selection)
        };
        Self { hint, selection }
    }
}

const BY_DATE: &str = " INDEXED BY chunk_by_date";

/// The same selection with its days one by one: behind each of them the index is walked by the channel too, and behind a
/// range of them it is not.
fn day_by_day(selection: &Selection) -> Selection {
    let mut selection = selection.clone();
    for (dimension, condition) in &mut selection.conditions {
        if *dimension == Dimension::SubmissionDate
            && let Some(days) = days_of(condition, DAYS_MAX)
        {
            *condition = Condition::OneOf(days);
        }
    }
    selection
}

/// The days that a condition admits, where they are so few, and some.
fn days_of(condition: &Condition, most: usize) -> Option<Vec<String>> {
    let days = match condition {
        Condition::OneOf(days) => days.iter().take(most + 1).cloned().collect(),
        Condition::Range { from, to } => {
            let (from, to): (SubmissionDate, SubmissionDate) =
                (from.as_ref()?.parse().ok()?, to.as_ref()?.parse().ok()?);
            let days = (0..).map(|number| from.plus_days(number));
            let days = days.take_while(|day| *day <= to).take(most + 1);
            days.map(|day| day.to_string()).collect()
        }
        Condition::Versions(_) => Vec::new(),
    };
    (1..=most).contains(&days.len()).then_some(days)
}

/// Whether a condition names so few values.
fn is_few(condition: &Condition) -> bool {
    match condition {
        Condition::OneOf(values) => (1..=VALUES_MAX).contains(&values.len()),
        Condition::Range { from, to } => from.is_some() && from == to,
        Condition::Versions(_) => false,
    }
}

/// Whether a condition has a lowest and a highest value, or few: then an index can be walked by it.
fn is_narrow(condition: &Condition) -> bool {
    match condition {
        Condition::OneOf(values) | Condition::Versions(values) => (1..=VALUES_MAX).contains(&values.len()),
        Condition::Range { from, to } => from.is_some() && to.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint_of(conditions: &[(Dimension, Condition)]) -> &'static str {
        Path::of(&selection(conditions)).hint
    }

    fn selection(conditions: &[(Dimension, Condition)]) -> Selection {
        Selection {
            conditions: conditions.to_vec(),
            ..Selection::default()
        }
    }

    fn range(from: Option<&str>, to: Option<&str>) -> Condition {
        Condition::Range {
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        }
    }

    #[test]
    fn one_version_goes_before_many_days_and_few_days_before_it() {
        let version = (Dimension::AppVersion, Condition::Versions(vec!["54".to_owned()]));
        let days = |from, to| (Dimension::SubmissionDate, range(from, to));
        let day = (
            Dimension::SubmissionDate,
            Condition::OneOf(vec!["20170131".to_owned()]),
        );
        let sixty = days(Some("20170101"), Some("20170301"));
        assert_eq!(hint_of(&[version.clone(), sixty]), " INDEXED BY chunk_by_version");
        assert_eq!(hint_of(&[version.clone(), day]), BY_DATE);
        assert_eq!(
            hint_of(&[version, days(Some("20170131"), Some("20170202"))]),
            BY_DATE
        );
    }

    #[test]
    fn days_between_two_ends_are_looked_up_one_by_one() {
        let days = |from: &str, to: &str| (Dimension::SubmissionDate, range(Some(from), Some(to)));
        let build = (Dimension::AppBuildId, range(Some("2017"), Some("2018")));
        let one_by_one = Condition::OneOf(["20170227", "20170228", "20170301"].map(str::to_owned).to_vec());
        assert_eq!(
            Path::of(&selection(&[build.clone(), days("20170227", "20170301")])),
            Path {
                hint: BY_DATE,
                selection: Cow::Owned(selection(&[build, (Dimension::SubmissionDate, one_by_one)])),
            }
        );
        assert_eq!(hint_of(&[days("20160101", "20161231")]), BY_DATE);
        for (from, to) in [
            ("20160101", "20170101"),
            ("20170102", "20170101"),
            ("201701", "20170131"),
            ("20170101", "2017013"),
            ("00000000", "99999999"),
        ] {
            let selection = selection(&[days(from, to)]);
            let found = Path::of(&selection);
            assert_eq!(
                (found.hint, &*found.selection),
                ("", &selection),
                "{from} to {to}"
            );
        }
    }

    #[test]
    fn builds_of_a_channel_are_walked_between_two_ends_and_not_from_one_on() {
        let channel = (
            Dimension::AppUpdateChannel,
            Condition::OneOf(vec!["nightly".to_owned()]),
        );
        let builds = |from, to| (Dimension::AppBuildId, range(from, to));
        let both = builds(Some("2017"), Some("2018"));
        assert_eq!(
            hint_of(&[both.clone(), channel.clone()]),
            " INDEXED BY chunk_by_build"
        );
        assert_eq!(hint_of(&[both]), "");
        assert_eq!(hint_of(&[builds(Some("2017"), None), channel.clone()]), "");
        let many = Condition::OneOf(vec![String::new(); VALUES_MAX + 1]);
        assert_eq!(hint_of(&[(Dimension::AppBuildId, many), channel]), "");
        assert_eq!(hint_of(&[]), "");
    }
}

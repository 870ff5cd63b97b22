//! By which of its table's indexes SQLite walks a selection. Its planner knows no sums over the values, and takes the days
//! even where they are sixty and the version is one; PostgreSQL counts for itself.

use ping::Dimension;

use crate::{Condition, Selection};

/// So few days are narrower than any version or build.
const DAYS_MAX: usize = 3;

/// More values than this are not narrow.
const VALUES_MAX: usize = 100;

/// What stands behind the table's name: one index and no other, or nothing where the planner finds the way.
pub(super) fn hint(selection: &Selection) -> &'static str {
    let has = |wanted: Dimension, meets: &dyn Fn(&Condition) -> bool| {
        let mut of_it = selection
            .conditions
            .iter()
            .filter(|(dimension, _)| *dimension == wanted);
        of_it.any(|(_, condition)| meets(condition))
    };
    if has(Dimension::SubmissionDate, &|days| is_few(days, DAYS_MAX)) {
        ""
    } else if has(Dimension::AppVersion, &is_narrow) {
        " INDEXED BY chunk_by_version"
    } else if has(Dimension::AppUpdateChannel, &|channels| {
        is_few(channels, VALUES_MAX)
    }) && has(Dimension::AppBuildId, &is_narrow)
    {
        " INDEXED BY chunk_by_build"
    } else {
        ""
    }
}

/// Whether a condition names so few values.
fn is_few(condition: &Condition, most: usize) -> bool {
    match condition {
        Condition::OneOf(values) => (1..=most).contains(&values.len()),
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
        hint(&Selection {
            conditions: conditions.to_vec(),
            ..Selection::default()
        })
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
        assert_eq!(hint_of(&[version, day]), "");
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

//! Daily and monthly users from daily sketches. Pure.

use std::collections::BTreeMap;

use aggregate_store::UserDay;
use ping::SubmissionDate;
use sketch::UserSketch;

/// Days of a month, the day itself included.
pub(crate) const MONTH_DAYS: i64 = 28;

/// The users of one day, and of the month that ends with it. Estimates.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ActiveUsers {
    pub(crate) date: SubmissionDate,
    pub(crate) group: String,
    /// Whether these are the users of all groups that have no entries of their own.
    pub(crate) is_rest: bool,
    /// Users of the day.
    pub(crate) daily: f64,
    /// Users of the day and the 27 days before it; never fewer than `daily`, of which they are a superset.
    pub(crate) monthly: f64,
}

/// Users of every day from `from` to `to`, ascending by day and group, all other groups last, from the sketches of `from` − 27 days to `to`.
/// A group that is among the sketches has an entry for each day; `always` names one that has them even if it is not.
pub(crate) fn by_day(
    users: Vec<UserDay>,
    from: SubmissionDate,
    to: SubmissionDate,
    always: Option<&str>,
) -> Vec<ActiveUsers> {
    let first = from.plus_days(1 - MONTH_DAYS);
    let days: Vec<SubmissionDate> = std::iter::successors(Some(first), |day| Some(day.plus_days(1)))
        .take_while(|day| *day <= to)
        .collect();
    let mut groups: BTreeMap<(bool, String), Vec<UserSketch>> = BTreeMap::new();
    let empty = || vec![UserSketch::new(); days.len()];
    if let Some(name) = always {
        groups.insert((false, name.to_owned()), empty());
    }
    for UserDay {
        date,
        group,
        is_rest,
        users,
    } in users
    {
        if let Ok(at) = days.binary_search(&date) {
            groups.entry((is_rest, group)).or_insert_with(empty)[at].merge(&users);
        }
    }
    let mut found: Vec<ActiveUsers> = Vec::new();
    for ((is_rest, group), daily) in groups {
        let before = daily.len().min(MONTH_DAYS as usize - 1);
        for (at, month) in unions(&daily, MONTH_DAYS as usize).into_iter().enumerate() {
            let daily = daily[before + at].estimate();
            let monthly = month.estimate().max(daily);
            found.push(ActiveUsers {
                date: days[before + at],
                group: group.clone(),
                is_rest,
                daily,
                monthly,
            });
        }
    }
    found.sort_by(|a, b| (a.date, a.is_rest, &a.group).cmp(&(b.date, b.is_rest, &b.group)));
    found
}

/// The union of every `width` neighbours. Sketches cannot be taken away from a union, so blocks of `width` are united
/// from both their ends, and each window is the end of one block and the beginning of the next: three merges a window,
/// whatever its width (van Herk, 1992).
fn unions(sketches: &[UserSketch], width: usize) -> Vec<UserSketch> {
    let mut beginnings = sketches.to_vec();
    let mut ends = sketches.to_vec();
    for at in 1..sketches.len() {
        if at % width != 0 {
            let (before, here) = beginnings.split_at_mut(at);
            here[0].merge(&before[at - 1]);
        }
    }
    for at in (0..sketches.len().saturating_sub(1)).rev() {
        if (at + 1) % width != 0 {
            let (here, after) = ends.split_at_mut(at + 1);
            here[at].merge(&after[0]);
        }
    }
    let windows = (sketches.len() + 1).saturating_sub(width);
    let union = |start: usize| {
        let mut window = beginnings[start + width - 1].clone();
        window.merge(&ends[start]);
        window
    };
    (0..windows).map(union).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sketch::{STANDARD_ERROR, coupon_of};
    use std::collections::BTreeSet;

    fn day(text: &str) -> SubmissionDate {
        text.parse().expect("a date")
    }

    fn sketch(clients: impl IntoIterator<Item = u32>) -> UserSketch {
        let mut sketch = UserSketch::new();
        sketch.extend(
            clients
                .into_iter()
                .filter_map(|client| coupon_of(&format!("client-{client}"))),
        );
        sketch
    }

    fn of_day(date: SubmissionDate, group: &str, clients: impl IntoIterator<Item = u32>) -> UserDay {
        UserDay {
            date,
            group: group.to_owned(),
            is_rest: false,
            users: sketch(clients),
        }
    }

    #[test]
    fn a_month_has_the_day_and_the_27_before_it() {
        let to = day("20170228");
        let users = vec![
            of_day(day("20170131"), "", [1, 2]),
            of_day(day("20170201"), "", [3]),
            of_day(to, "", [3, 4]),
        ];
        let found = by_day(users, day("20170227"), to, Some(""));
        let rounded: Vec<_> = found
            .iter()
            .map(|one| (one.date.to_string(), one.daily.round(), one.monthly.round()))
            .collect();
        assert_eq!(
            rounded,
            [
                ("20170227".to_owned(), 0.0, 3.0),
                ("20170228".to_owned(), 2.0, 2.0)
            ]
        );
    }

    #[test]
    fn without_users_the_group_that_is_always_there_has_zeros_and_others_are_absent() {
        let (from, to) = (day("20170101"), day("20170102"));
        let none = by_day(Vec::new(), from, to, Some(""));
        assert_eq!(none.len(), 2);
        assert!(none.iter().all(|one| one.daily == 0.0 && one.monthly == 0.0));
        assert!(by_day(Vec::new(), from, to, None).is_empty());
    }

    #[test]
    fn many_users_are_within_three_standard_errors() {
        let (from, to) = (day("20170101"), day("20170110"));
        let clients = |n: u32| (n * 1_000)..(n * 1_000 + 5_000);
        let users = (0..10)
            .map(|n| of_day(from.plus_days(i64::from(n)), "", clients(n)))
            .collect();
        for (n, one) in (0_u32..).zip(by_day(users, from, to, None)) {
            let truth: BTreeSet<u32> = (0..=n).flat_map(clients).collect();
            let near = |estimate: f64, truth: f64| (estimate - truth).abs() <= 3.0 * STANDARD_ERROR * truth;
            assert!(
                near(one.daily, 5_000.0) && near(one.monthly, truth.len() as f64),
                "{one:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_window_is_the_union_of_its_neighbours(
            days in prop::collection::vec(prop::collection::btree_set(0_u32..40, 0..5), 0..40),
            width in 1_usize..12,
        ) {
            let sketches: Vec<_> = days.iter().map(|clients| sketch(clients.iter().copied())).collect();
            let expected: Vec<_> = days.windows(width).map(|window| sketch(window.iter().flatten().copied())).collect();
            prop_assert_eq!(unions(&sketches, width), expected);
        }

        #[test]
        fn few_users_are_counted_exactly(
            days in prop::collection::vec((0_i64..60, prop::bool::ANY, prop::collection::btree_set(0_u32..200, 0..9)), 0..40),
        ) {
            let from = day("20170101");
            let to = from.plus_days(32);
            let date = |offset: i64| from.plus_days(offset - 27);
            let group = |named: bool| if named { "a" } else { "b" };
            let users = days.iter().map(|(at, named, clients)| of_day(date(*at), group(*named), clients.iter().copied()));
            for one in by_day(users.collect(), from, to, None) {
                let of = |first: SubmissionDate| -> BTreeSet<u32> {
                    let inside = |at: i64| date(at) >= first && date(at) <= one.date;
                    days.iter().filter(|(at, named, _)| inside(*at) && group(*named) == one.group)
                        .flat_map(|(_, _, clients)| clients.iter().copied()).collect()
                };
                prop_assert_eq!(one.daily.round() as usize, of(one.date).len());
                prop_assert_eq!(one.monthly.round() as usize, of(one.date.plus_days(-27)).len());
            }
        }
    }
}

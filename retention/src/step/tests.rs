//! What goes by a rule, what waits, and what neither does.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn today() -> SubmissionDate {
    "20170131".parse().expect("a date")
}

fn keep(text: &str) -> RetentionRule {
    text.parse().expect("a rule")
}

/// So many bytes on each of these days before today.
fn days(sizes: &[(i64, u64)]) -> Vec<Day> {
    let by_day: BTreeMap<_, _> = sizes
        .iter()
        .map(|(before, bytes)| (today().plus_days(-before), *bytes))
        .collect();
    by_day.into_iter().collect()
}

/// A clock of which nothing is known but what is asked about.
fn clock(today: SubmissionDate) -> Today {
    Today::new(today, BTreeSet::new(), None)
}

fn step(rule: &str, days: &[Day], today: SubmissionDate) -> Step {
    Step::of((Kind::Pings, &keep(rule)), days, &clock(today), Consent::Bounded)
}

#[test]
fn an_age_keeps_so_many_days_before_today() {
    let there = days(&[(31, 10), (30, 10), (24, 10), (17, 10), (10, 10), (3, 10), (0, 10)]);
    assert_eq!(step("30d", &there, today()).floor, Some(today().plus_days(-30)));
    let nothing = |step: Step| step.floor.is_none() && step.held.is_none();
    assert!(nothing(step("30d", &there[1..], today())));
    assert!(nothing(step("30d", &[], today())));
    assert!(nothing(step("forever", &there, today())));
}

#[test]
fn a_clock_that_is_ahead_moves_no_floor_whatever_lies_there() {
    let every_day: Vec<_> = (0..100).map(|before| (before, 10)).collect();
    for there in [
        days(&[(0, 10)]),
        days(&[(1, 1), (0, 10)]),
        days(&[(80, 1), (3, 500), (0, 1)]),
        days(&every_day),
    ] {
        for ahead in [120, 400, 20_000] {
            let step = step("90d", &there, today().plus_days(ahead));
            assert_eq!(step.floor, None);
            let held = step.held.expect("it waits");
            assert_eq!((held.newest, held.days), (today(), there.len() as u64));
            let words = held.to_string();
            assert!(words.contains("100 %") && words.contains("20170131"), "{words}");
        }
    }
}

#[test]
fn pings_that_came_under_a_clock_far_behind_wait_when_it_is_right_again() {
    // A ten-thousandth of all, dated 1970.
    let mut there = days(&[(3, 50_000), (2, 50_000), (0, 50_000)]);
    there.insert(0, ("19700101".parse().expect("a date"), 15));
    let step = step("90d", &there, today());
    assert_eq!(step.floor, None);
    assert_eq!(step.held.expect("it waits").days, 1);
}

#[test]
fn a_day_goes_by_itself_and_a_week_that_is_little() {
    let month: Vec<_> = (0..100).map(|before| (before, 10)).collect();
    for (oldest, goes) in [(91, true), (92, true), (97, true), (98, false)] {
        let there = days(&month[..=oldest]);
        assert_eq!(step("90d", &there, today()).floor.is_some(), goes, "{oldest}");
    }
    // Two days of three are no little part.
    let there = days(&[(3, 10), (2, 10), (0, 10)]);
    let two = step("1d", &there, today());
    assert_eq!((two.floor, two.held.map(|held| held.days)), (None, Some(2)));
    let there = days(&[(2, 10), (1, 10), (0, 10)]);
    assert!(step("1d", &there, today()).floor.is_some());
}

#[test]
fn a_person_has_all_of_it_go_and_no_floor_passes_what_is_there() {
    let there = days(&[(300, 10), (0, 10)]);
    let far = today().plus_days(1_000);
    let given = Step::of((Kind::Errors, &keep("90d")), &there, &clock(far), Consent::Given);
    assert_eq!((given.floor, given.held), (Some(today().plus_days(1)), None));
}

#[test]
fn a_size_that_was_mistyped_waits_and_the_newest_day_never_goes() {
    let there = days(&[(5, 100), (4, 100), (3, 100), (2, 100), (1, 100)]);
    assert_eq!(step("400B", &there, today()).floor, Some(today().plus_days(-4)));
    let typo = step("5B", &there, today());
    assert_eq!((typo.floor, typo.held.map(|held| held.days)), (None, Some(4)));
    let given = Step::of(
        (Kind::Pings, &keep("5B")),
        &there,
        &clock(today()),
        Consent::Given,
    );
    assert_eq!(given.floor, Some(today().plus_days(-1)));
    // An age that may go does so beside a size that waits.
    let both = step(
        "5d,5B",
        &days(&[(6, 100), (4, 100), (3, 100), (1, 100), (0, 100)]),
        today(),
    );
    assert_eq!(both.floor, Some(today().plus_days(-5)));
    assert!(both.held.is_some());
}

#[test]
fn rules_are_said_in_words() {
    assert_eq!(in_words(&keep("forever"), today()), "for ever");
    let words = in_words(&keep("30d,5GB"), today());
    assert!(
        words.contains("30d") && words.contains("20170101") && words.contains("5GB"),
        "{words}"
    );
}

proptest! {
    #[test]
    fn the_oldest_days_go_until_the_rest_fits(sizes in prop::collection::vec(0u64..100, 0..12), budget in 1u64..400) {
        let days: Vec<_> = (0..).zip(&sizes).map(|(at, size)| (today().plus_days(at - 8), *size)).collect();
        let keep = RetentionRule { bytes: Some(budget), ..RetentionRule::default() };
        let floor = Step::of((Kind::Pings, &keep), &days, &clock(today()), Consent::Given).floor;
        let kept_from = |floor| days.iter().filter(move |(day, _)| Some(*day) >= floor).map(|(_, size)| size).sum::<u64>();
        let newest = days.last().map(|(day, _)| *day);
        let may_go = |day: &SubmissionDate| *day < today() && Some(*day) < newest;
        // The slow way: the first of all possible floors that leaves little enough, else the last that may be.
        let mut floors = vec![None];
        floors.extend(days.iter().map(|(day, _)| *day).filter(may_go).map(|day| Some(day.plus_days(1))));
        let enough = floors.iter().find(|floor| kept_from(**floor) <= budget);
        prop_assert_eq!(floor, *enough.unwrap_or_else(|| floors.last().expect("one at least")));
        prop_assert!(floor.is_none_or(|floor| floor <= today()));
    }
}

//! The reader against the slow one, on pings from seeds.

use std::collections::BTreeSet;

use super::super::oracle;
use super::super::{GleanError, GleanReader, Received};
use super::dice::{Dice, damaged, ping};
use super::{declared, read_as, received};
use crate::values::{Contribution, Name, Note, Values};

/// Pings read in one run. `HIGHWATER_SEED` sets the first seed.
const PINGS: u64 = 6_000;

fn first_seed() -> u64 {
    let seed = std::env::var("HIGHWATER_SEED").ok();
    seed.map_or(1, |seed| seed.parse().expect("HIGHWATER_SEED is a number"))
}

#[test]
fn the_reader_counts_what_the_slow_one_counts() {
    let first = first_seed();
    println!("seeds from {first} (HIGHWATER_SEED)");
    let (mut read, mut refused) = (0, 0);
    for seed in first..first + PINGS {
        let mut dice = Dice::new(seed);
        let body = ping(&mut dice);
        let received = Received {
            is_declared: dice.below(3) > 0,
            source_tags: (dice.below(5) == 0).then_some("a,b,a-tag-that-is-far-too-long,c, a ,d,e,f"),
            ..received()
        };
        let fast = read_as(body.as_bytes(), &received);
        let slow = oracle::read(body.as_bytes(), &received, &declared());
        assert_eq!(fast, slow, "seed {seed}: {body}");
        *if fast.is_ok() { &mut read } else { &mut refused } += 1;
    }
    assert!(read > 3_000 && refused > 300, "{read} read, {refused} refused");
}

/// Of which metric and label a value that counts by its name was told, call by call.
#[derive(Default)]
struct Calls(Vec<(String, Option<String>)>);

impl Values for Calls {
    fn client(&mut self, _: &str) {}

    fn dimension(&mut self, _: u32, _: &str) {}

    fn contribution(&mut self, _: Contribution<'_>) {}

    fn category(&mut self, metric: Name<'_>, label: Option<&str>, _: &str, _: i64) {
        let Name::Sent(metric) = metric else {
            panic!("Glean's names come with the ping")
        };
        self.0.push((metric.to_owned(), label.map(str::to_owned)));
    }

    fn note(&mut self, _: Note<'_>) {}
}

#[test]
fn values_of_one_metric_and_label_are_told_one_after_the_other() {
    let first = first_seed();
    println!("seeds from {first} (HIGHWATER_SEED)");
    let mut several = 0;
    for seed in first..first + PINGS {
        let body = ping(&mut Dice::new(seed));
        let mut calls = Calls::default();
        let read = GleanReader::default().read(body.as_bytes(), &received(), &declared(), &mut calls);
        let Calls(mut calls) = calls;
        if read.is_err() {
            continue;
        }
        let all = calls.len();
        calls.dedup();
        several += usize::from(calls.len() < all);
        let different: BTreeSet<_> = calls.iter().collect();
        assert_eq!(different.len(), calls.len(), "seed {seed}: {body}");
    }
    assert!(several > 300, "{several} pings have several values of one metric");
}

#[test]
fn damaged_pings_are_refused_by_both_or_count_the_same() {
    let first = first_seed();
    println!("seeds from {first} (HIGHWATER_SEED)");
    let (mut read, mut refused) = (0, 0);
    for seed in first..first + PINGS {
        let mut dice = Dice::new(seed);
        let whole = ping(&mut dice);
        let body = damaged(&mut dice, &whole);
        let fast = read_as(&body, &received());
        let slow = oracle::read(&body, &received(), &declared());
        match (&fast, &slow) {
            // The reader looks into no text that it does not need, and mends those that it does.
            (_, Err(GleanError::Json(_))) => refused += 1,
            _ => {
                assert_eq!(fast, slow, "seed {seed}: {}", body.escape_ascii());
                read += 1;
            }
        }
    }
    assert!(read > 300 && refused > 1_500, "{read} read, {refused} refused");
}

//! The reader against the slow one, on pings from seeds.

use super::super::oracle;
use super::super::{GleanError, Received};
use super::dice::{Dice, damaged, ping};
use super::{declared, read_as, received};

/// Pings read in one run. `HIGHWATER_SEED` sets the first seed.
const PINGS: u64 = 20_000;

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
    assert!(read > 10_000 && refused > 1_000, "{read} read, {refused} refused");
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
    assert!(read > 1_000 && refused > 5_000, "{read} read, {refused} refused");
}

//! Pings broken in every named way: the fold agrees with the oracle on each, or refuses it for the same reason.

use std::collections::BTreeMap;

use sample_pings::{Mutation, Options, Population, mutate};

use super::recorded::recorded_pings;
use super::{day, fold, oracle};
use crate::fold::Folder;
use crate::fold::oracle::Totals;

/// Generated pings, and recorded ones where they are.
fn shapes() -> Vec<Vec<u8>> {
    let population = Population::new(11, Options::default());
    let generated = (0..4).map(|n| population.ping(n, day().start()).body);
    let mut shapes: Vec<_> = generated.collect();
    shapes.extend(recorded_pings().into_iter().map(|(_, body)| body));
    shapes
}

/// What became of mutated pings: added as the oracle says, with refused parts, or errored by reason.
#[derive(Debug, Default)]
struct Ends {
    added: u32,
    with_refused: u32,
    errored: BTreeMap<&'static str, u32>,
}

impl Ends {
    fn note(&mut self, end: &Result<Totals, &'static str>) {
        match end {
            Ok(totals) if totals.refused.is_empty() => self.added += 1,
            Ok(_) => self.with_refused += 1,
            Err(reason) => *self.errored.entry(reason).or_default() += 1,
        }
    }
}

/// Folds mutated pings in one go, so that each comes after others that were broken otherwise; each must end as the
/// oracle says, and all of them must add up.
fn fold_mutated(mutations: impl Iterator<Item = (u64, Option<Mutation>)>) -> BTreeMap<Mutation, Ends> {
    let shapes = shapes();
    let mut ends: BTreeMap<Mutation, Ends> = BTreeMap::new();
    let (mut folder, mut expected) = (Folder::new(), Totals::default());
    for (seed, wanted) in mutations {
        let shape = &shapes[seed as usize % shapes.len()];
        let (mutation, body) = match wanted {
            Some(wanted) => wanted.apply(seed, shape),
            None => mutate(seed, shape),
        };
        let slow = oracle(&body);
        assert_eq!(fold(&[(&body, 1)]), slow, "{mutation:?} of seed {seed}");
        let read = folder.read(&body, day()).map_err(crate::fold::PingError::reason);
        assert_eq!(
            read.err(),
            slow.as_ref().err().copied(),
            "{mutation:?} of seed {seed}"
        );
        ends.entry(mutation).or_default().note(&slow);
        if let Ok(totals) = slow {
            folder.add();
            expected.add(&totals, 1);
        }
    }
    assert_eq!(Totals::of(&folder.take()), expected);
    ends
}

/// Pings broken in one way.
fn broken_by(mutation: Mutation) -> Ends {
    let mut ends = fold_mutated((0..12).map(|seed| (seed, Some(mutation))));
    let ends = ends.remove(&mutation).expect("all shapes are objects");
    println!("{mutation:?}: {ends:?}");
    ends
}

#[test]
fn numbers_out_of_range_end_as_the_oracle_says() {
    broken_by(Mutation::NumberOutOfRange);
}

#[test]
fn negative_bins_are_refused_as_the_oracle_says() {
    assert!(broken_by(Mutation::NegativeBin).with_refused > 0);
}

#[test]
fn bins_that_are_no_integers_are_refused_as_the_oracle_says() {
    assert!(broken_by(Mutation::OddBin).with_refused > 0);
}

#[test]
fn layouts_that_do_not_ascend_are_refused_as_the_oracle_says() {
    assert!(broken_by(Mutation::OddLayout).with_refused > 0);
}

#[test]
fn very_many_labels_make_an_errored_ping() {
    assert_eq!(broken_by(Mutation::ManyLabels).errored["too_many_labels"], 12);
}

#[test]
fn keys_with_nul_are_names_like_others_and_bare_nul_is_repaired() {
    for mutation in [Mutation::NulInKey, Mutation::BareNul] {
        let ends = broken_by(mutation);
        assert!(ends.added + ends.with_refused > 0 && !ends.errored.contains_key("not_json"));
    }
}

#[test]
fn texts_of_any_bytes_cost_no_ping_its_numbers() {
    let ends = broken_by(Mutation::LooseText);
    assert!(ends.errored.is_empty() && ends.with_refused > 0);
}

#[test]
fn other_client_ids_change_nothing_but_users() {
    let ends = broken_by(Mutation::OtherClient);
    assert!(ends.errored.is_empty() && ends.with_refused > 0 && ends.added > 0);
}

#[test]
fn duplicate_keys_end_as_the_oracle_says() {
    let ends = broken_by(Mutation::DuplicateKey);
    assert!(ends.errored.contains_key("duplicate_key"));
}

#[test]
fn deep_nests_end_as_the_oracle_says() {
    assert!(broken_by(Mutation::DeepNest).errored.contains_key("too_deep"));
}

#[test]
fn empty_everything_ends_as_the_oracle_says() {
    broken_by(Mutation::Empty);
    for body in [
        "",
        "{}",
        "[]",
        "\"\"",
        "null",
        "{\"\":\"\"}",
        "{\"payload\":{\"histograms\":{\"\":{}}}}",
    ] {
        assert_eq!(fold(&[(body.as_bytes(), 1)]), oracle(body.as_bytes()), "{body}");
    }
}

#[test]
fn clocks_in_1970_and_2100_end_as_the_oracle_says() {
    assert!(broken_by(Mutation::OddClock).errored.is_empty());
}

#[test]
fn another_order_spelling_or_content_ends_as_the_oracle_says() {
    for mutation in [
        Mutation::OtherOrder,
        Mutation::OtherSpelling,
        Mutation::OtherContent,
    ] {
        assert!(broken_by(mutation).errored.is_empty());
    }
}

#[test]
fn other_kinds_missing_members_and_broken_bytes_end_as_the_oracle_says() {
    for mutation in [Mutation::OtherKind, Mutation::MissingMember, Mutation::Bytes] {
        broken_by(mutation);
    }
}

#[test]
fn pings_broken_in_all_ways_add_up_and_none_hurts_the_next() {
    let ends = fold_mutated((1_000..1_200).map(|seed| (seed, None)));
    for mutation in Mutation::ALL {
        assert!(ends.contains_key(&mutation), "{mutation:?} never came");
    }
}

#[test]
fn pings_broken_in_all_ways_add_up_soak() {
    if std::env::var_os("HIGHWATER_SOAK").is_none() {
        println!("left out: HIGHWATER_SOAK is not set");
        return;
    }
    for batch in 0..100 {
        fold_mutated((batch * 1_000..(batch + 1) * 1_000).map(|seed| (seed, None)));
    }
}

#[test]
fn a_million_labels_make_an_errored_ping_by_its_own_cap() {
    let labels: Vec<String> = (0..1_000_000).map(|n| format!("\"{n}\":1")).collect();
    let body = format!(
        "{{\"payload\":{{\"processes\":{{\"parent\":{{\"keyedScalars\":{{\"m\":{{{}}}}}}}}}}}}}",
        labels.join(",")
    );
    let mut folder = Folder::new();
    let read = folder
        .read(body.as_bytes(), day())
        .map_err(crate::fold::PingError::reason);
    assert_eq!(read, Err("too_many_parts"));
    assert_eq!(oracle(body.as_bytes()).err(), Some("too_many_parts"));
    assert!(folder.bytes() < 4 << 20, "{} bytes", folder.bytes());
}

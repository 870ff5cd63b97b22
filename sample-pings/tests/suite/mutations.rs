//! Do mutations change what they say, and nothing by chance?

use ping::Timestamp;
use sample_pings::{Mutation, Options, Population, mutate};

fn body() -> Vec<u8> {
    let population = Population::new(3, Options::default());
    population
        .ping(5, Timestamp::from_micros(1_493_000_000_000_000))
        .body
}

#[test]
fn every_way_of_breaking_a_ping_is_thrown_and_changes_it() {
    let body = body();
    let mut thrown = std::collections::BTreeMap::new();
    for seed in 0..300 {
        let (mutation, mutated) = mutate(seed, &body);
        assert_eq!((mutation, mutated.clone()), mutate(seed, &body));
        let (changed, all): &mut (u32, u32) = thrown.entry(mutation).or_default();
        *changed += u32::from(mutated != body);
        *all += 1;
    }
    for mutation in Mutation::ALL {
        let (changed, all) = thrown.get(&mutation).copied().unwrap_or_default();
        assert!(
            changed > 0 && changed >= all / 2,
            "{mutation:?}: {changed} of {all}"
        );
    }
}

#[test]
fn mutations_of_shape_leave_json_and_those_that_break_it_do_not() {
    let body = body();
    for mutation in [
        Mutation::NegativeBin,
        Mutation::OddLayout,
        Mutation::ManyLabels,
        Mutation::DuplicateKey,
        Mutation::OtherContent,
        Mutation::OtherClient,
        Mutation::OddClock,
        Mutation::OtherOrder,
        Mutation::OtherSpelling,
    ] {
        let (done, mutated) = mutation.apply(1, &body);
        assert_eq!(done, mutation);
        let read: Result<serde_json::Value, _> = serde_json::from_slice(&mutated);
        assert!(read.is_ok(), "{mutation:?}: {read:?}");
    }
    for mutation in [Mutation::BareNul, Mutation::LooseText] {
        let (_, mutated) = mutation.apply(1, &body);
        assert!(serde_json::from_slice::<serde_json::Value>(&mutated).is_err());
    }
    let reordered = Mutation::OtherOrder.apply(1, &body).1;
    let value = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).expect("JSON");
    assert_eq!(value(&reordered), value(&body));
    assert_eq!(value(&Mutation::OtherSpelling.apply(1, &body).1), value(&body));
}

#[test]
fn what_is_no_ping_has_its_bytes_changed() {
    for text in ["", "[]", "{\"a\":", "\u{0}", "7"] {
        for seed in 0..20 {
            let (mutation, mutated) = Mutation::DeepNest.apply(seed, text.as_bytes());
            assert_eq!(mutation, Mutation::Bytes);
            assert!(mutated.len() < 10);
        }
    }
}

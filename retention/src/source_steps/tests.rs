//! What goes by rules of sources, held against a slow look at each day.

use index_schema::Floors;
use proptest::prelude::*;

use super::*;
use crate::RetentionRule;

const SOURCES: [&str; 3] = ["acme/install", "acme/usage", "telemetry/main"];

fn first() -> SubmissionDate {
    "20170101".parse().expect("a day")
}

fn day(number: i64) -> SubmissionDate {
    first().plus_days(number)
}

fn keep(days: Option<u64>) -> RetentionRule {
    RetentionRule {
        age: days.map(|days| std::time::Duration::from_secs(days * 86_400)),
        bytes: None,
    }
}

fn some_day() -> impl Strategy<Value = Option<SubmissionDate>> {
    prop::option::of((0..40_i64).prop_map(day))
}

fn some_days() -> impl Strategy<Value = BTreeSet<SubmissionDate>> {
    prop::collection::btree_set((0..40_i64).prop_map(day), 0..12)
}

fn some_rules() -> impl Strategy<Value = RulesBySource> {
    let age = || prop::option::of(1..30_u64).prop_map(keep);
    let rules = (age(), age()).prop_map(|(chunks, aggregates)| SourceRules { chunks, aggregates });
    let some = prop::collection::btree_map(0..2_usize, rules, 0..3);
    some.prop_map(|rules| {
        let named = rules.into_iter();
        named.map(|(at, rules)| (SOURCES[at].to_owned(), rules)).collect()
    })
}

fn found() -> impl Strategy<Value = Found> {
    let own = prop::collection::btree_map(0..2_usize, (some_day(), some_day()), 0..3);
    let days = || prop::collection::vec(some_days(), SOURCES.len());
    (some_day(), some_day(), some_day(), own, days(), days()).prop_map(
        |(pings, errors, aggregates, own, of_chunks, of_aggregates)| {
            let own = own.into_iter().map(|(at, (chunks, aggregates))| {
                (SOURCES[at].to_owned(), SourceFloor { chunks, aggregates })
            });
            let stored = |date: &SubmissionDate| StoredDay {
                date: *date,
                chunks: 1,
                records: 2,
                stored_bytes: 10,
            };
            let named = |at: usize| SOURCES[at].to_owned();
            Found {
                floors: AllFloors {
                    all: Floors {
                        pings,
                        errors,
                        aggregates,
                    },
                    sources: SourceFloors::default().raised(&own.collect()),
                },
                chunks: (0..)
                    .zip(&of_chunks)
                    .map(|(at, days)| (named(at), days.iter().map(stored).collect()))
                    .collect(),
                aggregates: (0..)
                    .zip(of_aggregates)
                    .map(|(at, days)| (named(at), days))
                    .collect(),
            }
        },
    )
}

/// Whether each day lies below a floor afterwards if, and only if, it did before or is too old.
fn goes_rightly(
    days: &BTreeSet<SubmissionDate>,
    [before, after]: [Option<SubmissionDate>; 2],
    is_below_all: impl Fn(SubmissionDate) -> bool,
    kept_from: Option<SubmissionDate>,
) -> bool {
    let newest = days.last().map(|newest| newest.plus_days(1));
    let rightly = |date: &SubmissionDate| {
        let is_below = |floor: Option<SubmissionDate>| Some(*date) < floor;
        is_below_all(*date) || is_below(after) == (is_below(before) || is_below(kept_from))
    };
    after >= before && (after == before || after <= newest) && days.iter().all(rightly)
}

proptest! {
    #[test]
    fn with_a_persons_word_what_is_too_old_goes_and_nothing_else(
        rules in some_rules(), found in found(), today in 0..60_i64
    ) {
        let today = Today::new(day(today), BTreeSet::new(), None);
        let steps = SourceSteps::of(&rules, &found, &today, Consent::Given);
        prop_assert!(steps.held.is_empty());
        let after = found.floors.sources.raised(&steps.floors);
        for source in SOURCES {
            let own = rules.get(source).copied().unwrap_or_default();
            let (before, after) = (found.floors.sources.get(source), after.get(source));
            let kept_from = |keep: RetentionRule| {
                let days = i64::try_from(keep.age?.as_secs() / 86_400).expect("days");
                Some(today.day.plus_days(-days))
            };
            let days: BTreeSet<_> = found.chunks[source].iter().map(|day| day.date).collect();
            let all = found.floors.all;
            let is_below_all = |date| Some(date) < all.pings && Some(date) < all.errors;
            let floors = [before.chunks, after.chunks];
            prop_assert!(goes_rightly(&days, floors, is_below_all, kept_from(own.chunks)), "{source}");
            if rules.contains_key(source) {
                prop_assert_eq!(&steps.seen[source], &days);
            }
            let days = &found.aggregates[source];
            let is_below_all = |date| Some(date) < all.aggregates;
            let floors = [before.aggregates, after.aggregates];
            prop_assert!(goes_rightly(days, floors, is_below_all, kept_from(own.aggregates)), "{source}");
        }
    }

    #[test]
    fn without_it_what_goes_is_less_and_what_waits_is_named(
        rules in some_rules(), found in found(), today in 0..60_i64, known in some_days()
    ) {
        let today = Today::new(day(today), known, None);
        let [bounded, given] = [Consent::Bounded, Consent::Given].map(|consent| SourceSteps::of(&rules, &found, &today, consent));
        for source in SOURCES {
            let (may, wished) = (bounded.floors.get(source), given.floors.get(source));
            for (of, may, wished) in [
                (Kind::Pings, may.chunks, wished.chunks),
                (Kind::Aggregates, may.aggregates, wished.aggregates),
            ] {
                prop_assert!(may == wished || may.is_none());
                let waits = bounded.held.iter().any(|held| held.of == of && held.source.as_deref() == Some(source));
                prop_assert_eq!(waits, may != wished, "{} of {}", of, source);
            }
        }
        for held in &bounded.held {
            let words = held.to_string();
            prop_assert!(words.contains(held.source.as_deref().expect("a source")), "{}", words);
        }
    }
}

/// A day each day, as long as there was one each day.
#[test]
fn a_source_in_use_loses_a_day_each_day_by_itself_however_long_all_is_kept() {
    let source = SOURCES[1].to_owned();
    let rules = RulesBySource::from([(
        source.clone(),
        SourceRules {
            chunks: keep(Some(7)),
            aggregates: keep(None),
        },
    )]);
    let mut found = Found::default();
    let known: BTreeSet<_> = (0..30).map(day).collect();
    for today in 8..30 {
        // None of them could be deleted: what is below the floor already makes nothing wait.
        let days = (0..=today).map(day);
        let days = days.map(|date| StoredDay {
            date,
            chunks: 1,
            records: 1,
            stored_bytes: 1,
        });
        found.chunks.insert(source.clone(), days.collect());
        let by_clock = Today::new(day(today), known.clone(), None);
        let steps = SourceSteps::of(&rules, &found, &by_clock, Consent::Bounded);
        assert_eq!(steps.held, [], "{today}");
        found.floors.sources = found.floors.sources.raised(&steps.floors);
        let floor = found.floors.sources.get(&source);
        assert_eq!((floor.chunks, floor.aggregates), (Some(day(today - 7)), None));
    }
    // The first rule on much asks.
    let mut fresh = Found::default();
    let days = (0..30).map(day).map(|date| StoredDay {
        date,
        chunks: 1,
        records: 1,
        stored_bytes: 1,
    });
    fresh.chunks.insert(source.clone(), days.collect());
    let steps = SourceSteps::of(
        &rules,
        &fresh,
        &Today::new(day(29), known, None),
        Consent::Bounded,
    );
    assert!(steps.floors.is_empty());
    assert_eq!(steps.held.len(), 1);
    assert!(
        steps.held[0].to_string().contains("acme/usage"),
        "{}",
        steps.held[0]
    );
}

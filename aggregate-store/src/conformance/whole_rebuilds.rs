//! Laws of rebuilds of all: the rules that they give to sources come into use with them.

use std::collections::BTreeMap;

use super::samples::days;
use crate::{AggregateStore, Days, Flip, Flipped, FoldVersion, RebuildWish, Source};

pub(super) async fn keep_the_law(store: &dyn AggregateStore) {
    let named = |rules: &[(&str, &str)]| -> BTreeMap<String, String> {
        let rules = rules
            .iter()
            .map(|(source, rules)| ((*source).to_owned(), (*rules).to_owned()));
        rules.collect()
    };
    for (source, rules) in [("a/one", "first"), ("a/other", "first")] {
        let adopted = store.adopt_rules(&Source::named(source), rules).await;
        assert!(adopted.expect("an answer"));
    }
    let given = named(&[
        ("a/one", "second"),
        ("a/third", "one with a \"quote\" and \u{e9}"),
    ]);
    let version = FoldVersion {
        code: 9,
        settings: "{}".to_owned(),
    };
    let wish = |days| RebuildWish {
        source: None,
        days,
        rules: RebuildWish::rules_of(&given),
        version: Some(version.clone()),
    };
    let wished = wish(Days::ALL);
    assert_eq!(wished.rules_by_source().expect("rules"), given);
    let rebuild = store.begin_rebuild(&wished).await.expect("begun");
    assert_eq!(
        store.rebuilds().await.expect("one"),
        std::slice::from_ref(&rebuild)
    );
    assert_eq!(rebuild.wish, wished);
    let adopted = store.adopt_rules(&Source::named("a/late"), "meanwhile").await;
    assert!(adopted.expect("an answer"));
    let before = named(&[("a/one", "first"), ("a/other", "first"), ("a/late", "meanwhile")]);
    assert_eq!(
        store.source_rules().await.expect("rules"),
        before,
        "not before it is in use"
    );
    // On fewer days than were wished.
    let flip = Flip {
        epoch: rebuild.epoch,
        days: Days {
            first: Some(days()[1]),
            last: None,
        },
        fences: Vec::new(),
        accounted: None,
    };
    assert_eq!(
        store.put_into_use(&flip).await.expect("an answer"),
        Flipped::InUse
    );
    let now: BTreeMap<_, _> = before.into_iter().chain(given.clone()).collect();
    assert_eq!(store.source_rules().await.expect("rules"), now);
    assert_eq!(store.fold_version().await.expect("one"), Some(version.clone()));
    let epochs = store.epochs().await.expect("epochs");
    let at = |day: usize| epochs.at("a/one", days()[day]);
    assert_eq!((at(0), at(1)), (0, rebuild.epoch));
    let none = RebuildWish {
        rules: RebuildWish::rules_of(&BTreeMap::new()),
        ..wish(Days::ALL)
    };
    assert_eq!(none.rules, None);
    let epoch = store.begin_rebuild(&none).await.expect("begun").epoch;
    let flip = Flip {
        epoch,
        days: Days::ALL,
        ..flip
    };
    assert_eq!(
        store.put_into_use(&flip).await.expect("an answer"),
        Flipped::InUse
    );
    assert_eq!(
        store.source_rules().await.expect("rules"),
        now,
        "they keep what they have"
    );
}

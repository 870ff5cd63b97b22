//! Laws of what a source has: what lies in its cells is named, and nothing that never was; metrics come in pages.

use std::collections::{BTreeMap, BTreeSet};

use sketch::{Cell, Layout};

use super::{Oracle, sources};
use crate::{AggregateStore, CellKey, CellQuery, Dimension, Source};

/// `additions` are all that ever came, `oracle` is what is left of it.
pub(super) async fn the_catalogue_follows(
    store: &dyn AggregateStore,
    oracle: &Oracle,
    additions: &[(CellKey, Cell)],
) {
    let ever: Vec<&CellKey> = additions.iter().map(|(key, _)| key).collect();
    let left: Vec<&CellKey> = oracle.keys().collect();
    let named = |keys: &[&CellKey]| -> BTreeSet<Source> {
        keys.iter().map(|key| key.dimensions.source().clone()).collect()
    };
    let listed = store.sources(usize::MAX).await.expect("sources");
    let found: BTreeSet<Source> = listed.values.iter().cloned().collect();
    assert!(listed.values.is_sorted() && listed.left_out == 0, "{listed:?}");
    assert!(
        named(&left).is_subset(&found) && found.is_subset(&named(&ever)),
        "{found:?}"
    );
    for source in sources() {
        let of_source = |keys: &[&CellKey]| -> Vec<CellKey> {
            let keys = keys.iter().filter(|key| *key.dimensions.source() == source);
            keys.map(|key| (*key).clone()).collect()
        };
        let (ever, left) = (of_source(&ever), of_source(&left));
        dimensions_and_days_are_named(store, &source, &ever, &left).await;
        metrics_come_in_pages(store, &source, &left, &ever).await;
    }
    let nothing = Source::named("no/such");
    assert_eq!(store.about(&nothing).await.expect("answered"), None);
    assert!(
        store
            .metrics(&nothing, None, 9)
            .await
            .expect("answered")
            .is_empty()
    );
}

async fn dimensions_and_days_are_named(
    store: &dyn AggregateStore,
    source: &Source,
    ever: &[CellKey],
    left: &[CellKey],
) {
    let names = |keys: &[CellKey]| -> BTreeSet<String> {
        let values = keys.iter().flat_map(|key| key.dimensions.values());
        values.map(|(name, _)| name.as_str().to_owned()).collect()
    };
    let days = |keys: &[CellKey]| -> BTreeSet<_> {
        keys.iter().map(|key| key.dimensions.submission_date()).collect()
    };
    let Some(about) = store.about(source).await.expect("answered") else {
        assert!(left.is_empty());
        return;
    };
    let found: BTreeSet<String> = about.dimensions.iter().cloned().collect();
    assert!(about.dimensions.is_sorted_by(|a, b| a < b), "{about:?}");
    let stated = names(ever);
    // Of the original's source what no ping stated may be named: it is listed.
    let is_main = source.as_str() == Source::TELEMETRY_MAIN;
    assert!(is_main || found.is_subset(&stated), "{found:?} of {stated:?}");
    assert!(names(left).is_subset(&found), "{found:?}");
    let (ever, left) = (days(ever), days(left));
    assert!(ever.contains(&about.first_day) && ever.contains(&about.last_day));
    assert!(
        left.iter()
            .all(|day| (about.first_day..=about.last_day).contains(day))
    );
}

async fn metrics_come_in_pages(
    store: &dyn AggregateStore,
    source: &Source,
    left: &[CellKey],
    ever: &[CellKey],
) {
    let names: BTreeSet<String> = left.iter().map(|key| key.metric.clone()).collect();
    let mut forms: BTreeMap<&str, BTreeSet<(String, Layout)>> = BTreeMap::new();
    for key in ever {
        let form = (key.label.clone(), key.layout);
        forms.entry(&key.metric).or_default().insert(form);
    }
    for limit in [1, 2, usize::MAX] {
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = store
                .metrics(source, after.as_deref(), limit)
                .await
                .expect("metrics");
            let is_last = page.len() < limit;
            after = page.last().map(|metric| metric.metric.clone());
            found.extend(page);
            if is_last {
                break;
            }
        }
        let listed: Vec<&String> = found.iter().map(|metric| &metric.metric).collect();
        assert!(listed.iter().copied().eq(names.iter()), "{listed:?} {names:?}");
        for metric in &found {
            let known = &forms[metric.metric.as_str()];
            assert!(
                !metric.examples.is_empty() && metric.examples.is_sorted(),
                "{metric:?}"
            );
            assert!(
                metric.examples.iter().all(|example| known.contains(example)),
                "{metric:?}"
            );
        }
    }
}

/// The values of the sets that match, of what is left at least, and of what ever came at most.
pub(super) async fn values_of_dimensions_are_listed(
    store: &dyn AggregateStore,
    oracle: &Oracle,
    additions: &[(CellKey, Cell)],
    query: &CellQuery,
) {
    for dimension in [
        "os",
        "country",
        "submission_date",
        "build_date",
        "no such dimension",
    ] {
        let dimension = Dimension::named(dimension);
        let values = |keys: &mut dyn Iterator<Item = &CellKey>| -> BTreeSet<String> {
            let sets = keys
                .map(|key| &key.dimensions)
                .filter(|set| *set.source() == query.source);
            let sets = sets.filter(|set| query.filters.iter().all(|filter| filter.holds(set)));
            sets.map(|set| set.any_value(dimension.as_str())).collect()
        };
        let left = values(&mut oracle.keys());
        let ever = values(&mut additions.iter().map(|(key, _)| key));
        let listed = store
            .dimension_values(&query.source, &dimension, &query.filters, usize::MAX)
            .await
            .expect("answered");
        let found: BTreeSet<String> = listed.values.iter().cloned().collect();
        assert!(listed.values.is_sorted() && listed.left_out == 0, "{listed:?}");
        assert!(
            left.is_subset(&found) && found.is_subset(&ever),
            "{dimension} {query:?}: {found:?}"
        );
        let one = store
            .dimension_values(&query.source, &dimension, &query.filters, 1)
            .await
            .expect("answered");
        assert_eq!(one.values.len(), found.len().min(1));
        assert_eq!(one.left_out, (found.len() - one.values.len()) as u64);
    }
}

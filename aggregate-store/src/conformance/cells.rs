//! Laws of cells: sums, zeros, lists, series, and the dump that does not depend on history.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use sketch::Cell;
use tokio::runtime::Runtime;

use super::catalogue::{the_catalogue_follows, values_of_dimensions_are_listed};
use super::law::check;
use super::sources;
use super::{Oracle, any_additions, any_cell_query, any_key, cell_batch, dump_of};
use crate::{
    AggregateError, AggregateStore, Bounds, CellKey, CellQuery, Committed, DateClock, Dimension,
    FilterOptions, Listed, Series, Source, ValueOf,
};

const CHANNELS: [&str; 3] = ["nightly", "esr", "none"];
const CLOCKS: [DateClock; 2] = [DateClock::BuildDate, DateClock::SubmissionDate];

pub(super) fn keep_the_law(make: &impl AsyncFn() -> Arc<dyn AggregateStore>, runtime: &Runtime) {
    check(
        runtime,
        &(any_additions(), 1usize..20),
        async |(additions, size)| {
            cells_are_the_sums_of_all_batches(make, &additions, size).await;
        },
    );
    let queries = prop::collection::vec(any_cell_query(), 12);
    check(
        runtime,
        &(any_additions(), queries),
        async |(additions, queries)| {
            let store = filled(make, &additions, 9).await;
            for query in queries {
                let oracle = Oracle::of(&additions);
                sums_are_answered_within_their_bounds(&*store, &oracle, &query).await;
                values_of_dimensions_are_listed(&*store, &oracle, &additions, &query).await;
            }
        },
    );
    let shuffled = any_additions().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()));
    check(
        runtime,
        &(shuffled, 1usize..20, 1usize..20),
        async |((a, b), size_a, size_b)| {
            let (a, b) = (filled(make, &a, size_a).await, filled(make, &b, size_b).await);
            assert_eq!(
                dump_of(&*a).await,
                dump_of(&*b).await,
                "equal content gives equal lines"
            );
        },
    );
    check(runtime, &prop::collection::vec(any_key(), 1..20), async |keys| {
        what_is_taken_back_leaves_nothing(make, &keys).await;
    });
}

async fn sums_are_answered_within_their_bounds(
    store: &dyn AggregateStore,
    oracle: &Oracle,
    query: &CellQuery,
) {
    let expected = oracle.series(query);
    let ask = async |rows, bins| store.series(query, Bounds { rows, bins }).await;
    let answer = ask(usize::MAX, usize::MAX).await;
    assert_eq!(
        answer.expect("the question is answered").rows,
        expected,
        "{query:?}"
    );
    let of_dimension = |name| ValueOf::Dimension(Dimension::named(name));
    for of in [
        of_dimension(Dimension::BUILD_DATE),
        of_dimension(Dimension::SUBMISSION_DATE),
        of_dimension(Dimension::OS),
        ValueOf::Process,
    ] {
        let all = oracle.values_of(query, &of);
        for limit in [1, usize::MAX] {
            let listed = store.values_of(query, of.clone(), limit).await;
            let listed = listed.expect("the question is answered");
            let left_out = all.len().saturating_sub(limit);
            assert_eq!(listed.values, all[left_out..], "{of:?} {query:?}");
            assert_eq!(listed.left_out, left_out as u64);
        }
    }
    // While it is summed up, a row may have bins that vanish in the end.
    let Some(fewer) = expected.len().checked_sub(1) else {
        return;
    };
    let is_refused = |answer: Result<_, AggregateError>| {
        let answer: Result<Series, _> = answer;
        matches!(answer, Err(AggregateError::TooLarge { .. }))
    };
    assert!(is_refused(ask(fewer, usize::MAX).await), "{query:?}");
    let bins: usize = expected.iter().map(|row| row.cell.bins().len()).sum();
    if let Some(fewer) = bins.checked_sub(1) {
        assert!(is_refused(ask(usize::MAX, fewer).await), "{query:?}");
    }
}

/// A store with these cells, written in batches of `size`.
async fn filled(
    make: &impl AsyncFn() -> Arc<dyn AggregateStore>,
    additions: &[(CellKey, Cell)],
    size: usize,
) -> Arc<dyn AggregateStore> {
    let store = make().await;
    for part in additions.chunks(size) {
        let committed = store
            .commit(cell_batch(part))
            .await
            .expect("the batch is written");
        assert_eq!(committed, Committed::Written);
    }
    store
}

async fn cells_are_the_sums_of_all_batches(
    make: &impl AsyncFn() -> Arc<dyn AggregateStore>,
    additions: &[(CellKey, Cell)],
    size: usize,
) {
    let (store, oracle) = (filled(make, additions, size).await, Oracle::of(additions));
    assert_eq!(Oracle::of_dump(&dump_of(&*store).await), oracle);
    the_catalogue_follows(&*store, &oracle, additions).await;
    lists_follow(&*store, &oracle).await;
    for source in sources() {
        long_lists_are_cut(&*store, &oracle, &source).await;
    }
}

pub(super) async fn lists_follow(store: &dyn AggregateStore, oracle: &Oracle) {
    for source in sources() {
        let channels = store.channels(&source, usize::MAX).await.expect("channels");
        is_cut(&channels, &oracle.channels(&source), usize::MAX);
        for (clock, channel) in CLOCKS
            .into_iter()
            .flat_map(|clock| CHANNELS.map(|channel| (clock, channel)))
        {
            let dates = store.dates(&source, clock, channel, usize::MAX).await;
            is_cut(
                &dates.expect("dates"),
                &oracle.dates(&source, clock, channel),
                usize::MAX,
            );
        }
        for (channel, version) in [
            ("nightly", "41"),
            ("nightly", "9"),
            ("esr", "41"),
            (ping::UNKNOWN, "9"),
            ("none", "41"),
            ("esr", ""),
        ] {
            let options = store.filter_options(&source, channel, version, usize::MAX).await;
            assert_eq!(
                options.expect("filters"),
                oracle.filter_options(&source, channel, version)
            );
        }
    }
}

/// Of long lists what has the most cells stays, once it is written.
async fn long_lists_are_cut(store: &dyn AggregateStore, oracle: &Oracle, source: &Source) {
    let _ = store.persist().await.expect("written");
    for (clock, limit) in [(CLOCKS[0], 1), (CLOCKS[1], 2)] {
        let channels = store.channels(source, limit).await.expect("channels");
        is_cut(&channels, &oracle.channels(source), limit);
        for channel in CHANNELS {
            let dates = store.dates(source, clock, channel, limit).await.expect("dates");
            is_cut(&dates, &oracle.dates(source, clock, channel), limit);
        }
    }
    let by_cells = oracle.cells_by_channel(source);
    if let Some(most) = by_cells.values().max() {
        let listed = store.channels(source, 1).await.expect("channels");
        assert_eq!(by_cells.get(&listed.values[0]), Some(most), "{by_cells:?}");
    }
    let one = store.filter_options(source, "nightly", "41", 1).await;
    let one = one.expect("filters");
    let mut left_out = 0;
    let all = lists_of(oracle.filter_options(source, "nightly", "41"));
    let kept = lists_of(one.clone());
    assert!(kept.keys().eq(all.keys()), "{kept:?} {all:?}");
    for (one, all) in kept.values().zip(all.values()) {
        assert_eq!(one.len(), all.len().min(1));
        assert!(one.iter().all(|value| all.contains(value)));
        left_out += all.len() - one.len();
    }
    assert_eq!(one.left_out, left_out as u64);
}

fn lists_of(options: FilterOptions) -> BTreeMap<String, Vec<String>> {
    let FilterOptions {
        metrics,
        processes,
        os,
        others: mut lists,
        left_out: _,
    } = options;
    let os = os.into_iter().map(|(name, version)| format!("{name},{version}"));
    lists.insert("metric".to_owned(), metrics);
    lists.insert("process".to_owned(), processes);
    lists.insert("os".to_owned(), os.collect());
    lists
}

/// A list of all, or so many of them.
fn is_cut<T: Clone + PartialEq + std::fmt::Debug>(listed: &Listed<T>, all: &[T], limit: usize) {
    assert_eq!(listed.values.len(), all.len().min(limit));
    assert_eq!(listed.left_out, (all.len() - listed.values.len()) as u64);
    let there = |value: &&T| listed.values.contains(value);
    let in_order: Vec<T> = all.iter().filter(there).cloned().collect();
    assert_eq!(listed.values, in_order);
}

async fn what_is_taken_back_leaves_nothing(
    make: &impl AsyncFn() -> Arc<dyn AggregateStore>,
    keys: &[CellKey],
) {
    let cell = Cell::new(2, 7, [(0, 1), (3, 5)]);
    let mut back = Cell::default();
    back.subtract(&cell);
    let all = |cell: &Cell| {
        keys.iter()
            .map(|key| (key.clone(), cell.clone()))
            .collect::<Vec<_>>()
    };
    let store = filled(make, &all(&cell), 7).await;
    assert_eq!(Oracle::of_dump(&dump_of(&*store).await), Oracle::of(&all(&cell)));
    let _ = store
        .commit(cell_batch(&all(&back)))
        .await
        .expect("the batch is written");
    assert_eq!(
        dump_of(&*store).await,
        Vec::<String>::new(),
        "a cell at zero vanishes"
    );
    lists_follow(&*store, &Oracle::default()).await;
}

//! Laws of cells: sums, zeros, lists, series, and the dump that does not depend on history.

use std::sync::Arc;

use proptest::prelude::*;
use sketch::Cell;
use tokio::runtime::Runtime;

use super::law::check;
use super::{Oracle, any_additions, any_cell_query, any_key, cell_batch, dump_of};
use crate::{AggregateStore, CellKey, Committed, DateClock};

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
                let answer = store.series(&query).await.expect("the question is answered");
                assert_eq!(answer, Oracle::of(&additions).series(&query), "{query:?}");
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
    lists_follow(&*store, &oracle).await;
}

async fn lists_follow(store: &dyn AggregateStore, oracle: &Oracle) {
    for clock in CLOCKS {
        assert_eq!(store.channels(clock).await.expect("channels"), oracle.channels());
        for channel in ["nightly", "esr", "none"] {
            let dates = store.dates(clock, channel).await.expect("dates");
            assert_eq!(dates, oracle.dates(clock, channel));
        }
    }
    for (channel, version) in [
        ("nightly", "41"),
        ("nightly", "9"),
        ("esr", "41"),
        ("none", "41"),
        ("esr", ""),
    ] {
        let options = store.filter_options(channel, version).await.expect("filters");
        assert_eq!(options, oracle.filter_options(channel, version));
    }
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

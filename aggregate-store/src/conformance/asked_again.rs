//! Answers that are asked for again and again while what they are made of changes: whatever a store keeps for the next time.

use std::sync::Arc;

use proptest::prelude::*;
use sketch::Cell;
use tokio::runtime::Runtime;

use super::law::check;
use super::{Oracle, any_additions, any_cell_query, cell_batch};
use crate::{AggregateReads, AggregateStore, Bounds, CellKey, CellQuery, Committed, SeriesRow};

/// A store may keep what was asked for before, and answer from it the time after.
const TIMES: usize = 3;

/// The rows of a question, which are the same each time it is asked.
///
/// # Panics
/// When they differ.
pub async fn asked<S: AggregateReads + ?Sized>(store: &S, query: &CellQuery) -> Vec<SeriesRow> {
    let mut first: Option<Vec<SeriesRow>> = None;
    for time in 1..=TIMES {
        let series = store.series(query, Bounds::NONE).await;
        let rows = series.expect("the question is answered").rows;
        let first = first.get_or_insert_with(|| rows.clone());
        assert_eq!(*first, rows, "asked {time} times: {query:?}");
    }
    first.unwrap_or_default()
}

pub(super) fn keep_the_law(make: &impl AsyncFn() -> Arc<dyn AggregateStore>, runtime: &Runtime) {
    let queries = prop::collection::vec(any_cell_query(), 4);
    check(
        runtime,
        &(any_additions(), queries, 1usize..12),
        async |(additions, queries, size)| {
            let store = make().await;
            // Some back ends keep only numbers as large as they usually are.
            let additions: Vec<(CellKey, Cell)> = additions
                .into_iter()
                .map(|(key, cell)| {
                    (
                        key,
                        Cell::new(cell.count(), cell.sum() % 1_000, cell.bins().iter().copied()),
                    )
                })
                .collect();
            answers_follow_what_is_written(&*store, &additions, &queries, size).await;
        },
    );
}

async fn answers_follow_what_is_written(
    store: &dyn AggregateStore,
    additions: &[(CellKey, Cell)],
    queries: &[CellQuery],
    size: usize,
) {
    let mut written = 0;
    loop {
        let oracle = Oracle::of(&additions[..written]);
        for query in queries {
            // Without filters, too: those of drawn questions often leave nothing.
            let all = CellQuery {
                filters: Vec::new(),
                ..query.clone()
            };
            for query in [query, &all] {
                assert_eq!(asked(store, query).await, oracle.series(query), "{query:?}");
            }
        }
        let rest = &additions[written..];
        if rest.is_empty() {
            return;
        }
        let part = &rest[..size.min(rest.len())];
        let committed = store.commit(cell_batch(part)).await;
        assert_eq!(committed.expect("the batch is written"), Committed::Written);
        written += part.len();
    }
}

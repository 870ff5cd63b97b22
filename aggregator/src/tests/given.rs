//! Declarations that a running program is given are taken up as those of a start are.

use std::sync::Arc;

use super::dump::{aggregator, dump, open};
use super::since::{add, chunks, folded_by, on, settle};
use super::source_rebuild::{FIRST, SECOND, declared};
use super::world::World;

#[tokio::test]
async fn whatever_is_given_from_chunk_to_chunk_all_is_counted_by_the_last_in_the_end() {
    let by_second = folded_by(Some(SECOND)).await;
    let texts = [None, Some(FIRST), Some(SECOND)];
    // All courses of what is given before each of three chunks; the changes of every second course come into use at once.
    for course in 0..27_usize {
        let world = World::new();
        let aggregates = open(world.folder.path(), "1.sqlite");
        let chunks = chunks();
        let live = aggregator(&world, Arc::clone(&aggregates), declared(None));
        for (number, records) in chunks.iter().enumerate() {
            on(&world, i64::try_from(number).expect("small"));
            if number < 3 {
                let given = texts[course / 3_usize.pow(u32::try_from(number).expect("small")) % 3];
                live.give(declared(given).fold.products).await;
            }
            add(&world, std::slice::from_ref(records)).await;
            match course % 2 {
                0 => settle(&live, &*aggregates).await,
                _ => {
                    let _ = live.step().await.expect("a step");
                }
            }
        }
        live.give(declared(Some(SECOND)).fold.products).await;
        settle(&live, &*aggregates).await;
        assert_eq!(dump(&*aggregates).await, by_second, "course {course}");
    }
}

#[tokio::test]
async fn a_change_that_is_given_and_taken_back_changes_nothing() {
    let by_first = folded_by(Some(FIRST)).await;
    let world = World::new();
    let aggregates = open(world.folder.path(), "1.sqlite");
    let live = aggregator(&world, Arc::clone(&aggregates), declared(Some(FIRST)));
    add(&world, &chunks()).await;
    settle(&live, &*aggregates).await;
    live.give(declared(Some(SECOND)).fold.products).await;
    // It is wished, and nothing of it is folded yet.
    let _ = live.step().await.expect("a step");
    assert_eq!(aggregates_wished(&*aggregates).await, 1);
    live.give(declared(Some(FIRST)).fold.products).await;
    let _ = live.step().await.expect("a step");
    assert_eq!(aggregates_wished(&*aggregates).await, 0);
    settle(&live, &*aggregates).await;
    assert_eq!(dump(&*aggregates).await, by_first);
}

async fn aggregates_wished(aggregates: &dyn aggregate_store::AggregateStore) -> usize {
    aggregates.rebuilds().await.expect("answered").len()
}

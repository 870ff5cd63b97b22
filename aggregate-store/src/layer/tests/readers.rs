//! Readers beside holding and writing: they see everything at once, and nothing twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use rusqlite::Connection;
use service::task;
use sketch::Cell;

use super::world::{World, batch};
use crate::conformance::{Oracle, any_key, asked, dump_of};
use crate::{
    AggregateReads, AggregateStore, CellKey, CellQuery, Dimension, DimensionSet, Filter, Kept,
    LayeredAggregates, Persisted,
};

fn keys(count: usize) -> Vec<CellKey> {
    let mut runner = TestRunner::deterministic();
    let tree = proptest::collection::hash_set(any_key(), count).new_tree(&mut runner);
    tree.expect("samples can be drawn")
        .current()
        .into_iter()
        .collect()
}

fn query_of(key: &CellKey) -> CellQuery {
    let set = &key.dimensions;
    CellQuery {
        source: set.source().clone(),
        metric: key.metric.clone(),
        filters: vec![Filter::is(Dimension::CHANNEL, set.value(Dimension::CHANNEL))],
        label: None,
        processes: None,
        group_by: vec![Dimension::named(Dimension::VERSION)],
        by_process: false,
    }
}

async fn count_of(store: &LayeredAggregates, key: &CellKey) -> i64 {
    let series = store
        .series(&query_of(key), crate::Bounds::NONE)
        .await
        .expect("an answer");
    series.rows.iter().map(|row| row.cell.count()).sum()
}

async fn hold(store: &LayeredAggregates, plan: u64, additions: &[(CellKey, Cell)]) {
    let kept = store.hold(batch(plan, additions), 0).await.expect("it is held");
    assert_eq!(kept, Kept::Held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_folded_is_visible_while_the_disk_does_not_move() {
    let (world, key) = (World::new(), keys(1).remove(0));
    let store = world.start().await;
    let one = [(key.clone(), Cell::new(1, 5, [(3, 1)]))];
    // Somebody else holds the file: no transaction can begin.
    let blocker = Connection::open(world.file()).expect("the file opens");
    blocker.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    hold(&store, 1, &one).await;
    assert_eq!(count_of(&store, &key).await, 1);
    let writing = store.clone();
    let persist = task::spawn("persist", async move { writing.persist().await });
    while store.held().frozen_bytes == 0 {
        task::sleep(Duration::from_millis(1)).await;
    }
    hold(&store, 2, &one).await;
    assert_eq!(
        count_of(&store, &key).await,
        2,
        "what is being written, and what came since"
    );
    assert_eq!(dump_of(&**store.base()).await, Vec::<String>::new());
    let layer = store.layer().await.expect("an answer");
    assert_eq!((layer.chunks, layer.pings, layer.persisted_at), (2, 20, None));
    assert!(!persist.is_finished());
    blocker.execute_batch("ROLLBACK").expect("the lock is given back");
    let persisted = persist.await.expect("it ends").expect("it is written");
    assert!(matches!(persisted, Persisted::Written(chunks) if chunks.len() == 1));
    assert_eq!(count_of(&store, &key).await, 2);
    let layer = store.layer().await.expect("an answer");
    assert_eq!((layer.chunks, layer.persisted_at.is_some()), (1, true));
}

/// Each batch adds one to every cell, so any answer tells how many batches it saw.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_beside_a_writer_see_no_batch_twice_and_miss_none() {
    const BATCHES: i64 = 250;
    let (world, keys) = (World::new(), keys(20));
    let store = world.start().await;
    let one: Vec<_> = keys
        .iter()
        .map(|key| (key.clone(), Cell::new(1, 1, [(0, 1)])))
        .collect();
    let (begun, held) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let ended = Arc::new(AtomicBool::new(false));
    let (writing, end) = (store.clone(), ended.clone());
    let writer = task::spawn("persist", async move {
        while !end.load(Ordering::SeqCst) {
            let _ = writing.persist().await.expect("it is written");
            task::sleep(Duration::from_millis(1)).await;
        }
    });
    let (reading, end, from, to) = (store.clone(), ended.clone(), held.clone(), begun.clone());
    let reader = task::spawn("read", async move {
        let mut answers = 0;
        while !end.load(Ordering::SeqCst) {
            let before = from.load(Ordering::SeqCst);
            let status = reading.status().await.expect("the counters").counters.folded;
            let dump = Oracle::of_dump(&dump_of(&*reading).await);
            let after = to.load(Ordering::SeqCst);
            assert!((before..=after).contains(&status), "{before} {status} {after}");
            if let Some(seen) = dump.equal_counts() {
                assert!((before..=after).contains(&seen), "{before} {seen} {after}");
            }
            answers += 1;
        }
        answers
    });
    let whole = one.iter().filter(|(key, _)| key.metric == keys[0].metric);
    let channel = |key: &CellKey| key.dimensions.value(Dimension::CHANNEL).to_owned();
    let whole = whole.filter(|(key, _)| {
        key.dimensions.source() == keys[0].dimensions.source() && channel(key) == channel(&keys[0])
    });
    let cells = i64::try_from(whole.count()).expect("few");
    for plan in 0..BATCHES {
        begun.fetch_add(1, Ordering::SeqCst);
        hold(&store, plan.unsigned_abs(), &one).await;
        held.fetch_add(1, Ordering::SeqCst);
        assert_eq!(count_of(&store, &keys[0]).await, (plan + 1) * cells, "at once");
    }
    ended.store(true, Ordering::SeqCst);
    writer.await.expect("it ends");
    assert!(reader.await.expect("it ends") > 0);
    let _ = store.persist().await.expect("it is written");
    assert_eq!(
        Oracle::of_dump(&dump_of(&**store.base()).await).equal_counts(),
        Some(BATCHES)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_stored_cell_that_what_is_held_takes_back_not_even_the_build_counts() {
    let (world, key) = (World::new(), keys(1).remove(0));
    let store = world.start().await;
    let of = |build: &str| {
        let day = "20150603".parse().expect("a day");
        let source = key.dimensions.source().clone();
        CellKey {
            dimensions: DimensionSet::stating(source, day, &[(Dimension::BUILD_DATE, build)]),
            ..key.clone()
        }
    };
    let one = Cell::new(1, 5, [(3, 1)]);
    hold(
        &store,
        1,
        &[(of("20150601"), one.clone()), (of("20150602"), one.clone())],
    )
    .await;
    assert!(matches!(store.persist().await, Ok(Persisted::Written(_))));
    let query = CellQuery {
        filters: Vec::new(),
        group_by: Vec::new(),
        ..query_of(&key)
    };
    let newest = async || asked(&*store, &query).await[0].newest_build.clone();
    assert_eq!(newest().await, "20150602");
    let mut back = Cell::default();
    back.subtract(&one);
    hold(&store, 2, &[(of("20150602"), back)]).await;
    assert_eq!(newest().await, "20150601");
}

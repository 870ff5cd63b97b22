//! The aggregator over real chunks and a real index.

use std::sync::Arc;
use std::time::Duration;

use aggregate_store::{AggregateStore, FoldVersion};
use index_schema::{ChunkKind, Index};
use service::shutdown::Shutdown;
use store::Store;

use super::memory::MemoryAggregates;
use super::records::{Dice, by_chunk, expected, throw};
use super::world::{World, settle, small_batches};
use crate::{AggregatorSettings, Step};

#[tokio::test]
async fn pings_are_counted_alike_in_one_run_with_restarts_and_after_a_rebuild() {
    for seed in 0..8 {
        let mut dice = Dice(seed);
        let stored = throw(&mut dice, 120);
        let expected = expected(&stored);
        let chunks = by_chunk(&mut dice, &stored);
        let (one, other) = (World::new(), World::new());
        for (plan, records) in chunks.iter().enumerate() {
            one.add_chunk(plan as u64, ChunkKind::Pings, records).await;
        }
        settle(&one.aggregator()).await;
        for (plan, records) in chunks.iter().enumerate().rev() {
            other.add_chunk(plan as u64, ChunkKind::Pings, records).await;
            if dice.below(2) == 0 {
                other
                    .aggregator_with(small_batches())
                    .step()
                    .await
                    .expect("a step");
            }
        }
        settle(&other.aggregator_with(small_batches())).await;
        assert_eq!(one.aggregates.state().content(), expected, "seed {seed}");
        assert_eq!(other.aggregates.state().content(), expected, "seed {seed}");
        let shadow: Arc<MemoryAggregates> = Arc::default();
        let aggregator = one.aggregator();
        aggregator
            .rebuild(Arc::clone(&shadow) as _, 2, &|_| {})
            .await
            .expect("a rebuild");
        assert_eq!(shadow.state().content(), expected, "seed {seed}");
        assert_eq!(one.index.generation().await.expect("a number"), 2);
    }
}

#[tokio::test]
async fn a_rebuild_takes_up_what_comes_meanwhile_and_the_loop_goes_on_in_the_shadow() {
    let world = World::new();
    let mut dice = Dice(5);
    let stored = throw(&mut dice, 60);
    let chunks = by_chunk(&mut dice, &stored);
    let (before, after) = chunks.split_at(chunks.len() / 2);
    for (plan, records) in before.iter().enumerate() {
        world.add_chunk(plan as u64, ChunkKind::Pings, records).await;
    }
    let aggregator = world.aggregator_with(small_batches());
    aggregator.step().await.expect("a step");
    let shadow: Arc<MemoryAggregates> = Arc::default();
    let seen = std::sync::Mutex::new(Vec::new());
    let progress = |progress| seen.lock().expect("a list").push(progress);
    aggregator
        .rebuild(Arc::clone(&shadow) as _, 2, &progress)
        .await
        .expect("a rebuild");
    let last = *seen.lock().expect("a list").last().expect("progress");
    assert_eq!(last.records, last.records_total);
    for (plan, records) in after.iter().enumerate() {
        world
            .add_chunk((before.len() + plan) as u64, ChunkKind::Pings, records)
            .await;
    }
    settle(&aggregator).await;
    assert_eq!(shadow.state().content(), expected(&stored));
    assert_eq!(world.index.totals().await.expect("totals").pending_chunks, 0);
}

#[tokio::test]
async fn a_batch_is_as_large_as_time_and_memory_allow() {
    let world = World::new();
    let stored = throw(&mut Dice(9), 60);
    let chunks = by_chunk(&mut Dice(9), &stored);
    for (plan, records) in chunks.iter().enumerate() {
        world.add_chunk(plan as u64, ChunkKind::Pings, records).await;
    }
    let no_memory = AggregatorSettings {
        batch_memory_bytes: 0,
        batch_time: Duration::from_secs(3_600),
        ..AggregatorSettings::default()
    };
    assert_eq!(settle(&world.aggregator_with(no_memory)).await, chunks.len());
    let other = World::new();
    for (plan, records) in chunks.iter().enumerate() {
        other.add_chunk(plan as u64, ChunkKind::Pings, records).await;
    }
    assert_eq!(settle(&other.aggregator()).await, 1);
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_not_folded_again() {
    let world = World::new();
    let stored = throw(&mut Dice(4), 20);
    let chunks = by_chunk(&mut Dice(4), &stored);
    for (plan, records) in chunks.iter().enumerate() {
        world.add_chunk(plan as u64, ChunkKind::Pings, records).await;
    }
    settle(&world.aggregator()).await;
    let before = world.aggregates.state().clone();
    world.index.make_pending(None).await.expect("pending again");
    assert_eq!(settle(&world.aggregator()).await, 0);
    assert_eq!(*world.aggregates.state(), before);
    assert_eq!(world.index.totals().await.expect("totals").pending_chunks, 0);
}

#[tokio::test]
async fn errored_pings_are_counted_by_reason_without_reading_them() {
    let world = World::new();
    let mut stored = throw(&mut Dice(2), 3);
    let day = stored[0].head.received;
    for (record, reason) in stored.iter_mut().zip(["gzip", "gzip", "size"]) {
        record.head.received = day;
        record.head.submission_date = day.submission_date();
        record.head.error = Some(reason.to_owned());
    }
    let key = world.add_chunk(1, ChunkKind::Errors, &stored).await;
    world.store.delete(&key).await.expect("a delete");
    settle(&world.aggregator()).await;
    let status = world.aggregates.state().status.clone();
    assert_eq!(status.counters.errored_pings, 3);
    assert_eq!(
        status.errored_by_reason,
        [("gzip".to_owned(), 2), ("size".to_owned(), 1)].into()
    );
}

#[tokio::test]
async fn aggregates_of_other_rules_are_left_alone_until_a_rebuild() {
    let world = World::new();
    let other = FoldVersion {
        code: 0,
        settings: "{}".to_owned(),
    };
    world
        .aggregates
        .set_fold_version(&other)
        .await
        .expect("a version");
    let mut stored = throw(&mut Dice(2), 30);
    let day = stored[0].head.submission_date;
    stored.retain(|record| record.head.submission_date == day);
    world.add_chunk(1, ChunkKind::Pings, &stored).await;
    let aggregator = world.aggregator();
    let refused = aggregator.step().await.expect_err("other rules");
    assert!(refused.to_string().contains("highwater rebuild"), "{refused}");
    assert!(world.aggregates.state().chunks.is_empty());
    let shadow: Arc<MemoryAggregates> = Arc::default();
    aggregator
        .rebuild(Arc::clone(&shadow) as _, 1, &|_| {})
        .await
        .expect("a rebuild");
    assert_eq!(aggregator.step().await.expect("a step"), Step::Idle);
    assert_eq!(shadow.state().content(), expected(&stored));
}

#[tokio::test]
async fn the_loop_folds_when_told_and_ends_when_wished() {
    let world = World::new();
    let settings = AggregatorSettings {
        poll: Duration::from_secs(3_600),
        ..AggregatorSettings::default()
    };
    let aggregator = world.aggregator_with(settings);
    let (trigger, shutdown) = Shutdown::new();
    let waker = aggregator.waker();
    let running = service::task::spawn("aggregator", async move { aggregator.run(shutdown).await });
    let mut stored = throw(&mut Dice(2), 30);
    let day = stored[0].head.submission_date;
    stored.retain(|record| record.head.submission_date == day);
    world.add_chunk(1, ChunkKind::Pings, &stored).await;
    waker.notify_one();
    while world.aggregates.state().chunks.is_empty() {
        service::task::sleep(Duration::from_millis(5)).await;
    }
    trigger.pull();
    running.await.expect("it ends");
    assert_eq!(world.aggregates.state().content(), expected(&stored));
    drop(world.folder);
}

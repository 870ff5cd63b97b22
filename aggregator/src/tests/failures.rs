//! What goes wrong around the fold: chunks, the store, another aggregator.

use std::sync::Arc;
use std::time::Duration;

use index_schema::{ChunkKind, Index};
use store::{Odds, Store, UnreliableStore};

use super::bad_sectors::BadSectors;
use super::memory::MemoryAggregates;
use super::records::{Dice, Stored, by_chunk, expected, throw};
use super::world::{World, chunk_of, settle, small_batches};
use crate::{AggregatorError, AggregatorSettings, Step};

#[tokio::test]
async fn a_batch_that_another_one_was_faster_with_is_dropped() {
    let world = World::new();
    let stored = throw(&mut Dice(4), 40);
    let chunks = by_chunk(&mut Dice(4), &stored);
    for (plan, records) in chunks.iter().enumerate() {
        world.add_chunk(plan as u64, ChunkKind::Pings, records).await;
    }
    world
        .aggregates
        .twice
        .store(true, std::sync::atomic::Ordering::SeqCst);
    settle(&world.aggregator_with(small_batches())).await;
    assert_eq!(world.aggregates.state().content(), expected(&stored));
    assert_eq!(world.index.totals().await.expect("totals").pending_chunks, 0);
}

#[tokio::test]
async fn a_rebuild_sets_a_lost_chunk_aside_and_one_after_its_repair_takes_it_in() {
    let world = World::new();
    let stored = throw(&mut Dice(4), 40);
    let chunks = by_chunk(&mut Dice(4), &stored);
    let mut keys = Vec::new();
    for (plan, records) in chunks.iter().enumerate() {
        keys.push(world.add_chunk(plan as u64, ChunkKind::Pings, records).await);
    }
    let aggregator = world.aggregator();
    settle(&aggregator).await;
    let lost = world.store.get(&keys[1]).await.expect("a chunk");
    world.store.delete(&keys[1]).await.expect("a delete");
    let without: Arc<MemoryAggregates> = Arc::default();
    let rebuilt = aggregator.rebuild(Arc::clone(&without) as _, 1, &|_| {}).await;
    assert!(rebuilt.is_ok(), "{rebuilt:?}");
    let aside = world.index.set_aside().await.expect("what is set aside");
    assert_eq!(
        aside.iter().map(|aside| &aside.key).collect::<Vec<_>>(),
        [&keys[1]]
    );
    let others: Vec<Stored> = chunks
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != 1)
        .flat_map(|(_, chunk)| chunk.clone())
        .collect();
    assert_eq!(without.state().content(), expected(&others));
    // With the chunk back, a rebuild takes it in, and nothing is set aside any more.
    world
        .store
        .put_if_absent(&keys[1], store::Payload::Bytes(lost))
        .await
        .expect("a put");
    let whole: Arc<MemoryAggregates> = Arc::default();
    aggregator
        .rebuild(Arc::clone(&whole) as _, 2, &|_| {})
        .await
        .expect("a rebuild");
    assert_eq!(whole.state().content(), expected(&stored));
    assert_eq!(world.index.set_aside().await.expect("what is set aside"), []);
}

#[tokio::test]
async fn a_chunk_that_cannot_be_folded_is_set_aside_and_the_others_count() {
    let world = World::new();
    let mut stored = throw(&mut Dice(6), 30);
    let day = stored[0].head.submission_date;
    stored.retain(|record| record.head.submission_date == day);
    let lost = world.add_chunk(1, ChunkKind::Pings, &stored).await;
    let good: Vec<Stored> = throw(&mut Dice(7), 30)
        .into_iter()
        .filter(|record| record.head.submission_date == day)
        .collect();
    world.add_chunk(2, ChunkKind::Pings, &good).await;
    world.store.delete(&lost).await.expect("a delete");
    let (key, bytes) = chunk_of(3, ChunkKind::Pings, &stored);
    world.add_chunk(3, ChunkKind::Pings, &stored).await;
    let mut flipped = bytes.to_vec();
    flipped[40] ^= 1;
    world.store.delete(&key).await.expect("a delete");
    let flipped = store::Payload::Bytes(flipped.into());
    world.store.put_if_absent(&key, flipped).await.expect("a put");
    let aggregator = world.aggregator();
    settle(&aggregator).await;
    assert_eq!(world.aggregates.state().content(), expected(&good));
    for _ in 0..2 {
        assert_eq!(
            world.index.set_aside().await.expect("a list"),
            [],
            "they are tried again"
        );
        world.clock.advance(Duration::from_secs(5));
        settle(&aggregator).await;
    }
    let mut aside: Vec<String> = world
        .index
        .set_aside()
        .await
        .expect("a list")
        .into_iter()
        .map(|aside| aside.key)
        .collect();
    aside.sort();
    assert_eq!(aside, [lost, key]);
}

#[tokio::test]
async fn a_chunk_that_reads_right_again_within_seconds_is_not_set_aside() {
    let world = World::new();
    let stored = throw(&mut Dice(6), 30);
    let chunk = &by_chunk(&mut Dice(6), &stored)[0];
    let key = world.add_chunk(1, ChunkKind::Pings, chunk).await;
    let bytes = world.store.get(&key).await.expect("a chunk");
    let mut flipped = bytes.to_vec();
    flipped[40] ^= 1;
    let aggregator = world.aggregator();
    for (bytes, after) in [(flipped.into(), Duration::ZERO), (bytes, Duration::from_secs(6))] {
        world.store.delete(&key).await.expect("a delete");
        let payload = store::Payload::Bytes(bytes);
        world.store.put_if_absent(&key, payload).await.expect("a put");
        for _ in 0..2 {
            world.clock.advance(after / 2);
            settle(&aggregator).await;
        }
    }
    assert_eq!(world.aggregates.state().content(), expected(chunk));
    assert_eq!(world.index.set_aside().await.expect("a list"), []);
}

#[tokio::test]
async fn an_unreliable_store_delays_and_sets_nothing_aside() {
    let world = World::new();
    let stored = throw(&mut Dice(8), 60);
    let chunks = by_chunk(&mut Dice(8), &stored);
    for (plan, records) in chunks.iter().enumerate() {
        world.add_chunk(plan as u64, ChunkKind::Pings, records).await;
    }
    let odds = Odds {
        refused: 0.3,
        ..Odds::default()
    };
    let unreliable: Arc<dyn Store> = Arc::new(UnreliableStore::new(Arc::new(world.store.clone()), 1, odds));
    let aggregator = world.aggregator_over(unreliable, small_batches());
    let (mut failures, mut steps) = (0, 0);
    while world.index.totals().await.expect("totals").pending_chunks > 0 {
        match aggregator.step().await {
            Ok(Step::Idle) => world.clock.advance(Duration::from_secs(1)),
            Ok(Step::Folded { .. } | Step::Persisted) => {}
            Err(AggregatorError::Unreachable { .. }) => failures += 1,
            Err(error) => panic!("{error}"),
        }
        steps += 1;
        assert!(steps < 10_000, "it does not end");
    }
    assert!(failures > 0);
    // What could not be read three times one after the other to be taken back.
    while aggregator
        .replay_errors(&|_| {})
        .await
        .map_or(true, |done| done.unreadable > 0)
    {
        steps += 1;
        assert!(steps < 10_000, "it does not end");
    }
    assert_eq!(world.aggregates.state().content(), expected(&stored));
    assert!(world.index.set_aside().await.expect("a list").is_empty());
}

#[tokio::test]
async fn a_chunk_on_a_bad_sector_does_not_hold_up_those_behind_it() {
    let world = World::new();
    let stored = throw(&mut Dice(11), 60);
    let chunks = by_chunk(&mut Dice(11), &stored);
    let mut keys = Vec::new();
    for (plan, records) in chunks.iter().enumerate() {
        keys.push(world.add_chunk(plan as u64, ChunkKind::Pings, records).await);
    }
    let store = BadSectors::under(&world.store, &keys[..1]);
    let aggregator = world.aggregator_over(store, AggregatorSettings::default());
    for (round, tells) in [0, 1, 1].into_iter().enumerate() {
        let mut told = 0;
        for _ in 0..chunks.len() {
            told += u64::from(matches!(
                aggregator.step().await,
                Err(AggregatorError::Unreachable { .. })
            ));
        }
        assert_eq!(
            told, tells,
            "round {round}: when nothing else is left, it is told each time that it is tried"
        );
        world.clock.advance(Duration::from_secs(60));
    }
    let others: Vec<Stored> = chunks[1..].iter().flatten().cloned().collect();
    assert_eq!(world.aggregates.state().content(), expected(&others));
    assert_eq!(world.index.totals().await.expect("totals").pending_chunks, 1);
    // The sector can be read again.
    settle(&world.aggregator()).await;
    assert_eq!(world.aggregates.state().content(), expected(&stored));
}

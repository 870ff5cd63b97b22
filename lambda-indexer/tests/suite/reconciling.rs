//! The store is the truth: what the index lacks is added, and nothing is ever removed.

use std::sync::Arc;

use crate::world::World;
use index_schema::{ChunkKind, Floors, Index, RetainIndex};
use lambda_indexer::Indexer;
use store::{Odds, Payload, UnreliableStore};

#[tokio::test]
async fn what_was_never_announced_is_found_page_by_page() {
    let world = World::new();
    let mut keys = Vec::new();
    for plan in 1..=1_203 {
        let kind = if plan % 5 == 0 {
            ChunkKind::Errors
        } else {
            ChunkKind::Pings
        };
        keys.push(world.put(plan, kind).await);
    }
    world.indexer().object_created(&keys[..7]).await.expect("indexed");
    world
        .store
        .put_if_absent("pings/notes.txt", Payload::Bytes("hello".into()))
        .await
        .expect("put");
    let found = world.indexer().reconcile("pings").await.expect("compared");
    assert_eq!(
        (found.listed, found.outcome.added, found.outcome.foreign),
        (1_204, 1_196, 1)
    );
    assert_eq!(world.index.totals().await.expect("totals").chunks, 1_203);
    let again = world.indexer().reconcile("pings").await.expect("compared");
    assert_eq!(
        (again.listed, again.outcome.added, again.outcome.known),
        (1_204, 0, 0)
    );
}

#[tokio::test]
async fn nothing_is_removed_from_the_index() {
    let world = World::new();
    let key = world.put(1, ChunkKind::Pings).await;
    world
        .indexer()
        .object_created(std::slice::from_ref(&key))
        .await
        .expect("indexed");
    world.store.delete(&key).await.expect("deleted");
    let found = world.indexer().reconcile("pings").await.expect("compared");
    assert_eq!(found.listed, 0);
    assert_eq!(world.index.contains(&[key]).await.expect("an answer"), [true]);
}

#[tokio::test]
async fn another_prefix_is_left_alone() {
    let world = World::new();
    let key = world.put(1, ChunkKind::Pings).await;
    let bytes = world.store.get(&key).await.expect("there");
    let elsewhere = key.replacen("pings/", "pings/staging/", 1);
    world
        .store
        .put_if_absent(&elsewhere, Payload::Bytes(bytes))
        .await
        .expect("put");
    let found = world.indexer().reconcile("pings").await.expect("compared");
    assert_eq!((found.outcome.added, found.outcome.foreign), (1, 1));
}

#[tokio::test]
async fn a_repaired_object_is_no_longer_set_aside() {
    let world = World::new();
    let key = world.put(1, ChunkKind::Pings).await;
    let whole = world.store.get(&key).await.expect("there");
    world.store.delete(&key).await.expect("deleted");
    world
        .store
        .put_if_absent(&key, Payload::Bytes(whole.slice(..whole.len() / 2)))
        .await
        .expect("put");
    for _ in 0..2 {
        let found = world.indexer().reconcile("pings").await.expect("compared");
        assert_eq!(found.outcome.unreadable, 1);
        assert_eq!(world.index.set_aside().await.expect("an answer").len(), 1);
    }
    world.store.delete(&key).await.expect("deleted");
    world
        .store
        .put_if_absent(&key, Payload::Bytes(whole))
        .await
        .expect("put");
    world.indexer().reconcile("pings").await.expect("compared");
    assert_eq!(world.index.set_aside().await.expect("an answer"), []);
    assert_eq!(world.index.totals().await.expect("totals").chunks, 1);
}

#[tokio::test]
async fn with_an_unreliable_store_repeated_comparisons_find_everything() {
    let world = World::new();
    for plan in 1..60 {
        world.put(plan, ChunkKind::Pings).await;
    }
    let odds = Odds {
        refused: 0.2,
        answer_lost: 0.1,
        call_lost: 0.1,
    };
    let unreliable = UnreliableStore::new(world.store.clone(), 3, odds);
    let indexer = Indexer::new(Arc::new(unreliable), world.index.clone());
    let mut rounds = 0;
    while world.index.totals().await.expect("totals").chunks < 59 {
        let _ = indexer.reconcile("pings").await;
        rounds += 1;
        assert!(rounds < 100);
    }
    assert_eq!(world.index.set_aside().await.expect("an answer"), []);
}

#[tokio::test]
async fn a_note_of_an_unreadable_object_that_is_gone_is_cleared_and_of_a_lost_chunk_kept() {
    let world = World::new();
    let cut = world.keep(1, b"no chunk").await;
    let whole = world.put(2, ChunkKind::Pings).await;
    let found = world.indexer().reconcile("pings").await.expect("compared");
    assert_eq!(
        (found.outcome.added, found.outcome.unreadable, found.cleared),
        (1, 1, 0)
    );
    let entry = world.index.pending(9).await.expect("pending").remove(0).entry;
    for _ in 0..3 {
        world.index.fail(entry.id, "damaged").await.expect("noted");
    }
    let again = world.indexer().reconcile("pings").await.expect("compared");
    assert_eq!(again.cleared, 0, "both are there");
    for key in [&cut, &whole] {
        world.store.delete(key).await.expect("deleted");
    }
    let found = world.indexer().reconcile("pings").await.expect("compared");
    assert_eq!(found.cleared, 1);
    let aside = world.index.set_aside().await.expect("an answer");
    assert_eq!(
        aside.len(),
        1,
        "what held acknowledged pings is not forgotten by itself"
    );
    assert_eq!(aside[0].key, whole);
}

#[tokio::test]
async fn what_is_noted_and_was_in_the_list_is_not_asked_for_by_name() {
    let world = World::new();
    for file in 0..50 {
        let key = format!("pings/export-{file}.zst");
        let put = world
            .store
            .put_if_absent(&key, Payload::Bytes("foreign".into()))
            .await;
        put.expect("put");
    }
    let counted = UnreliableStore::new(world.store.clone(), 1, Odds::default());
    let indexer = Indexer::new(Arc::new(counted.clone()), world.index.clone());
    indexer.reconcile("pings").await.expect("compared");
    assert_eq!(world.index.set_aside().await.expect("an answer").len(), 50);
    let before = counted.calls();
    let again = indexer.reconcile("pings").await.expect("compared");
    assert_eq!((again.listed, again.cleared), (50, 0));
    assert_eq!(counted.calls() - before, 1, "one page of the list");
    world.store.delete("pings/export-7.zst").await.expect("deleted");
    let before = counted.calls();
    assert_eq!(indexer.reconcile("pings").await.expect("compared").cleared, 1);
    assert_eq!(counted.calls() - before, 2, "the page, and what was not in it");
}

#[tokio::test]
async fn what_lies_below_the_floor_stays_an_object_and_is_counted_once() {
    let world = World::new();
    let key = world.put(1, ChunkKind::Pings).await;
    let floors = Floors {
        pings: "20170201".parse().ok(),
        ..Floors::default()
    };
    world.index.raise_floors(floors, None).await.expect("raised");
    let found = world.indexer().reconcile("pings").await.expect("compared");
    assert_eq!((found.outcome.added, found.outcome.refused), (0, 1));
    let by_event = world.indexer().object_created(std::slice::from_ref(&key)).await;
    assert_eq!(by_event.expect("looked at").refused, 1);
    let again = world.indexer().reconcile("pings").await.expect("compared");
    assert_eq!(again.outcome.refused, 0, "it is not read again");
    let totals = world.index.totals().await.expect("totals");
    assert_eq!(
        (totals.chunks, totals.refused_chunks, totals.refused_records),
        (0, 1, 3)
    );
    assert!(world.store.head(&key).await.expect("an answer").is_some());
}

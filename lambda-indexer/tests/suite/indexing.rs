//! Created objects become index entries, whatever happens on the way.

use std::sync::Arc;

use crate::world::World;
use index_schema::{ChunkKind, Index};
use lambda_indexer::{Indexer, IndexingError, Outcome, feed};
use service::shutdown::Shutdown;
use store::{Odds, Payload, UnreliableStore};
use tokio::sync::mpsc;

#[tokio::test]
async fn a_created_chunk_is_indexed_once_however_often_it_is_announced() {
    let world = World::new();
    let keys = [
        world.put(1, ChunkKind::Pings).await,
        world.put(2, ChunkKind::Errors).await,
    ];
    let twice = [&keys[..], &keys[..1]].concat();
    let outcome = world.indexer().object_created(&twice).await.expect("indexed");
    assert_eq!(
        outcome,
        Outcome {
            added: 2,
            known: 1,
            ..Outcome::default()
        }
    );
    let again = world.indexer().object_created(&keys).await.expect("indexed");
    assert_eq!(
        again,
        Outcome {
            known: 2,
            ..Outcome::default()
        }
    );
    let pending = world.index.pending(9).await.expect("pending");
    assert_eq!(
        pending.iter().map(|chunk| &chunk.entry.key).collect::<Vec<_>>(),
        keys.iter().collect::<Vec<_>>()
    );
    let entry = &pending[0].entry;
    let stored = world
        .store
        .head(&keys[0])
        .await
        .expect("an answer")
        .expect("it is there")
        .len;
    assert_eq!((entry.records, entry.stored_bytes), (3, stored));
    assert_eq!(pending[1].entry.error_reasons["gzip_cut"], 3);
}

#[tokio::test]
async fn what_is_no_readable_chunk_is_noted_with_the_reason() {
    let world = World::new();
    let key = world.put(1, ChunkKind::Pings).await;
    let whole = world.store.get(&key).await.expect("there");
    let cut = world.keep(2, &whole[..whole.len() - 1]).await;
    let other = world.keep(3, &whole).await;
    let empty = world.keep(4, b"").await;
    let junk = "pings/v1/junk.zst".to_owned();
    world
        .store
        .put_if_absent(&junk, Payload::Bytes("junk".into()))
        .await
        .expect("put");
    let keys = [
        cut.clone(),
        other.clone(),
        empty.clone(),
        junk.clone(),
        "pings/README".to_owned(),
        key,
    ];
    let outcome = world.indexer().object_created(&keys).await.expect("indexed");
    assert_eq!(
        outcome,
        Outcome {
            added: 1,
            unreadable: 4,
            foreign: 1,
            ..Outcome::default()
        }
    );
    let aside = world.index.set_aside().await.expect("an answer");
    let reason = |key: &str| &aside.iter().find(|aside| aside.key == key).expect("noted").reason;
    assert!(reason(&cut).contains("seek table"), "{}", reason(&cut));
    assert!(reason(&other).contains("chunk id differs"), "{}", reason(&other));
    assert!(reason(&junk).contains("no chunk key"), "{}", reason(&junk));
    assert_eq!(aside.len(), 4);
}

#[tokio::test]
async fn an_object_that_is_gone_is_success() {
    let world = World::new();
    let key = world.put(1, ChunkKind::Pings).await;
    world.store.delete(&key).await.expect("deleted");
    let outcome = world
        .indexer()
        .object_created(&[key])
        .await
        .expect("nothing to do");
    assert_eq!(
        outcome,
        Outcome {
            gone: 1,
            ..Outcome::default()
        }
    );
    assert_eq!(world.index.totals().await.expect("totals").set_aside, 0);
}

#[tokio::test]
async fn one_request_reads_the_end_of_a_chunk() {
    let world = World::new();
    let keys = [
        world.put(1, ChunkKind::Pings).await,
        world.put(2, ChunkKind::Pings).await,
    ];
    let counted = UnreliableStore::new(world.store.clone(), 1, Odds::default());
    let indexer = Indexer::new(Arc::new(counted.clone()), world.index.clone());
    indexer.object_created(&keys).await.expect("indexed");
    assert_eq!(counted.calls(), 2);
}

#[tokio::test]
async fn a_store_that_does_not_answer_for_one_holds_up_no_other() {
    let world = World::new();
    let mut keys = Vec::new();
    for plan in 1..30 {
        keys.push(world.put(plan, ChunkKind::Pings).await);
    }
    let odds = Odds {
        refused: 0.3,
        ..Odds::default()
    };
    let unreliable = UnreliableStore::new(world.store.clone(), 7, odds);
    let indexer = Indexer::new(Arc::new(unreliable.clone()), world.index.clone());
    let mut tries = 0;
    while let Err(error) = indexer.object_created(&keys).await {
        assert!(matches!(error, IndexingError::Store(_)), "{error}");
        let indexed = world.index.totals().await.expect("totals").chunks;
        assert!(indexed > 0, "those that were read are indexed at once");
        tries += 1;
        if tries == 5 {
            unreliable.set_odds(Odds::default());
        }
    }
    assert_eq!(world.index.totals().await.expect("totals").chunks, 29);
    assert_eq!(
        world.index.set_aside().await.expect("an answer"),
        [],
        "a passing failure is no damage"
    );
}

#[tokio::test]
async fn announcements_are_taken_as_they_come_until_nobody_announces() {
    let world = World::new();
    let (sender, receiver) = mpsc::channel(4);
    let (_trigger, shutdown) = Shutdown::new();
    let (told, mut heard) = mpsc::unbounded_channel();
    let indexed = move |outcome: Outcome| told.send(outcome).expect("somebody hears");
    let feeding = service::task::spawn(
        "feed",
        feed(Arc::new(world.indexer()), receiver, indexed, shutdown),
    );
    for plan in 1..40 {
        sender
            .send(world.put(plan, ChunkKind::Pings).await)
            .await
            .expect("taken");
    }
    drop(sender);
    feeding.await.expect("it ends");
    let mut added = 0;
    while let Some(outcome) = heard.recv().await {
        added += outcome.added;
    }
    assert_eq!(added, 39);
    assert_eq!(world.index.totals().await.expect("totals").chunks, 39);
}

#[tokio::test]
async fn a_shutdown_ends_the_feed_though_more_could_be_announced() {
    let world = World::new();
    let (sender, receiver) = mpsc::channel::<String>(4);
    let (trigger, shutdown) = Shutdown::new();
    let feeding = service::task::spawn(
        "feed",
        feed(Arc::new(world.indexer()), receiver, |_| (), shutdown),
    );
    trigger.pull();
    feeding.await.expect("it ends");
    assert!(sender.is_closed());
}

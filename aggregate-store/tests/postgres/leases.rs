//! Leases: shared out fairly, taken over from who is gone, and no use to who was frozen meanwhile.

use std::sync::Arc;
use std::time::Duration;

use aggregate_store::conformance::{chunk_id, dump_of};
use aggregate_store::{
    AggregateReads, AggregateStore, Batch, Committed, Holder, Lease, Leases, PostgresAggregates, SHARDS,
    Status, shard_of, standing_holder,
};
use service::task;

use crate::dice::Dice;
use crate::pings::{chunks, fold};
use crate::test_database::TestDatabase;

/// Long enough for any test.
const LONG: Duration = Duration::from_secs(3_600);

const A: Holder = [1; 16];
const B: Holder = [2; 16];
const C: Holder = [3; 16];

async fn renew(store: &PostgresAggregates, holder: Holder) -> Vec<Lease> {
    store.renew(holder, LONG).await.expect("an answer")
}

/// Ends a holder's time, as if it had passed.
fn expire(place: &TestDatabase, holder: Holder) {
    let over = format!(
        "UPDATE highwater_aggregates.holder SET expires = '-infinity' WHERE get_byte(holder, 0) = {}",
        holder[0]
    );
    place.server.sql(&place.database, &over);
}

fn shards(leases: &[Lease]) -> Vec<u16> {
    leases.iter().map(|lease| lease.shard).collect()
}

/// All shards, each held by one of these.
fn assert_all_shared(held: &[&[Lease]]) {
    let mut all: Vec<u16> = held.iter().flat_map(|held| shards(held)).collect();
    all.sort_unstable();
    assert_eq!(all, (0..SHARDS).collect::<Vec<_>>());
}

#[tokio::test]
async fn two_and_then_three_holders_share_alike_and_a_shard_has_one_holder() {
    let Some(place) = TestDatabase::new() else { return };
    let (one, other) = (place.open().await, place.open().await);
    let alone = renew(&one, A).await;
    assert_all_shared(&[&alone]);
    assert!(alone.iter().all(|lease| lease.fence == 1));
    assert_eq!(renew(&other, B).await, [], "nothing is free yet");
    let (a, b) = (renew(&one, A).await, renew(&other, B).await);
    assert_all_shared(&[&a, &b]);
    assert_eq!((a.len(), b.len()), (32, 32));
    assert!(
        b.iter().all(|lease| lease.fence == 2),
        "each claim has a fence of its own"
    );
    let _ = renew(&one, C).await;
    for _ in 0..2 {
        for holder in [A, B, C] {
            let _ = renew(&one, holder).await;
        }
    }
    let (a, b, c) = (renew(&one, A).await, renew(&one, B).await, renew(&one, C).await);
    assert_all_shared(&[&a, &b, &c]);
    assert_eq!((a.len(), b.len(), c.len()), (22, 21, 21));
    assert_eq!(renew(&other, A).await, a, "who has its share keeps it");
}

#[tokio::test]
async fn the_shards_of_who_leaves_or_is_gone_are_taken_over() {
    let Some(place) = TestDatabase::new() else { return };
    let store = place.open().await;
    for holder in [A, B, C, A, B, C] {
        let _ = renew(&store, holder).await;
    }
    store.leave(C).await.expect("an answer");
    let (a, b) = (renew(&store, A).await, renew(&store, B).await);
    assert_all_shared(&[&a, &b]);
    expire(&place, A);
    let all = renew(&store, B).await;
    assert_all_shared(&[&all]);
    let taken = |lease: &&Lease| {
        a.iter()
            .any(|old| old.shard == lease.shard && old.fence < lease.fence)
    };
    assert_eq!(all.iter().filter(taken).count(), a.len());
    assert_eq!(renew(&store, A).await, [], "what it held is another one's");
}

#[tokio::test]
async fn a_time_that_is_over_by_the_clock_of_the_database_ends_leases() {
    let Some(place) = TestDatabase::new() else { return };
    let store = place.open().await;
    let first = store.renew(A, Duration::from_millis(1)).await.expect("an answer");
    assert_all_shared(&[&first]);
    // Asked again until the time is over: how long that takes says nothing.
    let mut second = renew(&store, B).await;
    while second.is_empty() {
        second = renew(&store, B).await;
    }
    assert_all_shared(&[&second]);
}

#[tokio::test]
async fn who_was_away_and_missed_by_nobody_keeps_its_leases() {
    let Some(place) = TestDatabase::new() else { return };
    let store = place.open().await;
    let held = renew(&store, A).await;
    expire(&place, A);
    assert_eq!(renew(&store, A).await, held);
}

/// A batch of one chunk, folded under these leases.
fn batch(plan: u64, leases: &[Lease]) -> Batch {
    let all = chunks(&mut Dice::new(5), plan + 1);
    let pings = &all[&chunk_id(7, 1, plan)];
    let shard = shard_of(chunk_id(7, 1, plan));
    let fences = leases.iter().filter(|lease| lease.shard == shard);
    Batch {
        fences: fences.copied().collect(),
        seen: Vec::new(),
        ..fold(&[pings], Vec::new())
    }
}

#[tokio::test]
async fn a_frozen_holder_that_comes_back_writes_nothing_once_others_claimed_its_shards() {
    let Some(place) = TestDatabase::new() else { return };
    let (frozen, other) = (place.open().await, place.open().await);
    let old = renew(&frozen, A).await;
    let (first, late) = (batch(0, &old), batch(1, &old));
    assert_eq!((first.fences.len(), late.fences.len()), (1, 1));
    assert_eq!(frozen.commit(first).await.expect("an answer"), Committed::Written);
    expire(&place, A);
    let before = (dump_of(&*other).await, other.status().await.expect("counters"));
    let new = renew(&other, B).await;
    assert_eq!(
        frozen.commit(late.clone()).await.expect("an answer"),
        Committed::Outdated
    );
    let (sender, parts) = tokio::sync::mpsc::channel(1);
    sender.send(late).await.expect("room");
    assert_eq!(
        frozen.commit_parts(parts).await.expect("an answer"),
        Committed::Outdated
    );
    assert_eq!(
        (dump_of(&*other).await, other.status().await.expect("counters")),
        before
    );
    assert_eq!(
        other.commit(batch(1, &new)).await.expect("an answer"),
        Committed::Written
    );
}

#[tokio::test]
async fn who_takes_all_leaves_nothing_to_the_others_and_lets_no_batch_through() {
    let Some(place) = TestDatabase::new() else { return };
    let (store, other) = (place.open().await, place.open().await);
    let old = renew(&store, A).await;
    let [first, second] = [A, B].map(standing_holder);
    let take_all = async |holder| other.take_all(holder, LONG).await.expect("an answer");
    assert!(take_all(first).await);
    assert!(!take_all(second).await, "one at a time");
    assert_eq!(
        store.commit(batch(0, &old)).await.expect("an answer"),
        Committed::Outdated
    );
    assert_eq!(renew(&store, A).await, []);
    other.leave(first).await.expect("an answer");
    assert!(take_all(second).await, "the first is gone");
    // One that ended without a word holds up others for as long as it said, and no longer.
    let over = "UPDATE highwater_aggregates.holder SET expires = '-infinity' WHERE get_byte(holder, 0) > 100";
    place.server.sql(&place.database, over);
    assert!(take_all(first).await, "the second is over");
    other.leave(first).await.expect("an answer");
    let new = renew(&store, A).await;
    assert_all_shared(&[&new]);
    assert_eq!(
        store.commit(batch(0, &new)).await.expect("an answer"),
        Committed::Written
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_is_not_claimed_from_under_a_commit() {
    let Some(place) = TestDatabase::new() else { return };
    let (store, other) = (place.open().await, place.open().await);
    let old = renew(&store, A).await;
    let last = batch(0, &old);
    let shard = last.fences[0].shard;
    let first = Batch {
        fences: last.fences.clone(),
        ..Batch::default()
    };
    let (sender, parts) = tokio::sync::mpsc::channel(1);
    let committing = task::spawn("committer", {
        let store: Arc<PostgresAggregates> = store.clone();
        async move { store.commit_parts(parts).await }
    });
    // Whoever takes in the second part has written the first, and so holds its shard fast.
    for part in [first.clone(), first.clone(), first] {
        sender.send(part).await.expect("received");
    }
    expire(&place, A);
    let claimed = renew(&other, B).await;
    assert_eq!(claimed.len(), usize::from(SHARDS) - 1);
    assert!(!shards(&claimed).contains(&shard));
    sender.send(last).await.expect("received");
    let committed = committing.await.expect("it ended");
    assert_eq!(committed.expect("an answer"), Committed::Written);
    assert_all_shared(&[&renew(&other, B).await]);
    assert_ne!(store.status().await.expect("counters"), Status::default());
}

//! Several aggregators over one index and the same aggregates.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aggregate_store::{AggregateError, Holder, Lease, Leases, SHARDS, shard_of};
use async_trait::async_trait;
use bytes::Bytes;
use index_schema::{ChunkKind, Index};
use ping::{ChunkId, Incarnation};
use service::clock::Clock;
use store::{ListPage, MemoryStore, ObjectMeta, Payload, Put, Store, StoreError};

use super::records::{Dice, by_chunk, expected, throw};
use super::world::{World, settle, small_batches};
use crate::{Aggregator, Share, Step};

const TTL: Duration = Duration::from_secs(30);

/// Leases that are shared out by hand, over the fences of a world's aggregates.
struct Hands {
    world: Arc<World>,
    owners: Mutex<BTreeMap<u16, Holder>>,
    /// Which shards each is to have at its next renewal.
    shares: Mutex<BTreeMap<Holder, Vec<u16>>>,
}

impl fmt::Debug for Hands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hands")
    }
}

impl Hands {
    fn over(world: &Arc<World>) -> Arc<Self> {
        Arc::new(Self {
            world: world.clone(),
            owners: Mutex::default(),
            shares: Mutex::default(),
        })
    }

    /// From its next renewal on, this one has these shards.
    fn give(&self, holder: Holder, shards: impl IntoIterator<Item = u16>) {
        let shards = shards.into_iter().collect();
        self.shares.lock().expect("no panic here").insert(holder, shards);
    }
}

#[async_trait]
impl Leases for Hands {
    async fn renew(&self, holder: Holder, ttl: Duration) -> Result<Vec<Lease>, AggregateError> {
        assert_eq!(ttl, TTL);
        let shares = self.shares.lock().expect("no panic here");
        let mut owners = self.owners.lock().expect("no panic here");
        let mut state = self.world.aggregates.state();
        let mine = shares.get(&holder).into_iter().flatten();
        let leases = mine.map(|shard| {
            let fence = state.fences.entry(*shard).or_default();
            if owners.insert(*shard, holder) != Some(holder) {
                *fence += 1;
            }
            Lease {
                shard: *shard,
                fence: *fence,
            }
        });
        Ok(leases.collect())
    }

    async fn take_all(&self, _: Holder, _: Duration) -> Result<bool, AggregateError> {
        unreachable!("no aggregator takes all")
    }

    async fn leave(&self, _: Holder) -> Result<(), AggregateError> {
        Ok(())
    }
}

/// A store in which something happens once, at the first read of a chunk.
struct Meanwhile {
    store: MemoryStore,
    happens: Mutex<Option<(Arc<Share>, Arc<Aggregator>)>>,
}

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meanwhile")
    }
}

#[async_trait]
impl Store for Meanwhile {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        self.store.put_if_absent(key, payload).await
    }

    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        self.store.get(key).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.store.get_range(key, range).await
    }

    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        let happens = self.happens.lock().expect("no panic here").take();
        if let Some((share, aggregator)) = happens {
            share.renew().await.expect("it is renewed");
            settle(&aggregator).await;
        }
        self.store.get_tail(key, len).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
        self.store.head(key).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError> {
        self.store.list(prefix, after, limit).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.store.delete(key).await
    }
}

fn share(hands: &Arc<Hands>, holder: Holder) -> Arc<Share> {
    let clock: Arc<dyn Clock> = hands.world.clock.clone();
    Share::new(hands.clone(), holder, TTL, clock)
}

fn shard(plan: u64) -> u16 {
    shard_of(ChunkId {
        incarnation: Incarnation::from_bytes([7; 16]),
        boot: 1,
        plan,
    })
}

#[tokio::test]
async fn several_that_change_their_shares_at_random_count_each_ping_once() {
    for seed in 0..12 {
        let mut dice = Dice(seed);
        let stored = throw(&mut dice, 150);
        let chunks = by_chunk(&mut dice, &stored);
        let world = Arc::new(World::new());
        let hands = Hands::over(&world);
        let all: Vec<_> = (0..3)
            .map(|at| {
                let share = share(&hands, [at; 16]);
                let store = Arc::new(world.store.clone());
                let aggregator = world.aggregator_with_share(store, small_batches(), share.clone());
                ([at; 16], share, aggregator)
            })
            .collect();
        let mut chunks = chunks.iter().enumerate();
        let mut steps = [0; 3];
        loop {
            let next = chunks.next();
            if let Some((plan, records)) = next {
                world.add_chunk(plan as u64, ChunkKind::Pings, records).await;
            }
            let owner: Vec<usize> = (0..SHARDS).map(|_| dice.below(all.len())).collect();
            for (at, (holder, share, _)) in all.iter().enumerate() {
                let mine = (0..SHARDS).filter(|shard| owner[usize::from(*shard)] == at);
                hands.give(*holder, mine);
                // One that does not ask goes on with leases that are another one's by now.
                if dice.below(3) > 0 {
                    share.renew().await.expect("it is renewed");
                }
            }
            for (at, (_, _, aggregator)) in all.iter().enumerate() {
                if dice.below(2) == 0 && aggregator.step().await.expect("a step") != Step::Idle {
                    steps[at] += 1;
                }
            }
            if next.is_none() && world.index.totals().await.expect("totals").pending_chunks == 0 {
                break;
            }
        }
        assert_eq!(
            world.aggregates.state().content(),
            expected(&stored),
            "seed {seed}"
        );
        assert!(
            steps.iter().filter(|steps| **steps > 0).count() > 1,
            "seed {seed}: {steps:?}"
        );
    }
}

#[tokio::test]
async fn a_batch_whose_share_is_claimed_while_it_is_folded_is_dropped() {
    let mut dice = Dice(3);
    let stored = throw(&mut dice, 60);
    let chunks = by_chunk(&mut dice, &stored);
    let world = Arc::new(World::new());
    for (plan, records) in chunks.iter().enumerate() {
        world.add_chunk(plan as u64, ChunkKind::Pings, records).await;
    }
    let hands = Hands::over(&world);
    let (slow_share, quick_share) = (share(&hands, [1; 16]), share(&hands, [2; 16]));
    for holder in [[1; 16], [2; 16]] {
        hands.give(holder, 0..SHARDS);
    }
    let memory = Arc::new(world.store.clone());
    let quick = world.aggregator_with_share(memory, small_batches(), quick_share.clone());
    let store = Arc::new(Meanwhile {
        store: world.store.clone(),
        happens: Mutex::new(Some((quick_share, quick))),
    });
    let slow = world.aggregator_with_share(store, small_batches(), slow_share.clone());
    slow_share.renew().await.expect("it is renewed");
    hands.give([1; 16], []);
    let step = slow.step().await.expect("a step");
    assert!(matches!(step, Step::Folded { chunks: 0, .. }), "{step:?}");
    assert!(
        slow_share.fences().is_empty(),
        "it asked what is left of its share"
    );
    assert_eq!(slow.step().await.expect("a step"), Step::Idle);
    assert_eq!(world.aggregates.state().content(), expected(&stored));
}

#[tokio::test]
async fn who_was_frozen_past_its_time_begins_nothing_before_it_has_asked() {
    let world = Arc::new(World::new());
    let stored = throw(&mut Dice(4), 10);
    for (plan, records) in by_chunk(&mut Dice(4), &stored).iter().enumerate() {
        world.add_chunk(plan as u64, ChunkKind::Pings, records).await;
    }
    let hands = Hands::over(&world);
    let share = share(&hands, [1; 16]);
    let store = Arc::new(world.store.clone());
    let aggregator = world.aggregator_with_share(store, small_batches(), share.clone());
    assert_eq!(
        aggregator.step().await.expect("a step"),
        Step::Idle,
        "it has not asked"
    );
    hands.give([1; 16], 0..SHARDS);
    share.renew().await.expect("it is renewed");
    world.clock.advance(TTL);
    assert_eq!(
        aggregator.step().await.expect("a step"),
        Step::Idle,
        "its time is over"
    );
    share.renew().await.expect("it is renewed");
    settle(&aggregator).await;
    assert_eq!(world.aggregates.state().content(), expected(&stored));
}

#[tokio::test]
async fn chunks_of_a_share_that_nobody_folds_do_not_hide_those_behind_them() {
    let world = Arc::new(World::new());
    let stored = throw(&mut Dice(5), 1);
    // More of another share than are looked at together, then one of ours.
    let ours = shard(0);
    let others = (1..).filter(|plan| shard(*plan) != ours).take(1_100);
    for plan in others.chain([0]) {
        world.add_chunk(plan, ChunkKind::Pings, &stored).await;
    }
    let hands = Hands::over(&world);
    let share = share(&hands, [1; 16]);
    let store = Arc::new(world.store.clone());
    let aggregator = world.aggregator_with_share(store, small_batches(), share.clone());
    hands.give([1; 16], [ours]);
    share.renew().await.expect("it is renewed");
    assert_eq!(settle(&aggregator).await, 1);
    let folded = world.aggregates.state().chunks.clone();
    assert_eq!(folded.iter().map(|id| id.plan).collect::<Vec<_>>(), [0]);
}

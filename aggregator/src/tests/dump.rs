//! The dump of the real aggregates is equal byte by byte, however the pings came to them.

use std::path::Path;
use std::sync::Arc;

use aggregate_store::{AggregateStore, SqliteAggregates};
use index_schema::{ChunkKind, Index};
use tokio::sync::mpsc;

use super::records::{Dice, Stored, by_chunk, expected, throw};
use super::world::{World, settle, small_batches};
use crate::{Aggregator, AggregatorSettings, Step};
use service::current::Current;

pub(super) async fn dump(aggregates: &dyn AggregateStore) -> Vec<String> {
    let (lines, mut received) = mpsc::channel(16);
    let gather = async {
        let mut gathered = Vec::new();
        while let Some(line) = received.recv().await {
            gathered.push(line);
        }
        gathered
    };
    let (done, gathered) = tokio::join!(aggregates.dump(lines), gather);
    done.expect("a dump");
    gathered
}

pub(super) fn open(folder: &Path, name: &str) -> Arc<dyn AggregateStore> {
    Arc::new(SqliteAggregates::open(&folder.join(name)).expect("aggregates"))
}

pub(super) fn aggregator(
    world: &World,
    aggregates: Arc<dyn AggregateStore>,
    settings: AggregatorSettings,
) -> Arc<Aggregator> {
    let index: Arc<dyn Index> = Arc::clone(&world.index) as _;
    let store = Arc::new(world.store.clone());
    Aggregator::new(
        index,
        store,
        Arc::new(Current::new(aggregates)),
        Arc::clone(&world.clock) as _,
        settings,
    )
}

/// One run over all chunks.
async fn in_one_run(chunks: &[Vec<Stored>]) -> (Vec<String>, aggregate_store::Status) {
    let world = World::new();
    for (plan, records) in chunks.iter().enumerate() {
        world.add_chunk(plan as u64, ChunkKind::Pings, records).await;
    }
    let aggregates = open(world.folder.path(), "1.sqlite");
    settle(&aggregator(
        &world,
        Arc::clone(&aggregates),
        AggregatorSettings::default(),
    ))
    .await;
    (
        dump(&*aggregates).await,
        aggregates.status().await.expect("a status"),
    )
}

/// Chunks in another order, a batch each, the database opened anew before every batch; then a rebuild.
async fn with_restarts(dice: &mut Dice, chunks: &[Vec<Stored>]) -> (Vec<String>, Vec<String>) {
    let world = World::new();
    let mut order: Vec<usize> = (0..chunks.len()).collect();
    dice.shuffle(&mut order);
    for plan in order {
        world
            .add_chunk(plan as u64, ChunkKind::Pings, &chunks[plan])
            .await;
        if dice.below(3) > 0 {
            let aggregates = open(world.folder.path(), "1.sqlite");
            aggregator(&world, aggregates, small_batches())
                .step()
                .await
                .expect("a step");
        }
    }
    let aggregates = open(world.folder.path(), "1.sqlite");
    let live = aggregator(&world, Arc::clone(&aggregates), small_batches());
    settle(&live).await;
    let restarted = dump(&*aggregates).await;
    let shadow = open(world.folder.path(), "2.sqlite");
    live.rebuild(Arc::clone(&shadow), 2, &|_| {})
        .await
        .expect("a rebuild");
    assert_eq!(live.step().await.expect("a step"), Step::Idle);
    (restarted, dump(&*shadow).await)
}

#[tokio::test]
async fn one_run_restarts_in_any_order_and_a_rebuild_dump_the_same_bytes() {
    for seed in 0..6 {
        let mut dice = Dice(seed);
        let stored = throw(&mut dice, 90);
        let chunks = by_chunk(&mut dice, &stored);
        let (one, status) = in_one_run(&chunks).await;
        let (restarted, rebuilt) = with_restarts(&mut dice, &chunks).await;
        assert!(!one.is_empty());
        assert_eq!(one, restarted, "seed {seed}");
        assert_eq!(one, rebuilt, "seed {seed}");
        assert_eq!(status, expected(&stored).2, "seed {seed}");
    }
}

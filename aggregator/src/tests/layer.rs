//! Folding into aggregates whose newest layer is in memory.

use std::sync::Arc;
use std::time::Duration;

use aggregate_store::{
    AggregateReads, AggregateStore, LayeredAggregates, Persisted, SqliteAggregates, Status,
};
use index_schema::{ChunkKind, Index};
use rusqlite::Connection;
use service::clock::{Clock, SystemClock};
use service::current::Current;
use service::shutdown::Shutdown;
use service::task;
use tokio::sync::mpsc;

use super::records::{Dice, Stored, by_chunk, expected, throw};
use super::world::{World, settle, small_batches};
use crate::{Aggregator, AggregatorSettings, Step};

/// A process over the world's chunks and index, with aggregates in a file of that name.
struct Process {
    aggregates: Arc<LayeredAggregates>,
    aggregator: Arc<Aggregator>,
}

impl Process {
    async fn start(world: &World, settings: AggregatorSettings, clock: Arc<dyn Clock>) -> Self {
        Self::of_writer([1; 16], world, settings, clock).await
    }

    async fn of_writer(
        writer: [u8; 16],
        world: &World,
        settings: AggregatorSettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let base = SqliteAggregates::open(&world.folder.path().join("aggregates.sqlite"));
        let base = Arc::new(base.expect("the file opens"));
        let layered = LayeredAggregates::over(base, writer, clock.clone()).await;
        let aggregates = layered.expect("the file answers");
        let aggregator = Aggregator::new(
            Arc::clone(&world.index) as _,
            Arc::new(world.store.clone()),
            Arc::new(Current::new(Arc::clone(&aggregates) as Arc<dyn AggregateStore>)),
            clock,
            settings,
        );
        Self {
            aggregates,
            aggregator,
        }
    }

    async fn status(&self) -> Status {
        self.aggregates.status().await.expect("the counters")
    }

    async fn dump(&self) -> Vec<String> {
        let (sender, mut receiver) = mpsc::channel(100);
        let lines = async {
            let mut lines = Vec::new();
            while let Some(line) = receiver.recv().await {
                lines.push(line);
            }
            lines
        };
        let (sent, lines) = tokio::join!(self.aggregates.dump(sender), lines);
        sent.expect("a dump");
        lines
    }
}

async fn pending(world: &World) -> u64 {
    world.index.totals().await.expect("totals").pending_chunks
}

async fn add(world: &World, chunks: &[Vec<Stored>]) {
    for (plan, records) in chunks.iter().enumerate() {
        world.add_chunk(plan as u64, ChunkKind::Pings, records).await;
    }
}

/// Repeats fall on the layer, on the database and on both; a copy that counted in either is taken back from either.
#[tokio::test]
async fn pings_are_counted_alike_whenever_the_layer_is_written_or_lost() {
    for seed in 0..8 {
        let mut dice = Dice(seed);
        let stored = throw(&mut dice, 120);
        let chunks = by_chunk(&mut dice, &stored);
        let (plain, world) = (World::new(), World::new());
        add(&plain, &chunks).await;
        settle(&plain.aggregator()).await;
        assert_eq!(
            plain.aggregates.state().content(),
            expected(&stored),
            "seed {seed}"
        );
        let clock: Arc<dyn Clock> = Arc::clone(&world.clock) as _;
        let mut process = Process::start(&world, small_batches(), clock.clone()).await;
        for (plan, records) in chunks.iter().enumerate().rev() {
            world.add_chunk(plan as u64, ChunkKind::Pings, records).await;
            match dice.below(4) {
                0 => {}
                1 => {
                    let persisted = process.aggregator.persist().await.expect("written");
                    assert!(matches!(persisted, Step::Idle | Step::Persisted));
                }
                2 => {
                    let folded = process.aggregator.fold_step().await.expect("a step");
                    assert!(matches!(folded, Step::Folded { .. }), "{folded:?}");
                }
                // What is in memory only is lost, and folded again.
                _ => process = Process::start(&world, small_batches(), clock.clone()).await,
            }
        }
        while process.aggregator.fold_step().await.expect("a step") != Step::Idle {}
        let held = (process.dump().await, process.status().await);
        settle(&process.aggregator).await;
        assert_eq!(pending(&world).await, 0);
        let written = (process.dump().await, process.status().await);
        assert_eq!(held, written, "seed {seed}: as if it were written");
        assert_eq!(written.1, expected(&stored).2, "seed {seed}");
        // Without a layer, in another order.
        let other = World::new();
        add(&other, &chunks).await;
        let without = Process::start(&other, AggregatorSettings::default(), clock).await;
        let shadow = Arc::new(SqliteAggregates::open(&other.folder.path().join("shadow")).expect("opens"));
        without
            .aggregator
            .rebuild(shadow, 2, &|_| {})
            .await
            .expect("a rebuild");
        let shadow = SqliteAggregates::open(&other.folder.path().join("shadow"));
        let shadow = LayeredAggregates::over(Arc::new(shadow.expect("opens")), [1; 16], world.clock.clone());
        let rebuilt = Process {
            aggregates: shadow.await.expect("the file answers"),
            aggregator: without.aggregator,
        };
        assert_eq!(rebuilt.dump().await, written.0, "seed {seed}: byte by byte");
    }
}

#[tokio::test]
async fn chunks_that_are_held_stay_pending_until_they_are_written() {
    let world = World::new();
    let stored = throw(&mut Dice(4), 40);
    let chunks = by_chunk(&mut Dice(4), &stored);
    add(&world, &chunks).await;
    let process = Process::start(&world, AggregatorSettings::default(), world.clock.clone()).await;
    let folded = process.aggregator.step().await.expect("a step");
    assert!(matches!(folded, Step::Folded { chunks: n, .. } if n == chunks.len()));
    assert_eq!(process.status().await, expected(&stored).2, "visible at once");
    assert_eq!(pending(&world).await, chunks.len() as u64);
    assert_eq!(
        process.aggregator.fold_step().await.expect("a step"),
        Step::Idle,
        "nothing is folded twice"
    );
    assert_eq!(process.aggregator.step().await.expect("a step"), Step::Persisted);
    assert_eq!(pending(&world).await, 0);
    assert_eq!(process.aggregator.step().await.expect("a step"), Step::Idle);
}

#[tokio::test]
async fn folding_stops_when_what_cannot_be_written_fills_its_memory() {
    let world = World::new();
    let stored = throw(&mut Dice(5), 200);
    let chunks = by_chunk(&mut Dice(5), &stored);
    assert!(chunks.len() > 3);
    add(&world, &chunks).await;
    let settings = AggregatorSettings {
        // One chunk a batch, of which the second fills the memory.
        layer_memory_bytes: 20 << 10,
        ..small_batches()
    };
    let process = Process::start(&world, settings, world.clock.clone()).await;
    let file = world.folder.path().join("aggregates.sqlite");
    let disk = Connection::open(file).expect("the file opens");
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON folded BEGIN SELECT RAISE(ABORT, 'no'); END";
    disk.execute_batch(refuse).expect("a trigger");
    let mut refused = 0;
    for _ in 0..20 {
        refused += u32::from(process.aggregator.step().await.is_err());
    }
    assert!(refused > 10, "{refused}");
    let held = process.aggregates.held();
    assert!((1..=2).contains(&held.chunks), "{held:?}");
    disk.execute_batch("DROP TRIGGER refuse").expect("it is dropped");
    settle(&process.aggregator).await;
    assert_eq!(process.status().await, expected(&stored).2);
    assert_eq!((pending(&world).await, process.aggregates.held().chunks), (0, 0));
}

#[tokio::test]
async fn what_another_writer_folded_first_is_dropped_and_the_rest_folded_again() {
    let world = World::new();
    let stored = throw(&mut Dice(6), 60);
    let chunks = by_chunk(&mut Dice(6), &stored);
    add(&world, &chunks).await;
    let process = Process::start(&world, small_batches(), world.clock.clone()).await;
    while process.aggregator.fold_step().await.expect("a step") != Step::Idle {}
    // Another one over the same index folds one of them, and writes it.
    let other = Process::of_writer([2; 16], &world, small_batches(), world.clock.clone()).await;
    let folded = other.aggregator.fold_step().await.expect("a step");
    assert!(matches!(folded, Step::Folded { .. }));
    let persisted = other.aggregates.persist().await.expect("written");
    assert!(matches!(persisted, Persisted::Written(_)));
    drop(other);
    settle(&process.aggregator).await;
    assert_eq!(process.status().await, expected(&stored).2);
    assert_eq!(pending(&world).await, 0);
}

async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    for _ in 0..6_000 {
        if holds().await {
            return;
        }
        task::sleep(Duration::from_millis(10)).await;
    }
    panic!("it was waited for a minute: {what}");
}

#[tokio::test]
async fn the_loop_writes_what_it_folded_when_nothing_is_left_and_the_rest_at_its_end() {
    let world = World::new();
    let stored = throw(&mut Dice(2), 60);
    let chunks = by_chunk(&mut Dice(2), &stored);
    let (first, second) = chunks.split_at(chunks.len() / 2);
    let start = async |idle| {
        let settings = AggregatorSettings {
            persist_idle: idle,
            persist_age: Duration::from_secs(3_600),
            ..AggregatorSettings::default()
        };
        let process = Process::start(&world, settings, SystemClock::shared()).await;
        let (trigger, shutdown) = Shutdown::new();
        let aggregator = process.aggregator.clone();
        let running = task::spawn("aggregator", async move { aggregator.run(shutdown).await });
        (process, trigger, running)
    };
    let (process, trigger, running) = start(Duration::from_millis(20)).await;
    add(&world, first).await;
    process.aggregator.waker().notify_one();
    until("the first half to be written", async || {
        pending(&world).await == 0
    })
    .await;
    assert_eq!(process.aggregates.held().chunks, 0);
    trigger.pull();
    running.await.expect("it ends");
    drop(process);
    let (process, trigger, running) = start(Duration::from_secs(3_600)).await;
    for (plan, records) in second.iter().enumerate() {
        let plan = (first.len() + plan) as u64;
        world.add_chunk(plan, ChunkKind::Pings, records).await;
    }
    process.aggregator.waker().notify_one();
    let all = expected(&stored).2;
    until("the second half to be visible", async || {
        process.status().await == all
    })
    .await;
    assert_eq!(pending(&world).await, second.len() as u64, "in memory only");
    trigger.pull();
    running.await.expect("it ends");
    assert_eq!(pending(&world).await, 0);
    assert_eq!(
        process.aggregates.base().status().await.expect("the counters"),
        all
    );
}

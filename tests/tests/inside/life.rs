//! One process after the other: starts, takes pings, seals, indexes, folds, ends; or dies on the way.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aggregate_store::{AggregateReads, AggregateStore, LayeredAggregates, SqliteAggregates};
use aggregator::{Aggregator, AggregatorSettings, Step};
use disk::SimulatedDisk;
use edge::{Edge, EdgeLimits, EdgeOptions, Parts};
use index_schema::{RetainIndex, SqliteIndex};
use lambda_indexer::Indexer;
use ping::{DimensionSchema, Incarnation};
use retention::{Consent, Retained};
use service::clock::{Clock, HandClock};
use service::current::Current;
use service::task;
use simulation::Retaining;
use tests::{CrashingAggregates, CrashingIndex, CrashingRetained};
use tokio::sync::mpsc;

use crate::client::Client;
use crate::world::World;

const OWN: Incarnation = Incarnation::from_bytes([0xab; 16]);

/// A chunk of three pings or so is larger, one of a single ping is not: so both ways are gone.
const CHUNK_MEMORY_BYTES: u64 = 1 << 10;

/// How often something that an unreliable store spoils is tried.
const TRIES: usize = 2_000;

/// No chunk that the store did not give rests longer.
const RESTS_END_WITHIN: Duration = Duration::from_secs(60);

/// The parts of a pipeline, running.
pub(crate) struct Process {
    disk: SimulatedDisk,
    pub(crate) edge: Arc<Edge>,
    announced: mpsc::Receiver<String>,
    indexer: Indexer,
    aggregator: Arc<Aggregator>,
    pub(crate) index: Arc<dyn RetainIndex>,
    pub(crate) aggregates: Arc<LayeredAggregates>,
    /// Where the store lies, or does not give chunks: these rest until later.
    resting_by: Option<Arc<HandClock>>,
    retaining: Option<Retaining>,
    clock: Arc<HandClock>,
}

impl Process {
    /// Starts as `highwater serve` does.
    pub(crate) async fn start(world: &World) -> Result<Self, String> {
        let store = world.store();
        let (announce, announced) = mpsc::channel(1_000);
        let parts = Parts {
            disk: world.disk.shared(),
            store: Arc::clone(&store),
            clock: world.clock.clone(),
            random: world.random(),
            schema: DimensionSchema::default(),
            incarnation: OWN,
            privacy: edge::Privacy::none(),
            announce,
        };
        let edge = Edge::open(options(), parts)
            .await
            .map_err(|error| error.to_string())?;
        let index = SqliteIndex::open(&world.database("index.sqlite")).map_err(|error| error.to_string())?;
        world.keep(index.clone());
        let index: Arc<dyn RetainIndex> = CrashingIndex::new(index, Arc::clone(&world.database_calls));
        let path = world.database("aggregates.sqlite");
        if !path.exists() {
            index
                .make_pending(None)
                .await
                .map_err(|error| error.to_string())?;
        }
        let aggregates = SqliteAggregates::open(&path);
        let aggregates = Arc::new(aggregates.map_err(|error| error.to_string())?);
        world.keep(aggregates.clone());
        let aggregates = LayeredAggregates::over(aggregates, *OWN.as_bytes(), world.clock.clone()).await;
        let aggregates = aggregates.map_err(|error| error.to_string())?;
        let behind: Arc<dyn AggregateStore> =
            CrashingAggregates::new(aggregates.clone(), Arc::clone(&world.database_calls));
        let mut settings = AggregatorSettings {
            copy_pauses: [Duration::ZERO; 2],
            ..AggregatorSettings::default()
        };
        if world.lies.is_some() {
            // One chunk a batch: a read that fails spoils a batch, and here every second fails.
            settings.batch_memory_bytes = 0;
        }
        let aggregator = Aggregator::new(
            index.clone(),
            Arc::clone(&store),
            Arc::new(Current::new(behind)),
            world.clock.clone(),
            settings,
        );
        let retaining = world.days.as_ref().map(|days| {
            let retained = CrashingRetained::new(aggregates.clone(), Arc::clone(&world.database_calls));
            let (store, aggregator) = (Arc::clone(&store), Arc::clone(&aggregator));
            Retaining::new(
                store,
                Arc::clone(&index),
                retained,
                aggregator,
                (days.keep, Consent::Bounded),
            )
        });
        if retaining.is_some() {
            // Nobody is answered before that is known.
            let floors = index.floors().await.map_err(|error| error.to_string())?;
            edge.set_floor(floors.objects());
        }
        Ok(Self {
            disk: world.disk.clone(),
            edge,
            announced,
            indexer: Indexer::new(store, index.clone()),
            aggregator,
            index,
            aggregates,
            resting_by: (world.lies.is_some() || world.replays).then(|| world.clock.clone()),
            retaining,
            clock: world.clock.clone(),
        })
    }

    /// Seals what waits, indexes what was announced, folds. `None` when the process died.
    pub(crate) async fn work(&mut self) -> Option<()> {
        let keys = self.sealed().await?;
        self.take(&keys).await
    }

    /// Seals what waits. Answers what was announced. `None` when the process died.
    pub(crate) async fn sealed(&mut self) -> Option<Vec<String>> {
        self.seal().await?;
        let mut keys = Vec::new();
        while let Ok(key) = self.announced.try_recv() {
            keys.push(key);
        }
        Some(keys)
    }

    /// Indexes these chunks, and folds. `None` when the process died.
    pub(crate) async fn take(&self, keys: &[String]) -> Option<()> {
        self.again("index", async || self.indexer.object_created(keys).await)
            .await?;
        self.fold().await
    }

    /// Deletes what is not to be kept. Answers whether all of it went, and of what something waits for a person. `None` when the
    /// process died.
    pub(crate) async fn retain(&self) -> Option<(bool, Retained)> {
        let retaining = self.retaining.as_ref().expect("not all is kept");
        let run = retaining.run(self.clock.now_micros()).await;
        let floors = self.again("ask", async || self.index.floors().await).await?;
        self.edge.set_floor(floors.objects());
        match run {
            _ if self.disk.is_off() => None,
            Ok(retained) => Some((true, retained)),
            Err(_) => Some((false, Retained::default())),
        }
    }

    /// Folds what was errored for a chunk that the store did not give. `None` when the process died.
    pub(crate) async fn replay(&self) -> Option<()> {
        for _ in 0..TRIES {
            if self.nothing_was_displaced_unread().await? {
                return Some(());
            }
            self.clock.advance(RESTS_END_WITHIN);
        }
        panic!("copies are unread still");
    }

    /// Pings that are errored for a copy that could not be read. `None` when the process died.
    pub(crate) async fn displaced_unread(&self) -> Option<u64> {
        let status = self.again("ask", async || self.aggregates.status().await).await?;
        Some(
            status
                .errored_by_reason
                .get("displaced_unreadable")
                .map_or(0, |pings| pings.unsigned_abs()),
        )
    }

    /// Compares store and index, and folds. `None` when the process died.
    pub(crate) async fn reconcile(&self) -> Option<()> {
        let unanswered = async || match self.indexer.reconcile("pings").await {
            Ok(found) if found.unanswered > 0 => Err(format!("{} not answered", found.unanswered)),
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        };
        self.again("reconcile", unanswered).await?;
        self.fold().await
    }

    /// Seals everything that waits. `None` when the process died.
    pub(crate) async fn seal(&self) -> Option<()> {
        tokio::select! {
            biased;
            () = self.edge.wait_until_sealed() => Some(()),
            () = death(&self.disk) => None,
        }
    }

    /// Ends in order; what waits stays in the log.
    pub(crate) async fn end(self) {
        self.edge.shutdown(false).await;
    }

    async fn fold(&self) -> Option<()> {
        for _ in 0..TRIES {
            while self.again("fold", async || self.aggregator.step().await).await? != Step::Idle {}
            let Some(clock) = &self.resting_by else {
                return Some(());
            };
            if self
                .again("ask", async || self.index.pending(1).await)
                .await?
                .is_empty()
                && self.nothing_was_displaced_unread().await?
            {
                return Some(());
            }
            clock.advance(RESTS_END_WITHIN);
        }
        panic!("chunks are pending still");
    }

    /// Whether no ping is errored for a copy that could not be read; those that are, are read again, as a person would have it
    /// done when the store is well.
    async fn nothing_was_displaced_unread(&self) -> Option<bool> {
        if self.displaced_unread().await? == 0 {
            return Some(true);
        }
        self.again("replay", async || self.aggregator.replay_errors(&|_| {}).await)
            .await?;
        Some(false)
    }

    /// Tries until it works or the process died.
    async fn again<T, E: std::fmt::Display>(
        &self,
        what: &str,
        work: impl AsyncFn() -> Result<T, E>,
    ) -> Option<T> {
        let mut last = String::new();
        for _ in 0..TRIES {
            match work().await {
                _ if self.disk.is_off() => return None,
                Ok(done) => return Some(done),
                Err(error) => last = error.to_string(),
            }
        }
        panic!("{what}: {last}");
    }
}

/// Lives through two processes. The first folds twice and ends with pings that wait; the second goes on. `None` when a
/// process died; then the client knows what was answered.
pub(crate) async fn live(world: &World, client: &mut Client) -> Option<()> {
    let third = client.sent.len() / 3;
    let mut process = alive(world, Process::start(world).await)?;
    for pings in [0..third, third..2 * third] {
        sent(client.send(&process.edge, &world.clock, pings).await)?;
        process.work().await?;
    }
    sent(
        client
            .send(&process.edge, &world.clock, 0..2 * third + third / 2)
            .await,
    )?;
    process.end().await;
    let mut process = alive(world, Process::start(world).await)?;
    process.reconcile().await?;
    let all = 0..client.sent.len();
    sent(client.send(&process.edge, &world.clock, all).await)?;
    process.work().await?;
    process.end().await;
    (!world.disk.is_off()).then_some(())
}

/// Lives on after a death: sends what is left, seals, indexes and folds everything. `None` when the process died again.
pub(crate) async fn live_on(world: &World, client: &mut Client) -> Option<()> {
    let process = alive(world, Process::start(world).await)?;
    process.reconcile().await?;
    let all = 0..client.sent.len();
    sent(client.send(&process.edge, &world.clock, all).await)?;
    process.seal().await?;
    process.reconcile().await?;
    process.end().await;
    (!world.disk.is_off()).then_some(())
}

/// Starts and sends until everything is taken, whatever fails in between; seals, indexes and folds all of it, a third at a time.
pub(crate) async fn live_on_through(world: &World, client: &mut Client) {
    let process = through("a start", async || Process::start(world).await).await;
    let third = client.sent.len() / 3;
    for pings in [0..third, third..2 * third, 0..client.sent.len()] {
        let mut tries = 0;
        while !client.send(&process.edge, &world.clock, pings.clone()).await {
            tries += 1;
            assert!(tries < TRIES, "not taken: {:?}", process.edge.status());
            // The log's writer makes room in a thread of its own.
            task::sleep(Duration::from_millis(1)).await;
        }
        process.seal().await.expect("nobody dies");
        process.reconcile().await.expect("nobody dies");
    }
    process.end().await;
}

/// Does something until it works.
async fn through<T>(what: &str, work: impl AsyncFn() -> Result<T, String>) -> T {
    let mut last = String::new();
    for _ in 0..TRIES {
        match work().await {
            Ok(done) => return done,
            Err(error) => last = error,
        }
    }
    panic!("{what}: {last}");
}

pub(crate) fn sent(all: bool) -> Option<()> {
    all.then_some(())
}

pub(crate) fn alive(world: &World, started: Result<Process, String>) -> Option<Process> {
    match started {
        Ok(process) => Some(process),
        Err(_) if world.disk.is_off() => None,
        Err(error) => panic!("does not start: {error}"),
    }
}

/// Returns when the process is dead.
async fn death(disk: &SimulatedDisk) {
    while !disk.is_off() {
        task::sleep(Duration::from_millis(1)).await;
    }
}

fn options() -> EdgeOptions {
    EdgeOptions {
        claims: None,
        log_dir: PathBuf::from("/log"),
        staging_dir: PathBuf::from("/staging"),
        damaged_dir: PathBuf::from("/damaged"),
        prefix: "pings".to_owned(),
        limits: EdgeLimits {
            log_bytes: 4 << 20,
            segment_bytes: 8 << 10,
            seal_age: Duration::from_secs(1_000_000),
            // One at a time: the order of calls is then the same in each run.
            seals: 1,
            gathers: 1,
            retry: Duration::from_millis(1),
            chunk_memory_bytes: CHUNK_MEMORY_BYTES,
            ..EdgeLimits::default()
        },
    }
}

/// Runs a future on a runtime of its own, all of whose tasks end with it.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let result = runtime.block_on(future);
    runtime.shutdown_background();
    result
}

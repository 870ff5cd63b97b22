//! The parts of a pipeline, put together as `highwater serve` does, in one simulated process.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aggregate_store::{AggregateReads, AggregateStore, SqliteAggregates};
use aggregator::{Aggregator, AggregatorSettings};
use disk::Disk;
use edge::{Edge, EdgeOptions, Parts};
use index_schema::{RetainIndex, SqliteIndex};
use lambda_indexer::{Indexer, feed};
use ping::{DimensionSchema, Incarnation};
use service::clock::Clock;
use service::current::Current;
use service::random::SeededRandom;
use service::shutdown::{Shutdown, Trigger};
use service::task;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::Retaining;
use crate::announcements;
use crate::doors::{CrashingAggregates, CrashingIndex, CrashingRetained, CrashingStore};
use crate::gate::Weather;
use crate::life::Life;
use crate::plan::{End, WorldPlan};
use crate::world::World;

const OWN: Incarnation = Incarnation::from_bytes([0xab; 16]);

/// What all keys begin with.
pub(crate) const PREFIX: &str = "pings";

/// The parts of a pipeline, running.
pub(crate) struct Process {
    pub(crate) life: Life,
    pub(crate) edge: Arc<Edge>,
    pub(crate) indexer: Arc<Indexer>,
    pub(crate) aggregator: Arc<Aggregator>,
    pub(crate) index: Arc<dyn RetainIndex>,
    pub(crate) reads: Arc<Current<dyn AggregateReads>>,
    /// The aggregates in use.
    pub(crate) aggregates: Arc<Current<dyn AggregateStore>>,
    retaining: Option<Retaining>,
    /// No rebuild while something is deleted.
    alone: tokio::sync::Mutex<()>,
    databases: Arc<Weather>,
    shutdown: Shutdown,
    trigger: Trigger,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Process {
    /// Starts.
    pub(crate) async fn start(world: &World, life: &Life) -> Result<Arc<Self>, String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let disk: Arc<dyn Disk> = life.disk.shared();
        empty_staging(disk.as_ref()).map_err(|error| said(&error))?;
        let (objects, databases) = gates(life);
        let store = CrashingStore::new(world.store(life), objects);
        let (announce, announced) = mpsc::channel(world.plan.announcements);
        let privacy = world
            .plan
            .promise
            .begin(Arc::clone(&disk), life.dice("what is declared"))?;
        let parts = Parts {
            disk,
            store: store.clone(),
            clock: life.clock.clone(),
            random: SeededRandom::new(life.dice("salts").any()),
            schema: DimensionSchema::default(),
            incarnation: OWN,
            privacy,
            announce,
        };
        let edge = Edge::open(options(world), parts)
            .await
            .map_err(|error| said(&error))?;
        let index = SqliteIndex::open(&world.index()).map_err(|error| said(&error))?;
        let index: Arc<dyn RetainIndex> = CrashingIndex::new(index, Arc::clone(&databases));
        let path = world.aggregates(index.generation().await.map_err(|error| said(&error))?);
        if !path.exists() {
            index.make_pending(None).await.map_err(|error| said(&error))?;
        }
        let aggregates = Arc::new(SqliteAggregates::open(&path).map_err(|error| said(&error))?);
        let reads: Arc<Current<dyn AggregateReads>> = Arc::new(Current::new(aggregates.clone()));
        let folded: Arc<dyn AggregateStore> =
            CrashingAggregates::new(aggregates.clone(), Arc::clone(&databases));
        let settings = AggregatorSettings {
            poll: world.plan.poll,
            batch_memory_bytes: world.plan.batch_bytes,
            ..AggregatorSettings::default()
        };
        let aggregator = Aggregator::new(
            index.clone(),
            store.clone(),
            Arc::new(Current::new(folded)),
            life.clock.clone(),
            settings,
        );
        let WorldPlan { keep, consent, .. } = world.plan;
        let retaining = keep.map(|days| {
            let retained = CrashingRetained::new(aggregates.clone(), Arc::clone(&databases));
            let (store, index) = (store.clone(), index.clone());
            Retaining::new(store, index, retained, Arc::clone(&aggregator), (days, consent))
        });
        if retaining.is_some() {
            // Nobody is answered before that is known.
            edge.set_floor(index.floors().await.map_err(|error| said(&error))?.objects());
        }
        let aggregates: Arc<Current<dyn AggregateStore>> = Arc::new(Current::new(aggregates));
        let (trigger, shutdown) = Shutdown::new();
        let process = Arc::new(Self {
            life: life.clone(),
            edge,
            indexer: Arc::new(Indexer::new(store, index.clone())),
            aggregator,
            index,
            reads,
            aggregates,
            retaining,
            alone: tokio::sync::Mutex::default(),
            databases,
            shutdown,
            trigger,
            tasks: Mutex::default(),
        });
        process.follow(announced, world.plan.announcements);
        Ok(process)
    }

    /// Indexes what is announced, and folds what is indexed.
    fn follow(self: &Arc<Self>, announced: mpsc::Receiver<String>, waiting: usize) {
        let (send, heard) = mpsc::channel(waiting);
        task::spawn(
            "announcements",
            announcements::pass_on(announced, send, self.life.clone()),
        );
        let waker = self.aggregator.waker();
        let fed = feed(
            self.indexer.clone(),
            heard,
            move |_| waker.notify_one(),
            self.shutdown.clone(),
        );
        self.watch("indexer", fed);
        let process = self.clone();
        self.watch("aggregator", async move {
            process.aggregator.run(process.shutdown.clone()).await;
            if !process.shutdown.is_wished() {
                process.life.is_wrong("the aggregator ended by itself");
            }
        });
        let process = self.clone();
        self.watch("edge", async move {
            tokio::select! {
                biased;
                () = process.shutdown.wished() => {}
                ended = process.edge.failed() => process.life.is_wrong(&format!("the edge failed: {ended}")),
            }
        });
    }

    /// Compares store and index, again and again, and has the log try again what failed.
    pub(crate) fn look_after(self: &Arc<Self>) {
        let process = self.clone();
        let mut dice = self.life.dice("looks");
        self.watch("look", async move {
            loop {
                let reconciled = process.indexer.reconcile(PREFIX).await;
                process
                    .life
                    .note(format_args!("reconciled: {:?}", reconciled.is_ok()));
                process.aggregator.waker().notify_one();
                process.edge.probe();
                let wait = dice.time(Duration::from_millis(100), Duration::from_secs(120));
                tokio::select! {
                    biased;
                    () = process.shutdown.wished() => return,
                    () = task::sleep(wait) => {}
                }
            }
        });
    }

    /// Deletes what is not to be kept, again and again, if not all is.
    pub(crate) fn retain_now_and_then(self: &Arc<Self>) {
        if self.retaining.is_none() {
            return;
        }
        let process = self.clone();
        let mut dice = self.life.dice("retention");
        self.watch("retention", async move {
            loop {
                if let Err(error) = process.retain().await {
                    process.life.note(format_args!("{error}"));
                    process.life.befalls("runs of retention that failed");
                }
                let wait = dice.time(Duration::from_secs(1), Duration::from_secs(3_600));
                tokio::select! {
                    biased;
                    () = process.shutdown.wished() => return,
                    () = task::sleep(wait) => {}
                }
            }
        });
    }

    /// Deletes what is not to be kept. Answers how many objects went.
    pub(crate) async fn retain(&self) -> Result<u64, String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let Some(retaining) = &self.retaining else {
            return Ok(0);
        };
        let _no_rebuild = self.alone.lock().await;
        // The latest day that retention may have seen.
        self.life.right_day();
        let run = retaining.run(self.life.clock.now_micros()).await;
        let floors = self.index.floors().await.map_err(|error| said(&error))?;
        self.edge.set_floor(floors.objects());
        let retained = run.map_err(|error| said(&error))?;
        for _ in 0..retained.gone.objects {
            self.life.befalls("objects deleted");
        }
        if !retained.held.is_empty() {
            self.life.befalls("deletions that wait for a person");
        }
        Ok(retained.gone.objects)
    }

    /// Folds everything anew, and puts that into use.
    pub(crate) async fn rebuild(&self, world: &World) -> Result<(), String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let _nothing_is_deleted = self.alone.lock().await;
        self.indexer
            .reconcile(PREFIX)
            .await
            .map_err(|error| said(&error))?;
        let next = self.index.generation().await.map_err(|error| said(&error))? + 1;
        let path = world.aggregates(next);
        remove(&path);
        let shadow = Arc::new(SqliteAggregates::open(&path).map_err(|error| said(&error))?);
        let folded = CrashingAggregates::new(shadow.clone(), Arc::clone(&self.databases));
        let rebuilt = self.aggregator.rebuild(folded, next, &|_| {}).await;
        rebuilt.map_err(|error| said(&error))?;
        if let Some(retaining) = &self.retaining {
            let retained = CrashingRetained::new(shadow.clone(), Arc::clone(&self.databases));
            retaining.aggregates.exchange(retained);
        }
        self.aggregates.exchange(shadow.clone());
        self.reads.exchange(shadow);
        remove(&world.aggregates(next - 1));
        Ok(())
    }

    /// Ends in order; what waits stays in the log.
    pub(crate) async fn end(&self) {
        self.trigger.pull();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            if let Err(error) = task.await {
                self.life.is_wrong(&format!("a task ended badly: {error}"));
            }
        }
        self.edge.shutdown(false).await;
    }

    fn watch(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let worker = task::spawn(name, work);
        let life = self.life.clone();
        let guard = task::spawn(name, async move {
            if let Err(error) = worker.await {
                life.is_wrong(&format!("{name}: {error}"));
            }
        });
        self.tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(guard);
    }
}

fn gates(life: &Life) -> (Arc<Weather>, Arc<Weather>) {
    let (store, database) = match life.plan.end {
        End::StoreCall(call, moment) => (Some((call, moment)), None),
        End::DatabaseCall(call, moment) => (None, Some((call, moment))),
        End::InOrder | End::Instant | End::Operation(..) => (None, None),
    };
    (
        Arc::new(Weather::new(life, true, store, life.dice("store"))),
        Arc::new(Weather::new(life, false, database, life.dice("databases"))),
    )
}

fn empty_staging(disk: &dyn Disk) -> std::io::Result<()> {
    for (path, is_folder) in disk.read_dir(Path::new("/staging"))? {
        if !is_folder {
            disk.remove_file(&path)?;
        }
    }
    Ok(())
}

/// Removes a database that nobody will open again. Who has it open keeps it.
fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        // Most often there is none.
        let _ = std::fs::remove_file(PathBuf::from(name));
    }
}

fn options(world: &World) -> EdgeOptions {
    EdgeOptions {
        claims: None,
        log_dir: PathBuf::from("/log"),
        staging_dir: PathBuf::from("/staging"),
        damaged_dir: PathBuf::from("/damaged"),
        prefix: PREFIX.to_owned(),
        limits: world.plan.limits,
    }
}

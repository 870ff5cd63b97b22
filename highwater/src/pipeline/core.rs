//! The pipeline without listeners: log, store, index, aggregates, and the tasks between them.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aggregate_store::{AggregateReads, AggregateStore, SqliteAggregates};
use aggregator::Aggregator;
use anyhow::Context;
use edge::Edge;
use index_schema::{Index, SqliteIndex};
use lambda_indexer::{Indexer, Reconciled, feed};
use ping::Incarnation;
use query::{Current, StatusReport, StatusSource};
use service::clock::Clock;
use service::directory::{DataDirectory, DirectoryLock};
use service::random::SystemRandom;
use service::shutdown::{Shutdown, Trigger};
use service::task;
use store::{Blocking, DirectoryStore, ObservedStore, Store};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::status::Counters;
use crate::cli::Data;
use crate::local::generation_path;

/// Keys of new chunks that may wait for the indexer; when it lags, sealing waits.
const ANNOUNCED_WAITING: usize = 1_024;

/// The parts of a pipeline, running.
pub struct Core {
    pub(super) edge: Arc<Edge>,
    pub(super) index: Arc<SqliteIndex>,
    pub(super) indexer: Arc<Indexer>,
    pub(super) aggregator: Arc<Aggregator>,
    pub(super) reads: Arc<Current<dyn AggregateReads>>,
    pub(super) counters: Arc<Counters>,
    pub(super) directory: DataDirectory,
    prefix: String,
    trigger: Trigger,
    shutdown: Shutdown,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    failure: watch::Sender<Option<String>>,
    seal_at_shutdown: bool,
    _lock: DirectoryLock,
}

impl Core {
    /// Takes the data directory and starts everything that works on it.
    pub async fn start(data: &Data, clock: Arc<dyn Clock>, reconcile_every: Duration) -> anyhow::Result<Arc<Self>> {
        let disk = disk::RealDisk::shared();
        let random = SystemRandom::shared();
        let (directory, lock) = DataDirectory::take(disk.as_ref(), &data.data_dir, random.as_ref())?;
        directory.empty_staging(disk.as_ref())?;
        let kept = DirectoryStore::new(disk.clone(), directory.store(), directory.staging(), Blocking::Pool);
        let store: Arc<dyn Store> = Arc::new(ObservedStore::new(kept));
        let index = SqliteIndex::open(&directory.index())?;
        let (announce, announced) = mpsc::channel(ANNOUNCED_WAITING);
        let parts = edge::Parts {
            disk,
            store: store.clone(),
            clock: clock.clone(),
            random,
            schema: dimension_schema(data.intake.dimension_schema.as_deref())?,
            incarnation: Incarnation::from_bytes(directory.incarnation()),
            announce,
        };
        let edge = Edge::open(data.edge_options(&directory), parts).await?;
        let aggregates = open_aggregates(&directory, index.as_ref()).await?;
        let reads: Arc<Current<dyn AggregateReads>> = Arc::new(Current::new(aggregates.clone()));
        let aggregator = Aggregator::open(aggregator::Parts {
            store: store.clone(),
            index: index.clone(),
            aggregates,
            settings: data.fold_settings()?,
            clock,
        })
        .await?;
        let counters = Counters { edge: edge.clone(), index: index.clone(), aggregates: reads.clone() };
        let (trigger, shutdown) = Shutdown::new();
        let core = Arc::new(Self {
            indexer: Arc::new(Indexer::new(store, index.clone())),
            counters: Arc::new(counters),
            tasks: Mutex::default(),
            failure: watch::Sender::default(),
            prefix: data.chunk_prefix.clone(),
            seal_at_shutdown: data.intake.seal_at_shutdown,
            edge,
            index,
            aggregator: Arc::new(aggregator),
            reads,
            directory,
            trigger,
            shutdown,
            _lock: lock,
        });
        core.run(announced, reconcile_every);
        Ok(core)
    }

    /// The counters of all stations.
    pub async fn status(&self) -> anyhow::Result<StatusReport> {
        Ok(self.counters.status().await?)
    }

    /// Lists the store and indexes what is missing.
    pub async fn reconcile(&self) -> anyhow::Result<Reconciled> {
        let found = self.indexer.reconcile(&self.prefix).await?;
        self.aggregator.notify();
        Ok(found)
    }

    /// Seals what waits, and returns when everything is folded that can be.
    pub async fn settle(&self) -> anyhow::Result<()> {
        self.edge.seal_all().await?;
        loop {
            let (status, index) = (self.status().await?, self.index.totals().await?);
            if status.is_settled() || (status.waiting == 0 && status.chunked <= status.indexed && index.pending_chunks == 0) {
                return Ok(());
            }
            task::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Returns when a part failed for good: the process should end.
    pub async fn failed(&self) -> anyhow::Error {
        let mut failure = self.failure.subscribe();
        match failure.wait_for(Option::is_some).await {
            Ok(text) => anyhow::anyhow!("{}", text.as_deref().unwrap_or_default()),
            Err(_) => std::future::pending().await,
        }
    }

    /// Ends: the aggregator finishes or abandons its batch, the log is synced. What waits stays in the log.
    pub async fn stop(&self) -> anyhow::Result<()> {
        if self.seal_at_shutdown {
            self.edge.seal_all().await?;
        }
        self.trigger.pull();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // A panic was reported as a failure already.
            let _ = task.await;
        }
        self.edge.shutdown().await;
        Ok(())
    }

    fn run(self: &Arc<Self>, announced: mpsc::Receiver<String>, reconcile_every: Duration) {
        let core = self.clone();
        self.watch("indexer", async move {
            let aggregator = core.aggregator.clone();
            feed(core.indexer.clone(), announced, move |_| aggregator.notify(), core.shutdown.clone()).await;
            Ok(())
        });
        let core = self.clone();
        self.watch("reconcile", async move { core.reconcile_again_and_again(reconcile_every).await });
        let core = self.clone();
        self.watch("aggregator", async move { Ok(core.aggregator.run(core.shutdown.clone()).await?) });
        let core = self.clone();
        self.watch("edge", async move {
            tokio::select! {
                failure = core.edge.failed() => Err(failure.into()),
                () = core.shutdown.wished() => Ok(()),
            }
        });
    }

    async fn reconcile_again_and_again(&self, every: Duration) -> anyhow::Result<()> {
        loop {
            match self.reconcile().await {
                Ok(found) if found.missing > 0 => {
                    tracing::warn!(listed = found.listed, added = found.outcome.added, "chunks that the index lacked were added");
                }
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "the store could not be compared with the index; it will be tried again"),
            }
            tokio::select! {
                () = self.shutdown.wished() => return Ok(()),
                () = task::sleep(every) => {}
            }
        }
    }

    /// Runs a task whose failure, or panic, ends the process.
    fn watch(&self, name: &'static str, work: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        let failure = self.failure.clone();
        let worker = task::spawn(name, work);
        let guard = task::spawn(name, async move {
            let text = match worker.await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => format!("the {name} failed: {error:#}"),
                Err(error) => format!("the {name} failed: {error}"),
            };
            tracing::error!("{text}");
            failure.send_replace(Some(text));
        });
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(guard);
    }
}

/// The current generation of aggregates, made if there is none.
async fn open_aggregates(directory: &DataDirectory, index: &dyn Index) -> anyhow::Result<Arc<SqliteAggregates>> {
    let generation = index.generation().await?;
    let path = generation_path(directory, generation);
    let is_new = !path.exists();
    let aggregates = SqliteAggregates::open(&path)?;
    if is_new {
        // The index may remember chunks as folded into aggregates that are gone.
        index.make_pending(None).await?;
    }
    Ok(aggregates)
}

fn dimension_schema(path: Option<&Path>) -> anyhow::Result<ping::DimensionSchema> {
    let Some(path) = path else { return Ok(ping::DimensionSchema::default()) };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    ping::DimensionSchema::parse(&text).with_context(|| path.display().to_string())
}

//! What every pipeline has: a data directory under its lock, the store, the edge, and tasks that end together.

use std::sync::{Arc, Mutex, PoisonError};

use aggregator::Generations;
use edge::Edge;
use ping::{DimensionSchema, Incarnation};
use service::clock::Clock;
use service::directory::DataDirectory;
use service::lock::DirectoryLock;
use service::random::SystemRandom;
use service::shutdown::{Shutdown, Trigger};
use service::task;
use store::{ObservedStore, Store};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::refused::Refused;
use super::store_watch::WatchedStore;
use super::watcher::{Stations, WatchedEdge, WatchedParts, Watcher};
use crate::data::{Data, Fold};
use crate::declarations::{self, Declarations, Taken};
use crate::places;
use crate::privacy::Promised;
use crate::secret_note::SecretInUse;

/// Keys of new chunks that may wait for the indexer; when it lags, sealing waits.
const ANNOUNCED_WAITING: usize = 1_024;

/// Log and store, running.
pub(crate) struct Base {
    pub(super) directory: DataDirectory,
    pub(super) store: Arc<dyn Store>,
    pub(super) watched: Arc<WatchedStore>,
    pub(super) edge: Arc<Edge>,
    pub(super) shutdown: Shutdown,
    trigger: Trigger,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    failure: watch::Sender<Option<String>>,
    seal_at_shutdown: bool,
    /// What clients are hashed with, if they are.
    pub(super) secret: Option<SecretInUse>,
    /// By which pings are kept in partitions, whatever is declared.
    schema: DimensionSchema,
    /// Why files are not what is declared, if that is so.
    pub(super) refused: Arc<Refused>,
    _lock: DirectoryLock,
}

impl Base {
    /// Takes the data directory, recovers the log, and starts to seal. Keys of new chunks come out of the receiver.
    pub(crate) async fn start(
        data: &Data,
        taken: &Taken,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<(Arc<Self>, mpsc::Receiver<String>)> {
        data.intake.compare()?;
        let (disk, random) = (disk::RealDisk::shared(), SystemRandom::shared());
        let (directory, lock) = DataDirectory::take(disk.as_ref(), &data.data_dir, random.as_ref())?;
        directory.empty_staging(disk.as_ref())?;
        let (declarations, schema) = (&taken.declarations, data.dimension_schema()?);
        let privacy = declarations.privacy();
        let promised = Promised::read(data, &privacy, &directory, disk.clone(), random.as_ref())?;
        let aggregates = Generations::new(&directory.aggregates());
        promised.compare_with_aggregates(&aggregates).await?;
        let kept = places::open_store(data, &directory, disk.clone()).await?;
        let watched = WatchedStore::new(Arc::new(ObservedStore::new(kept)), clock.clone());
        let store: Arc<dyn Store> = watched.clone();
        let shared = data.places.store.as_ref().map(|_| store.as_ref());
        if let Some(store) = shared {
            promised.compare_with_store(store).await?;
        }
        if let (Some(given), None) = (&taken.kept_by, &taken.refusal)
            && !(given.products.is_empty() && given.definitions.is_empty())
        {
            // Before they are in force: what is gone back to after a crash must not be older than what was promised.
            declarations::keep(disk.as_ref(), directory.root(), given, &declarations.texts)?;
        }
        let secret = promised.secret();
        let privacy = promised.begin(shared).await?;
        let (announce, announced) = mpsc::channel(ANNOUNCED_WAITING);
        let parts = edge::Parts {
            disk,
            store: store.clone(),
            clock,
            random,
            schema: declarations.telling_apart(schema.clone()),
            incarnation: Incarnation::from_bytes(directory.incarnation()),
            privacy,
            announce,
        };
        let edge = Edge::open(data.edge_options(&directory, &lock), parts).await?;
        // From its opening on the edge looks at the file's name by itself; it may have been another one by then.
        lock.check()?;
        let (trigger, shutdown) = Shutdown::new();
        let base = Arc::new(Self {
            directory,
            store,
            watched,
            edge,
            shutdown,
            trigger,
            tasks: Mutex::default(),
            failure: watch::Sender::default(),
            seal_at_shutdown: data.intake.seal_at_shutdown,
            secret,
            schema,
            refused: Arc::new(Refused::new(taken.refusal.clone())),
            _lock: lock,
        });
        let (edge, shutdown) = (base.edge.clone(), base.shutdown.clone());
        base.watch("edge", async move {
            tokio::select! {
                ended = edge.failed() => Err(anyhow::anyhow!("{ended}")),
                () = shutdown.wished() => Ok(()),
            }
        });
        Ok((base, announced))
    }

    /// The edge.
    pub(crate) const fn edge(&self) -> &Arc<Edge> {
        &self.edge
    }

    /// Has other declarations in force for what leaves the log for the store: their texts are kept first, so that what is gone back to
    /// after a crash is never older than what was promised; then what is taken out of pings, and which of them are told
    /// apart. Answers the secret that clients are hashed with by then, if they are.
    ///
    /// # Errors
    /// When they cannot be carried out, or not be kept. Then those of before are in force, or, where the texts are kept, these from the
    /// next start on.
    pub(super) async fn take_up(
        &self,
        data: &Data,
        (given, declarations): (&Fold, &Declarations),
    ) -> anyhow::Result<Option<SecretInUse>> {
        let (disk, random) = (disk::RealDisk::shared(), SystemRandom::shared());
        let privacy = declarations.privacy();
        let promised = Promised::read(data, &privacy, &self.directory, disk.clone(), random.as_ref())?;
        let aggregates = Generations::new(&self.directory.aggregates());
        promised.compare_with_aggregates(&aggregates).await?;
        let shared = data.places.store.as_ref().map(|_| self.store.as_ref());
        if let Some(store) = shared {
            promised.compare_with_store(store).await?;
        }
        declarations::keep(disk.as_ref(), self.directory.root(), given, &declarations.texts)?;
        let secret = promised.secret();
        let privacy = promised.begin(shared).await?;
        let schema = declarations.telling_apart(self.schema.clone());
        self.edge.take_up(privacy, schema).await;
        Ok(secret)
    }

    /// Who watches this, and the stations behind it, and has looked at it once.
    pub(crate) async fn watcher(
        &self,
        data: &Data,
        clock: Arc<dyn Clock>,
        stations: Option<Stations>,
    ) -> Arc<Watcher> {
        let edge = WatchedEdge {
            edge: self.edge.clone(),
            data_dir: self.directory.root().to_owned(),
            incarnation: Incarnation::from_bytes(self.directory.incarnation()),
            seal_age: data.intake.seal_age.0,
            open_partitions_max: data.intake.open_partitions,
        };
        Watcher::begin(WatchedParts {
            edge: Some(edge),
            store: Some(self.watched.clone()),
            clock,
            stations,
            refused: Some(self.refused.clone()),
        })
        .await
    }

    /// What ends when the process does.
    pub(crate) fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// Returns when a part failed for good: the process should end.
    pub(crate) async fn failed(&self) -> anyhow::Error {
        let mut failure = self.failure.subscribe();
        match failure.wait_for(Option::is_some).await {
            Ok(text) => anyhow::anyhow!("{}", text.as_deref().unwrap_or_default()),
            Err(_) => std::future::pending().await,
        }
    }

    /// Ends all tasks, then the edge: the log is synced, and what waits stays in it.
    pub(crate) async fn stop(&self) -> anyhow::Result<()> {
        if self.seal_at_shutdown {
            tokio::select! {
                () = self.edge.wait_until_sealed() => {}
                // Then nothing may be sealed any more: what waits stays in the log.
                _ = self.failed() => {}
            }
        }
        self.trigger.pull();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // A failure, or a panic, was told already.
            let _ = task.await;
        }
        self.edge.shutdown(false).await;
        Ok(())
    }

    /// Runs a task whose failure, or panic, ends the process.
    pub(super) fn watch(
        &self,
        name: &'static str,
        work: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
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
        self.tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(guard);
    }
}

//! The gatherers: a few threads gather at them, and whoever has one takes order after order while any waits. They give
//! way to threads that answer: their priority is low, and where one is enough, one works. Where processors are few or a
//! quota limits them, all gatherers at once would leave none for a while to whoever answers.
//!
//! What does not live here: what is done at a gatherer, and why.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use disk::Disk;
use ping::{ChunkId, Timestamp};
use tokio::sync::oneshot;

use crate::gather::{GatherError, Gathered, Gatherer, Order};
use crate::gatherer_queue::GathererQueue;
use crate::log::handle::Log;
use crate::log::position::Position;
use crate::partition_key::PartitionKey;
use crate::privacy::NumberedRules;
use crate::staging::{Extent, Staging};

/// What has waited so long for a gatherer calls for another one.
const PATIENCE: Duration = Duration::from_secs(1);

/// The gatherers.
pub(crate) struct Gatherers {
    log: Arc<Log>,
    disk: Arc<dyn Disk>,
    staging_dir: PathBuf,
    /// The number in the name of the next file: no name is used twice.
    next_file: AtomicU64,
    queue: Mutex<GathererQueue<Gatherer, (Job, Reply)>>,
}

/// What is to be gathered, and for whom.
pub(crate) struct Job {
    /// The identity of the chunk.
    pub(crate) id: ChunkId,
    /// Its kind and partition.
    pub(crate) key: PartitionKey,
    /// Its pings, as far as they fit.
    pub(crate) positions: Arc<Vec<Position>>,
    /// No more of these, from the first on.
    pub(crate) pings: usize,
    /// The time of sealing.
    pub(crate) sealed: Timestamp,
    /// How large the chunk may grow, and where.
    pub(crate) extent: Extent,
    /// The chunk ends at so many bytes, if not earlier.
    pub(crate) stored_bytes: u64,
    /// By which pings are rewritten, if any are.
    pub(crate) rules: Option<Arc<NumberedRules>>,
}

type Reply = oneshot::Sender<Result<Gathered, GatherError>>;

impl Gatherers {
    /// Gatherers for the pings of a log.
    pub(crate) fn new(log: Arc<Log>, disk: Arc<dyn Disk>, staging_dir: PathBuf, idle: Vec<Gatherer>) -> Self {
        Self {
            log,
            disk,
            staging_dir,
            next_file: AtomicU64::new(0),
            queue: Mutex::new(GathererQueue::new(idle)),
        }
    }

    /// Gathers, as soon as it is its turn at a gatherer. A panic there is one here.
    pub(crate) async fn gather(self: &Arc<Self>, job: Job) -> Result<Gathered, GatherError> {
        let (reply, mut answer) = oneshot::channel();
        let (ticket, mut taken) = self.lock().join((job, reply));
        let answered = loop {
            if let Some((gatherer, first)) = taken {
                let gatherers = Arc::clone(self);
                // It goes on for others when this one is answered, or asks no more.
                drop(service::task::spawn("gather", async move {
                    service::task::background(move || gatherers.work(gatherer, first)).await;
                }));
            }
            tokio::select! {
                biased;
                answered = &mut answer => break answered,
                () = service::task::sleep(PATIENCE) => taken = self.lock().call(ticket),
            }
        };
        answered.expect("a gather always answers, unless it panicked: then this process is to end")
    }

    fn work(&self, gatherer: Gatherer, first: (Job, Reply)) {
        let mut next = Some((gatherer, first));
        while let Some((mut gatherer, (job, reply))) = next {
            let (positions, beyond) = job.positions.split_at(job.pings);
            let order = Order {
                id: job.id,
                key: &job.key,
                positions,
                sealed: job.sealed,
                stored_bytes: job.stored_bytes,
                rules: job.rules.as_deref(),
            };
            let name = self.staging_name(job.id);
            let staging = Staging::new(Arc::clone(&self.disk), &self.staging_dir, &name, job.extent);
            let mut gathered = gatherer.gather(&self.log, &order, staging);
            if let Ok(gathered) = &mut gathered {
                gathered.rest.extend_from_slice(beyond);
            }
            // Whoever asked may have gone away, when the process ends.
            drop(reply.send(gathered));
            next = self.lock().go_on(gatherer);
        }
    }

    /// Where chunks are gathered that are not small.
    pub(crate) fn staging_dir(&self) -> &Path {
        &self.staging_dir
    }

    /// The name of a chunk's file in the staging folder. A chunk that is gathered again has another one: where the first could
    /// not be synced, nothing of it is trusted.
    fn staging_name(&self, id: ChunkId) -> String {
        let number = self.next_file.fetch_add(1, Ordering::Relaxed);
        format!("seal-{}-{}-{number}", id.boot, id.plan)
    }

    fn lock(&self) -> MutexGuard<'_, GathererQueue<Gatherer, (Job, Reply)>> {
        // Nothing panics between two changes of the state.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

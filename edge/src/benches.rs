//! The workbenches: a few threads gather at them, and whoever has one takes order after order while any waits. They give
//! way to threads that answer.
//!
//! What does not live here: what is done at a workbench, and why.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use disk::Disk;
use ping::{ChunkId, Timestamp};
use tokio::sync::oneshot;

use crate::gather::{GatherError, Gathered, Order, Workbench};
use crate::log::handle::Log;
use crate::log::position::Position;
use crate::partition_key::PartitionKey;
use crate::staging::Staging;

/// The workbenches.
pub(crate) struct Benches {
    log: Arc<Log>,
    disk: Arc<dyn Disk>,
    staging_dir: PathBuf,
    state: Mutex<State>,
}

/// What is to be gathered, and for whom.
pub(crate) struct Job {
    /// The identity of the chunk.
    pub(crate) id: ChunkId,
    /// Its kind and partition.
    pub(crate) key: PartitionKey,
    /// Its pings, as far as they fit.
    pub(crate) positions: Arc<Vec<Position>>,
    /// The time of sealing.
    pub(crate) sealed: Timestamp,
}

type Reply = oneshot::Sender<Result<Gathered, GatherError>>;

struct State {
    idle: Vec<Workbench>,
    /// Empty while a workbench is idle.
    waiting: VecDeque<(Job, Reply)>,
}

impl Benches {
    /// Workbenches for the pings of a log.
    pub(crate) fn new(
        log: Arc<Log>,
        disk: Arc<dyn Disk>,
        staging_dir: PathBuf,
        idle: Vec<Workbench>,
    ) -> Self {
        Self {
            log,
            disk,
            staging_dir,
            state: Mutex::new(State {
                idle,
                waiting: VecDeque::new(),
            }),
        }
    }

    /// Gathers, as soon as a workbench is free. A panic there is one here.
    pub(crate) async fn gather(self: &Arc<Self>, job: Job) -> Result<Gathered, GatherError> {
        let (reply, mut answer) = oneshot::channel();
        let answered = match self.take_bench((job, reply)) {
            None => answer.await,
            Some((bench, first)) => {
                let benches = Arc::clone(self);
                tokio::select! {
                    biased;
                    answered = &mut answer => answered,
                    // Goes on for others when this one is answered.
                    () = service::task::background(move || benches.work(bench, first)) => answer.await,
                }
            }
        };
        answered.expect("a gather always answers, unless it panicked: then this process is to end")
    }

    /// A workbench for the job; without one that is idle, the job waits.
    fn take_bench(&self, job: (Job, Reply)) -> Option<(Workbench, (Job, Reply))> {
        let mut state = self.lock();
        match state.idle.pop() {
            Some(bench) => Some((bench, job)),
            None => {
                state.waiting.push_back(job);
                None
            }
        }
    }

    fn work(&self, mut bench: Workbench, first: (Job, Reply)) {
        let mut next = Some(first);
        while let Some((job, reply)) = next {
            let order = Order {
                id: job.id,
                key: &job.key,
                positions: &job.positions,
                sealed: job.sealed,
            };
            let staging = Staging::new(Arc::clone(&self.disk), &self.staging_dir, &staging_name(job.id));
            let gathered = bench.gather(&self.log, &order, staging);
            // Whoever asked may have gone away, when the process ends.
            drop(reply.send(gathered));
            let mut state = self.lock();
            next = state.waiting.pop_front();
            if next.is_none() {
                return state.idle.push(bench);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics between two changes of the state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a chunk's file in the staging folder.
fn staging_name(id: ChunkId) -> String {
    format!("seal-{}-{}", id.boot, id.plan)
}

//! Follows the index: folds what is pending, as soon as it is told of it.

use std::sync::Arc;
use std::time::Duration;

use aggregate_store::{AggregateStore, Counters};
use index_schema::{Index, IndexEntry};
use ping::ChunkId;
use service::clock::Clock;
use service::current::Current;
use service::shutdown::Shutdown;
use service::task;
use store::Store;
use tokio::sync::{Mutex, Notify};

use crate::error::AggregatorError;
use crate::metrics;
use crate::settings::AggregatorSettings;
use crate::work::Work;

/// Pending chunks that are looked at for one batch.
const PENDING_PAGE: usize = 1_000;

/// So many chunks that cannot be read in one step are the store's trouble, not their own.
const PASSED_OVER_MAX: usize = 3;

/// The pause after the first failure; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Folds pending chunks into the aggregates in use. Share it in an `Arc`: the loop runs on it, and a rebuild.
#[derive(Debug)]
pub struct Aggregator {
    pub(crate) work: Work,
    pub(crate) current: Arc<Current<dyn AggregateStore>>,
    /// Held while a batch is folded, and while a rebuild swaps.
    pub(crate) gate: Mutex<()>,
    pub(crate) wake: Arc<Notify>,
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing was pending.
    Idle,
    /// A batch was written, or found to be written already.
    Folded {
        /// Chunks.
        chunks: usize,
        /// Pings that were added, by what became of them.
        counters: Counters,
    },
}

impl Aggregator {
    /// An aggregator over this index and these objects.
    pub fn new(
        index: Arc<dyn Index>,
        store: Arc<dyn Store>,
        current: Arc<Current<dyn AggregateStore>>,
        clock: Arc<dyn Clock>,
        settings: AggregatorSettings,
    ) -> Arc<Self> {
        Arc::new(Self {
            work: Work {
                index,
                store,
                clock,
                settings,
            },
            current,
            gate: Mutex::new(()),
            wake: Arc::new(Notify::new()),
        })
    }

    /// Tells the loop that there may be work: to be called when chunks were indexed.
    pub fn waker(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// The loop, until the process is to end. A batch under way is then abandoned: the transaction decides. Only a
    /// panic, its own or of a database, ends it otherwise; the process must then end, too.
    pub async fn run(&self, shutdown: Shutdown) {
        let mut pause = PAUSE_MIN;
        loop {
            let step = tokio::select! {
                biased;
                () = shutdown.wished() => return,
                step = self.step() => step,
            };
            let wait = match step {
                Ok(Step::Folded { .. }) => {
                    pause = PAUSE_MIN;
                    continue;
                }
                Ok(Step::Idle) => {
                    pause = PAUSE_MIN;
                    self.work.settings.poll
                }
                Err(error) if error.is_final() => {
                    tracing::error!(%error, "folding ended: the database's own thread is gone");
                    return;
                }
                Err(error) => {
                    metrics::batch("failed");
                    tracing::warn!(%error, pause_ms = pause.as_millis(), "folding failed and is tried again");
                    let wait = pause;
                    pause = (pause * 2).min(PAUSE_MAX);
                    wait
                }
            };
            tokio::select! {
                biased;
                () = shutdown.wished() => return,
                () = self.wake.notified() => {}
                () = task::sleep(wait) => {}
            }
        }
    }

    /// Folds one batch of what is pending. A chunk that cannot be folded is noted and left out; noted three times, it
    /// is set aside.
    ///
    /// # Errors
    /// When index, store or aggregates failed, or the aggregates were folded under other rules. Nothing is lost: the
    /// chunks stay pending.
    pub async fn step(&self) -> Result<Step, AggregatorError> {
        let _folding = self.gate.lock().await;
        let aggregates = self.current.get();
        self.work.check_fold_version(&*aggregates).await?;
        let mut passed_over = PassedOver::default();
        loop {
            let mut entries = self.pending().await?;
            self.settle_folded(&mut entries, &*aggregates).await?;
            passed_over.leave_out(&mut entries);
            if entries.is_empty() {
                return passed_over.first.map_or(Ok(Step::Idle), Err);
            }
            match self.work.fold_batch(&entries, &*aggregates).await {
                Ok(end) => {
                    self.work.index.settle(&end.folded).await?;
                    return Ok(Step::Folded {
                        chunks: end.folded.len(),
                        counters: end.counters,
                    });
                }
                Err(AggregatorError::Chunk { chunk, reason }) => {
                    metrics::chunk_failed();
                    let failures = self.work.index.fail(chunk, &reason).await?;
                    tracing::error!(%chunk, failures, reason, "a chunk cannot be folded");
                }
                Err(AggregatorError::Unreachable { chunk, source }) => {
                    passed_over.note(chunk, AggregatorError::Unreachable { chunk, source })?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the aggregates in use may be folded into.
    ///
    /// # Errors
    /// [`AggregatorError::OtherFoldVersion`] when only a rebuild helps; when the aggregates failed.
    pub async fn check_rules(&self) -> Result<(), AggregatorError> {
        self.work.check_fold_version(&*self.current.get()).await
    }

    async fn pending(&self) -> Result<Vec<IndexEntry>, AggregatorError> {
        let pending = self.work.index.pending(PENDING_PAGE).await?;
        Ok(pending.into_iter().map(|pending| pending.entry).collect())
    }

    /// Takes out what is folded already: its pending row outlived a crash, or a rebuild folded it.
    async fn settle_folded(
        &self,
        entries: &mut Vec<IndexEntry>,
        aggregates: &dyn AggregateStore,
    ) -> Result<(), AggregatorError> {
        let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
        let folded = aggregates.folded(&ids).await?;
        let settled: Vec<_> = ids
            .iter()
            .zip(&folded)
            .filter(|(_, folded)| **folded)
            .map(|(id, _)| *id)
            .collect();
        if !settled.is_empty() {
            self.work.index.settle(&settled).await?;
            entries.retain(|entry| !settled.contains(&entry.id));
        }
        Ok(())
    }
}

/// Chunks that could not be read in this step: one on a bad sector must not hold up those behind it. When the store
/// itself is out of reach, a few of them tell.
#[derive(Debug, Default)]
struct PassedOver {
    chunks: Vec<ChunkId>,
    first: Option<AggregatorError>,
}

impl PassedOver {
    /// Notes a chunk; the error comes back when there are too many of them for it to be the chunk's own trouble.
    fn note(&mut self, chunk: ChunkId, error: AggregatorError) -> Result<(), AggregatorError> {
        self.chunks.push(chunk);
        if self.chunks.len() >= PASSED_OVER_MAX {
            return Err(error);
        }
        tracing::warn!(%chunk, %error, "a chunk cannot be read now; those behind it are folded first");
        self.first.get_or_insert(error);
        Ok(())
    }

    fn leave_out(&self, entries: &mut Vec<IndexEntry>) {
        entries.retain(|entry| !self.chunks.contains(&entry.id));
    }
}

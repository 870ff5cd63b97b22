//! Follows the index: folds what is pending, as soon as it is told of it.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use aggregate_store::{AggregateStore, Counters, Persisted};
use index_schema::{Index, IndexEntry};
use ping::{ChunkId, SubmissionDate};
use service::backoff::Backoff;
use service::clock::Clock;
use service::current::Current;
use service::shutdown::Shutdown;
use service::task;
use store::Store;
use tokio::sync::{Mutex, MutexGuard, Notify};

use crate::error::AggregatorError;
use crate::metrics;
use crate::rests::Rests;
use crate::settings::AggregatorSettings;
use crate::share::{Fences, Share};
use crate::walk::Walk;
use crate::work::Work;

/// Pending chunks that are looked at for one batch.
const PENDING_PAGE: usize = 1_000;

/// So many chunks that cannot be reached in one step may be the store's trouble: it is asked for one that could be read.
const SUSPICIOUS: usize = 3;

/// Chunks that cannot be reached in one step, at most: each costs a question to the store and one to the index. They rest, so
/// the next step tries others.
const PASSED_OVER_MAX: usize = 100;

/// The pause after the first failure; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// How often it is looked whether there is room for another batch: what is waited for takes seconds.
const ROOM_POLL: Duration = Duration::from_millis(20);

/// Folds pending chunks into the aggregates in use, and has the layer in memory written (`persist.rs`). Share it in an
/// `Arc`: the loop runs on it, and a rebuild.
#[derive(Debug)]
pub struct Aggregator {
    pub(crate) work: Work,
    pub(crate) current: Arc<Current<dyn AggregateStore>>,
    /// What of all that is pending is folded here; `None` is all.
    pub(crate) share: Option<Arc<Share>>,
    /// What failed and is tried again later.
    rests: std::sync::Mutex<Rests>,
    /// How far the rebuild of a source is.
    pub(crate) walk: std::sync::Mutex<Walk>,
    /// Held while a batch is folded, and while a rebuild swaps.
    pub(crate) gate: Mutex<()>,
    pub(crate) wake: Arc<Notify>,
    /// Held by who takes a rebuild a step further: so one step at most stands between what is pending and its fold.
    pub(crate) rebuilding: Mutex<()>,
    /// Told when something is held.
    pub(crate) held: Notify,
    /// From which day on, as a number, the declarations that this program was given are to be taken up; 0 is at once.
    pub(crate) declares_from: AtomicU32,
    /// Whether there was something to fold when it was last looked.
    pub(crate) is_busy: AtomicBool,
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing was pending.
    Idle,
    /// A batch was folded: it is held in memory or written, or found to be folded already.
    Folded {
        /// Chunks.
        chunks: usize,
        /// Pings that were added, by what became of them.
        counters: Counters,
    },
    /// What was held in memory was written, or dropped because another writer was first with it.
    Persisted,
}

impl Aggregator {
    /// An aggregator over this index and these objects: the only one.
    pub fn new(
        index: Arc<dyn Index>,
        store: Arc<dyn Store>,
        current: Arc<Current<dyn AggregateStore>>,
        clock: Arc<dyn Clock>,
        settings: AggregatorSettings,
    ) -> Arc<Self> {
        Self::with(index, store, current, clock, settings, None)
    }

    /// One beside others, which folds its share.
    pub fn sharing(
        index: Arc<dyn Index>,
        store: Arc<dyn Store>,
        current: Arc<Current<dyn AggregateStore>>,
        clock: Arc<dyn Clock>,
        settings: AggregatorSettings,
        share: Arc<Share>,
    ) -> Arc<Self> {
        Self::with(index, store, current, clock, settings, Some(share))
    }

    fn with(
        index: Arc<dyn Index>,
        store: Arc<dyn Store>,
        current: Arc<Current<dyn AggregateStore>>,
        clock: Arc<dyn Clock>,
        settings: AggregatorSettings,
        share: Option<Arc<Share>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            work: Work::new(index, store, clock, settings),
            current,
            share,
            rests: std::sync::Mutex::default(),
            walk: std::sync::Mutex::default(),
            gate: Mutex::new(()),
            rebuilding: Mutex::new(()),
            wake: Arc::new(Notify::new()),
            held: Notify::new(),
            declares_from: AtomicU32::new(0),
            is_busy: AtomicBool::new(false),
        })
    }

    /// Tells the loop that there may be work: to be called when chunks were indexed.
    pub fn waker(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// The loop, until the process is to end. A batch under way is then abandoned, and what is held in memory is written.
    /// Only a panic, its own or of a database, ends it otherwise; the process must then end, too.
    pub async fn run(&self, shutdown: Shutdown) {
        tokio::select! {
            biased;
            () = shutdown.wished() => {}
            () = self.fold_on() => return,
            () = self.persist_on() => return,
            () = self.share_on() => {}
        }
        self.persist_all().await;
        if let Some(share) = &self.share {
            share.leave().await;
        }
    }

    /// Keeps the share, for ever.
    async fn share_on(&self) {
        match &self.share {
            Some(share) => share.keep_on().await,
            None => std::future::pending().await,
        }
    }

    async fn fold_on(&self) {
        let mut backoff = Backoff::new(PAUSE_MIN, PAUSE_MAX);
        loop {
            if !self.has_room() {
                // What is held is being written, or cannot be: the persisting says so.
                task::sleep(ROOM_POLL).await;
                continue;
            }
            let step = self.fold_step().await;
            let rebuilt = self.rebuild_beside(&step).await;
            self.is_busy
                .store(matches!(step, Ok(Step::Folded { .. })), Ordering::SeqCst);
            let wait = match step {
                Ok(Step::Idle) if !rebuilt => {
                    backoff.reset();
                    self.work.settings.poll
                }
                Ok(_) => {
                    backoff.reset();
                    continue;
                }
                // It goes on with a rebuild by its own rules.
                Err(error) if rebuilt && error.is_of_rules() => continue,
                Err(error) if error.is_final() => {
                    tracing::error!(%error, "folding ended: the database's own thread is gone");
                    return;
                }
                Err(error) => {
                    metrics::batch("failed");
                    let pause = backoff.grow();
                    tracing::warn!(%error, pause_ms = pause.as_millis(), "folding failed and is tried again");
                    pause
                }
            };
            tokio::select! {
                biased;
                () = self.wake.notified() => {}
                () = task::sleep(wait) => {}
            }
        }
    }

    /// Whether a rebuild went a step further, by turns with the fold. Who cannot fold into what is in use has its share in a
    /// rebuild of all by its own rules.
    async fn rebuild_beside(&self, step: &Result<Step, AggregatorError>) -> bool {
        if step.as_ref().is_err_and(|error| !error.is_of_rules()) {
            return false;
        }
        // Who waits for the rebuild takes it further.
        let Ok(_alone) = self.rebuilding.try_lock() else {
            return false;
        };
        match self.rebuild_step().await {
            Ok(rebuilt) => rebuilt,
            Err(error) => {
                tracing::warn!(%error, "nothing could be folded anew now; it is tried again");
                false
            }
        }
    }

    /// Folds one batch of what is pending; when nothing is left, or memory is full, writes what is held. A chunk that
    /// cannot be folded is noted and left out for some seconds; noted three times, it is set aside. One that cannot be
    /// reached is left out for up to a minute; if no other one is left, the step ends with what was wrong with the first.
    ///
    /// # Errors
    /// When index, store or aggregates failed, or the aggregates were folded under other rules. Nothing is lost: the
    /// chunks stay pending.
    pub async fn step(&self) -> Result<Step, AggregatorError> {
        if self.has_room() {
            let step = self.fold_step().await?;
            if step != Step::Idle {
                return Ok(step);
            }
        }
        self.persist().await
    }

    fn has_room(&self) -> bool {
        self.current.get().held().bytes < self.work.settings.layer_memory_bytes.max(1)
    }

    pub(crate) async fn fold_step(&self) -> Result<Step, AggregatorError> {
        let _folding = self.gate.lock().await;
        let aggregates = self.current.get();
        self.work.check_fold_version(&*aggregates).await?;
        if self.work.today().as_yyyymmdd() >= self.declares_from.load(Ordering::SeqCst) {
            let next = self
                .declare()
                .await?
                .map_or(u32::MAX, SubmissionDate::as_yyyymmdd);
            self.declares_from.store(next, Ordering::SeqCst);
        }
        let mut out_of_reach = OutOfReach::default();
        let fences = self.share.as_deref().map(Share::fences);
        loop {
            let mut entries = self.pending(&*aggregates, fences.as_ref()).await?;
            self.settle_folded(&mut entries, &*aggregates).await?;
            let now = self.work.clock.monotonic();
            self.rests().leave_out(&mut entries, now);
            if entries.is_empty() {
                return out_of_reach.first.map_or(Ok(Step::Idle), Err);
            }
            match self
                .work
                .hold_batch(&entries, &*aggregates, fences.as_ref())
                .await
            {
                Ok(end) => {
                    self.held.notify_one();
                    let folded = entries.iter().take(end.chunks);
                    self.rests().end(folded.map(|entry| &entry.id));
                    if end.chunks == 0 {
                        self.look_at_share().await?;
                    }
                    if !end.written.is_empty() {
                        self.work.index.settle(&end.written).await?;
                    }
                    return Ok(Step::Folded {
                        chunks: end.chunks,
                        counters: end.counters,
                    });
                }
                Err(AggregatorError::Chunk { chunk, reason }) => {
                    metrics::chunk_failed();
                    let failures = self.work.index.fail(chunk, &reason).await?;
                    self.rests().begin(chunk, failures, now);
                    tracing::error!(%chunk, failures, reason, "a chunk cannot be folded");
                }
                Err(error @ AggregatorError::Unreachable { chunk, .. }) => {
                    let rest = self.rests().begin_unreachable(chunk, error.to_string(), now);
                    tracing::warn!(
                        %error, seconds = rest.as_secs(),
                        "a chunk cannot be read now and is tried again later; those behind it are folded first"
                    );
                    let is_many = out_of_reach.note(error);
                    if is_many && (out_of_reach.is_full() || !self.work.store_answers().await) {
                        return out_of_reach.first.map_or(Ok(Step::Idle), Err);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Nothing is folded for as long as the answer is kept, and what was folded before is written: so a floor can be
    /// raised, below which nothing is folded any more.
    ///
    /// # Errors
    /// When what was folded could not be written.
    pub async fn stand_still(&self) -> Result<MutexGuard<'_, ()>, AggregatorError> {
        let standing = self.gate.lock().await;
        let aggregates = self.current.get();
        if let Persisted::Dropped(chunks) = aggregates.persist().await? {
            tracing::warn!(
                chunks = chunks.len(),
                "another aggregator was first; the rest is folded again"
            );
            self.wake.notify_one();
        }
        // Also what was written beside and is not settled yet, wherever it stands among what is pending: a floor must not
        // take it for unfolded.
        let mut limit = PENDING_PAGE + aggregates.held().chunks;
        loop {
            let pending = self.work.index.pending(limit).await?;
            let is_all = pending.len() < limit;
            for page in pending.chunks(PENDING_PAGE) {
                let mut entries: Vec<_> = page.iter().map(|pending| pending.entry.clone()).collect();
                self.settle_folded(&mut entries, &*aggregates).await?;
            }
            if is_all {
                return Ok(standing);
            }
            limit = limit.saturating_mul(2);
        }
    }

    /// Whether the aggregates in use may be folded into.
    ///
    /// # Errors
    /// [`AggregatorError::OtherFoldVersion`] when only a rebuild helps; when the aggregates failed.
    pub async fn check_rules(&self) -> Result<(), AggregatorError> {
        self.work.check_fold_version(&*self.current.get()).await
    }

    /// How many pending chunks the store did not give when they were tried last, and what was said of the last of them.
    pub fn out_of_reach(&self) -> Option<(usize, String)> {
        self.rests().out_of_reach()
    }

    fn rests(&self) -> std::sync::MutexGuard<'_, Rests> {
        self.rests
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A batch was dropped: if others claimed a part of the share meanwhile, what is left of it is to be known.
    async fn look_at_share(&self) -> Result<(), AggregatorError> {
        match &self.share {
            Some(share) => Ok(share.renew().await?),
            None => Ok(()),
        }
    }

    /// What is pending, of the share that these fences stand for. Chunks that are held are pending, too, until they are
    /// written: they must not hide the others; nor must those that rest, nor those of another one's share, who may be slow.
    async fn pending(
        &self,
        aggregates: &dyn AggregateStore,
        fences: Option<&Fences>,
    ) -> Result<Vec<IndexEntry>, AggregatorError> {
        let mut limit = PENDING_PAGE + aggregates.held().chunks + self.rests().len();
        if let Some(fences) = fences {
            if fences.is_empty() {
                return Ok(Vec::new());
            }
            limit = fences.looked_at(limit);
        }
        loop {
            let pending = self.work.index.pending(limit).await?;
            let is_all = pending.len() < limit;
            let mut entries: Vec<_> = pending.into_iter().map(|pending| pending.entry).collect();
            if let Some(fences) = fences {
                fences.retain(&mut entries);
            }
            if is_all {
                self.rests().keep_pending(&entries);
            }
            if is_all || !entries.is_empty() {
                return Ok(entries);
            }
            limit = limit.saturating_mul(2);
        }
    }

    /// Takes out what is folded already. What is written is settled: its pending row outlived a crash, or a rebuild
    /// folded it. What is held in memory only stays pending.
    async fn settle_folded(
        &self,
        entries: &mut Vec<IndexEntry>,
        aggregates: &dyn AggregateStore,
    ) -> Result<(), AggregatorError> {
        let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
        let written = aggregates.written(&ids).await?;
        let settled = those(&ids, &written);
        if !settled.is_empty() {
            self.work
                .index
                .settle(&settled.iter().copied().collect::<Vec<_>>())
                .await?;
            entries.retain(|entry| !settled.contains(&entry.id));
        }
        if aggregates.held().chunks > 0 && !entries.is_empty() {
            let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
            let folded = aggregates.folded(&ids).await?;
            let held = those(&ids, &folded);
            entries.retain(|entry| !held.contains(&entry.id));
        }
        Ok(())
    }
}

/// The chunks for which it holds.
fn those(ids: &[ChunkId], holds: &[bool]) -> HashSet<ChunkId> {
    let those = ids.iter().zip(holds).filter(|(_, holds)| **holds);
    those.map(|(id, _)| *id).collect()
}

/// Chunks that could not be reached in this step: one on a bad sector must not hold up those behind it. When the store
/// itself is out of reach, a few of them tell.
#[derive(Debug, Default)]
struct OutOfReach {
    chunks: usize,
    first: Option<AggregatorError>,
}

impl OutOfReach {
    /// Notes what was wrong with one more. Whether they are so many that it may be the store's trouble.
    fn note(&mut self, error: AggregatorError) -> bool {
        self.chunks += 1;
        self.first.get_or_insert(error);
        self.chunks >= SUSPICIOUS
    }

    const fn is_full(&self) -> bool {
        self.chunks >= PASSED_OVER_MAX
    }
}

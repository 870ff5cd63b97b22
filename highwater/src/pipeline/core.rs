//! The pipeline without listeners: the base, the index, the aggregates, and the tasks between them.

use std::sync::Arc;
use std::time::Duration;

use aggregate_store::{AggregateReads, AggregateStore, ClientSecrets, LayeredAggregates, SqliteAggregates};
use aggregator::{Aggregator, Generations};
use anyhow::Context;
use edge::Edge;
use index_schema::{Forgotten, Index, IndexTotals, Lowered, RetainIndex};
use lambda_indexer::{Indexer, Reconciled, feed};
use ping::{Incarnation, SubmissionDate};
use query::{StatusReport, StatusSource};
use retention::{Consent, Retained};
use service::clock::Clock;
use service::current::Current;
use service::directory::DataDirectory;
use service::task;
use tokio::sync::{Notify, mpsc};

use super::anew::Anew;
use super::base::Base;
use super::declared::Declared;
use super::defined::Defined;
use super::retaining::{self, Retaining};
use super::status::Counters;
use super::watcher::{Stations, Watcher};
use crate::data::Data;
use crate::declarations::Taken;
use crate::places;

/// An announced chunk is in the index within so long, unless something failed.
const INDEXED_WITHIN: Duration = Duration::from_secs(60);

/// How often, and for how long, announced chunks are waited for before the store is listed for them.
const SETTLE_POLL: Duration = Duration::from_millis(20);
const SETTLE_POLLS: u32 = 100;

/// The parts of a pipeline, running.
pub(crate) struct Core {
    pub(super) base: Arc<Base>,
    pub(super) index: Arc<dyn RetainIndex>,
    pub(super) aggregator: Arc<Aggregator>,
    pub(super) reads: Arc<Current<dyn AggregateReads>>,
    pub(super) counters: Arc<Counters>,
    indexer: Arc<Indexer>,
    pub(super) retaining: Retaining,
    prefix: String,
    clock: Arc<dyn Clock>,
    pub(super) anew: Anew,
    /// The aggregates in use, as they know the secret by whose hashes they count users.
    pub(super) secrets: Current<dyn ClientSecrets>,
    /// Told when other rules say what is kept.
    pub(super) retain_now: Notify,
}

impl Core {
    /// Takes the data directory and starts everything that works on it. The store is compared with the index now, and
    /// again as often as told; without that, only when asked.
    pub(crate) async fn start(
        data: &Data,
        taken: &Taken,
        clock: Arc<dyn Clock>,
        reconcile_every: Option<Duration>,
    ) -> anyhow::Result<Arc<Self>> {
        places::refuse_shared_aggregates(data)?;
        let declared = &taken.declarations;
        let (base, announced) = Base::start(data, taken, clock.clone()).await?;
        let index = places::open_index(data, &base.directory).await?;
        let generations = Generations::new(&base.directory.aggregates());
        let secrets = open_aggregates(&base, &generations, index.as_ref()).await?;
        let aggregates = layered(&base.directory, secrets.clone(), clock.clone()).await?;
        let reads: Arc<Current<dyn AggregateReads>> = Arc::new(Current::new(aggregates.clone()));
        let settings = data.aggregator_settings(declared)?;
        let current: Arc<Current<dyn AggregateStore>> = Arc::new(Current::new(aggregates.clone()));
        let aggregator = Aggregator::new(
            index.clone(),
            base.store.clone(),
            current,
            clock.clone(),
            settings,
        );
        let retaining = Retaining::new(
            base.store.clone(),
            index.clone(),
            aggregates,
            aggregator.clone(),
            clock.clone(),
            (data.retention_rules()?, declared.kept.clone()),
        );
        let counters = Arc::new(Counters {
            edge: Some(base.edge.clone()),
            index: index.clone(),
            aggregates: reads.clone(),
        });
        let core = Arc::new(Self {
            indexer: Arc::new(Indexer::new(base.store.clone(), index.clone())),
            counters,
            retaining,
            prefix: data.chunk_prefix.clone(),
            anew: Anew::new(generations, data.texts(), clock.clone()),
            clock,
            base,
            index,
            aggregator,
            reads,
            secrets: Current::new(secrets),
            retain_now: Notify::new(),
        });
        core.run(announced, reconcile_every);
        Ok(core)
    }

    /// The edge.
    pub(crate) fn edge(&self) -> &Arc<Edge> {
        &self.base.edge
    }

    /// Who watches all of it, and has looked at it once.
    pub(super) async fn watcher(
        &self,
        data: &Data,
        defined: Arc<Defined>,
        declared: Arc<Declared>,
    ) -> Arc<Watcher> {
        let stations = Stations {
            counters: self.counters.clone(),
            index: self.index.clone(),
            reads: self.reads.clone(),
            aggregator: Some(self.aggregator.clone()),
            retention: Some(self.retaining.last().clone()),
            defined: Some(defined),
            declared: Some(declared),
        };
        self.base.watcher(data, self.clock.clone(), Some(stations)).await
    }

    /// The counters of all stations.
    pub(crate) async fn status(&self) -> anyhow::Result<StatusReport> {
        Ok(self.counters.status().await?)
    }

    /// Lists the store and indexes what is missing.
    pub(crate) async fn reconcile(&self) -> anyhow::Result<Reconciled> {
        let found = self.indexer.reconcile(&self.prefix).await?;
        self.aggregator.waker().notify_one();
        Ok(found)
    }

    /// Seals what waits by now, and returns when all of it is folded that can be, whatever is taken meanwhile. Chunks that the
    /// store does not give stay pending, and are told in the log.
    ///
    /// # Errors
    /// When index or aggregates failed, or nothing is folded before a rebuild.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        self.base.edge.wait_until_sealed().await;
        self.aggregator.check_rules().await?;
        if !self.is_indexed_soon(self.base.edge.status().chunked).await? {
            // What no announcement brought is found in the store, or cannot be read.
            self.reconcile().await?;
        }
        // Pending chunks are folded, or set aside, in the order in which they were indexed.
        let chunks = ever(&self.index.totals().await?);
        loop {
            let now = self.index.totals().await?;
            let out_of_reach = self
                .aggregator
                .out_of_reach()
                .map_or(0, |(chunks, _)| chunks as u64);
            if now.pending_chunks <= ever(&now).saturating_sub(chunks) + out_of_reach {
                return Ok(());
            }
            task::sleep(SETTLE_POLL).await;
        }
    }

    /// Whether the index has so many records by the time that announcements take.
    async fn is_indexed_soon(&self, records: u64) -> anyhow::Result<bool> {
        for _ in 0..SETTLE_POLLS {
            if self.index.totals().await?.records_ever() >= records {
                return Ok(true);
            }
            task::sleep(SETTLE_POLL).await;
        }
        Ok(false)
    }

    /// Writes what is folded and in memory only, so that other processes see it.
    pub(crate) async fn persist(&self) -> anyhow::Result<()> {
        self.aggregator.persist().await?;
        Ok(())
    }

    /// New aggregates behind a layer of their own.
    pub(super) async fn layered(
        &self,
        aggregates: Arc<SqliteAggregates>,
    ) -> anyhow::Result<Arc<LayeredAggregates>> {
        layered(&self.base.directory, aggregates, self.clock.clone()).await
    }

    /// Deletes what is not to be kept.
    pub(crate) async fn retain(&self, consent: Consent) -> anyhow::Result<Retained> {
        let _no_rebuild = self.anew.alone.lock().await;
        self.retaining.run(consent).await
    }

    /// What [`Self::retain`] would do.
    pub(crate) async fn would_retain(&self) -> anyhow::Result<Retained> {
        self.retaining.look().await
    }

    /// Lowers the floors to a day, and indexes and folds what came below them and is above them now.
    pub(crate) async fn lower_floors(&self, to: SubmissionDate) -> anyhow::Result<Lowered> {
        let _no_rebuild = self.anew.alone.lock().await;
        let lowered = self.index.lower_floors(to).await?;
        tracing::warn!(floors = ?lowered.floors, admitted = lowered.admitted, "the floor dates were lowered by hand");
        self.edge().set_floor(lowered.floors.objects());
        self.reconcile().await?;
        self.settle()
            .await
            .context("the floors are lowered; what is above them now is not folded yet")?;
        Ok(lowered)
    }

    /// Deletes one chunk on purpose.
    pub(crate) async fn forget(&self, key: &str, why: &str) -> anyhow::Result<Forgotten> {
        let _no_rebuild = self.anew.alone.lock().await;
        self.retaining.forget(key, why).await
    }

    /// Returns when a part failed for good: the process should end.
    pub(crate) async fn failed(&self) -> anyhow::Error {
        self.base.failed().await
    }

    /// Ends: the aggregator abandons its batch and writes what is in memory, the log is synced. What waits stays in the
    /// log.
    pub(crate) async fn stop(&self) -> anyhow::Result<()> {
        self.base.stop().await
    }

    fn run(self: &Arc<Self>, announced: mpsc::Receiver<String>, reconcile_every: Option<Duration>) {
        let core = self.clone();
        self.base.watch("indexer", async move {
            let waker = core.aggregator.waker();
            feed(
                core.indexer.clone(),
                announced,
                move |_| waker.notify_one(),
                core.base.shutdown.clone(),
            )
            .await;
            Ok(())
        });
        if let Some(every) = reconcile_every {
            let core = self.clone();
            self.base.watch("reconciler", async move {
                core.reconcile_again_and_again(every).await;
                Ok(())
            });
            let core = self.clone();
            self.base.watch("retention", async move {
                core.retain_again_and_again().await;
                Ok(())
            });
        }
        let core = self.clone();
        self.base.watch("aggregator", async move {
            core.aggregator.run(core.base.shutdown.clone()).await;
            anyhow::ensure!(
                core.base.shutdown.is_wished(),
                "it ended by itself: see the log line before this one"
            );
            Ok(())
        });
    }

    /// Deletes what is not to be kept, now and every hour; what fails is said, and gone on with.
    async fn retain_again_and_again(&self) {
        loop {
            let retained = tokio::select! {
                biased;
                () = self.base.shutdown.wished() => return,
                retained = self.retain(Consent::Bounded) => retained,
            };
            let pause = match retained {
                Ok(_) => retaining::EVERY,
                Err(error) => {
                    tracing::error!(%error, "retention did not end; it goes on in a minute");
                    retaining::AGAIN
                }
            };
            tokio::select! {
                biased;
                () = self.base.shutdown.wished() => return,
                () = self.retain_now.notified() => {}
                () = task::sleep(pause) => {}
            }
        }
    }

    async fn reconcile_again_and_again(&self, every: Duration) {
        let (mut is_first, mut compared) = (true, Vec::new());
        loop {
            match self.reconcile().await {
                Ok(found) => tell_of_added(&found, std::mem::take(&mut is_first)),
                Err(error) => {
                    tracing::error!(%error, "the store could not be compared with the index; it will be tried again");
                }
            }
            tokio::select! {
                biased;
                () = self.base.shutdown.wished() => return,
                () = task::sleep(every) => {}
                lacking = self.lacking_for_long(&compared) => compared = lacking,
            }
        }
    }

    /// Returns when the index lacks a chunk that was put a minute ago and more, other than these, for which it was compared:
    /// its announcement did not help. Answers which it lacks.
    async fn lacking_for_long(&self, compared: &[String]) -> Vec<String> {
        let mut before = Vec::new();
        loop {
            task::sleep(INDEXED_WITHIN).await;
            // While the index does not answer nothing can be added to it.
            let Ok((_, lacking)) = self.counters.newest_lacking(self.edge()).await else {
                continue;
            };
            if lacking
                .iter()
                .any(|key| before.contains(key) && !compared.contains(key))
            {
                return lacking;
            }
            before = lacking;
        }
    }
}

/// After a start that is what the process of before had stored and not indexed yet; later something must have gone wrong.
fn tell_of_added(found: &Reconciled, at_start: bool) {
    let (listed, added) = (found.listed, found.outcome.added);
    match (added, at_start) {
        (0, _) => {}
        (_, true) => tracing::info!(
            listed,
            added,
            "chunks of before this start were not indexed yet; they were added"
        ),
        (_, false) => tracing::warn!(listed, added, "the index lacked chunks; they were added"),
    }
}

/// Chunks that were ever indexed: what retention deletes must not look like what is still to come.
const fn ever(totals: &IndexTotals) -> u64 {
    totals.chunks.saturating_add(totals.removed_chunks)
}

/// The current generation of aggregates, made if there is none.
async fn open_aggregates(
    base: &Base,
    generations: &Generations,
    index: &dyn Index,
) -> anyhow::Result<Arc<SqliteAggregates>> {
    let directory = &base.directory;
    index
        .claim_folding(Incarnation::from_bytes(directory.incarnation()))
        .await?;
    let generation = index.generation().await?;
    generations.remove_before(generation);
    let path = generations.path(generation);
    let aggregates = task::blocking(move || SqliteAggregates::open(&path)).await?;
    if let Some(secret) = base.secret {
        secret.claim_in(&aggregates).await?;
    }
    if aggregates.fold_version().await?.is_none() {
        // Nothing was ever folded into them: the index may remember chunks as folded into aggregates that are gone, or
        // were emptied. Before anything is folded: after a crash in between, the next start does it again.
        index.make_pending(None).await?;
    }
    Ok(Arc::new(aggregates))
}

/// These aggregates behind a layer in memory, which this data directory writes.
async fn layered(
    directory: &DataDirectory,
    aggregates: Arc<SqliteAggregates>,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Arc<LayeredAggregates>> {
    Ok(LayeredAggregates::over(aggregates, directory.incarnation(), clock).await?)
}

//! Watches the pipeline: measures about once a second, judges, publishes metrics, and tells the log what begins and ends.
//! There is no watcher that has not looked: whoever can ask one is answered with what was measured.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aggregate_store::AggregateReads;
use aggregator::{Aggregator, AggregatorError};
use edge::{Edge, EdgeStatus};
use index_schema::{Floors, Index, IndexTotals};
use ping::{Incarnation, Timestamp};
use query::health::{
    DiskNumbers, FoldingNumbers, HealthNumbers, HealthReport, HealthSource, IndexNumbers, LogNumbers, Memory,
    RetentionNumbers, Severity, StoreNumbers, judge,
};
use query::{StatusReport, StatusSource};
use service::clock::Clock;
use service::current::Current;
use service::shutdown::Shutdown;
use service::task;
use store::Store;
use tokio::sync::Mutex;

use super::declared::Declared;
use super::defined::Defined;
use super::refused::Refused;
use super::retaining::LastRun;
use super::samples;
use super::status::Counters;
use super::store_watch::WatchedStore;
use super::trend::{Sample, Trend};
use crate::metrics;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);

/// How long a database, or the store, may take to answer; a database that does not counts as gone until it does.
const PATIENCE: Duration = Duration::from_secs(10);

/// For how long it is told that chunks came below the floor, in microseconds.
const REFUSALS_TOLD_US: i64 = 3_600_000_000;

/// Samples are read again after so many looks, and the store is listed.
const LOOKS_PER_SAMPLE: u32 = 10;

/// Which of these looks lists the store. Not the first: a process takes pings only after it, also while the store does not
/// answer.
const LISTING_LOOK: u32 = 1;

/// Who watches.
#[derive(Debug)]
pub(crate) struct Watcher {
    parts: WatchedParts,
    past: Mutex<Past>,
    newest: RwLock<Arc<HealthReport>>,
}

/// What is watched.
#[derive(Debug)]
pub(crate) struct WatchedParts {
    /// `None` where no pings are taken.
    pub(crate) edge: Option<WatchedEdge>,
    /// `None` where no chunks are touched.
    pub(crate) store: Option<Arc<WatchedStore>>,
    pub(crate) clock: Arc<dyn Clock>,
    /// What lies behind the edge; `None` where only the edge runs.
    pub(crate) stations: Option<Stations>,
    /// Why files are not what is declared; `None` where they are read at a start alone.
    pub(crate) refused: Option<Arc<Refused>>,
}

/// An edge, and what was set about it.
#[derive(Debug)]
pub(crate) struct WatchedEdge {
    pub(super) edge: Arc<Edge>,
    pub(super) data_dir: PathBuf,
    pub(super) incarnation: Incarnation,
    pub(super) seal_age: Duration,
    pub(super) open_partitions_max: usize,
}

/// What lies behind the edge.
#[derive(Debug)]
pub(crate) struct Stations {
    pub(super) counters: Arc<Counters>,
    pub(super) index: Arc<dyn Index>,
    pub(super) reads: Arc<Current<dyn AggregateReads>>,
    /// `None` where nothing is folded.
    pub(super) aggregator: Option<Arc<Aggregator>>,
    /// `None` where nothing is deleted.
    pub(super) retention: Option<Arc<LastRun>>,
    /// `None` where nothing is held against definitions.
    pub(super) defined: Option<Arc<Defined>>,
    /// `None` where no products are declared.
    pub(super) declared: Option<Arc<Declared>>,
}

/// What is remembered from look to look.
#[derive(Debug, Default)]
struct Past {
    memory: Memory,
    trend: Trend,
    looks: u32,
    pending_since: Option<Timestamp>,
    unreadable_since: Option<Timestamp>,
    behind_since: Option<Timestamp>,
    empty_listings: u32,
    counts: StatusReport,
    index: IndexTotals,
    floors: Floors,
    refusals: Refusals,
}

/// Chunks that came below the floor of late.
#[derive(Debug, Default)]
struct Refusals {
    /// How many ever did when that was looked at first, or last long ago.
    before: Option<u64>,
    last: Option<Timestamp>,
    newest: u64,
}

impl Refusals {
    /// How many came since the last quiet hour; `refused` ever did.
    fn lately(&mut self, refused: u64, now: Timestamp) -> Option<u64> {
        let before = *self.before.get_or_insert(refused);
        if refused > self.newest.max(before) {
            self.last = Some(now);
        }
        self.newest = refused;
        let is_over = |last: Timestamp| now.micros_since(last) > REFUSALS_TOLD_US;
        if refused < before || self.last.is_none_or(is_over) {
            (self.before, self.last) = (Some(refused), None);
        }
        Some(refused - self.before.unwrap_or(refused)).filter(|lately| *lately > 0)
    }
}

impl Watcher {
    /// Has looked at these parts once, and watches them once it runs. A process answers nobody before: what it says of
    /// itself is measured, or that it could not be. Databases that are silent are waited for once, for [`PATIENCE`]; where they
    /// answer the first question and no other, three times as long.
    pub(crate) async fn begin(parts: WatchedParts) -> Arc<Self> {
        let mut past = Past::default();
        let report = parts.look(&mut past, &HealthReport::default(), false).await;
        Arc::new(Self {
            parts,
            past: Mutex::new(past),
            newest: RwLock::new(Arc::new(report)),
        })
    }

    /// Looks again and again until both wishes are expressed: `ending` that the process should, `shutdown` that nothing is
    /// left to watch.
    pub(crate) async fn run(&self, ending: Shutdown, shutdown: Shutdown) {
        let mut past = self.past.lock().await;
        loop {
            tokio::select! {
                biased;
                () = shutdown.wished() => return,
                () = task::sleep(EVERY) => {}
            }
            let before = self.health();
            let report = self.parts.look(&mut past, &before, ending.is_wished()).await;
            *self.newest.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(report);
        }
    }
}

impl WatchedParts {
    /// One look: measure, judge, tell. `before` is what the one before found.
    async fn look(&self, past: &mut Past, before: &HealthReport, ending: bool) -> HealthReport {
        let numbers = self.measure(past, ending).await;
        let now = numbers.now();
        let mut verdicts = judge(&numbers);
        let (fresh, gone) = past.memory.update(&mut verdicts, now);
        for verdict in fresh {
            let (name, sentence) = (verdict.name, verdict.sentence(now));
            match verdict.severity {
                Severity::Alarm => tracing::error!(verdict = name, "{sentence}"),
                Severity::Warning => tracing::warn!(verdict = name, "{sentence}"),
                Severity::Notice | Severity::Well => tracing::info!(verdict = name, "{sentence}"),
            }
        }
        for gone in gone {
            let lasted = query::health::lasting(gone.lasted);
            tracing::info!(
                verdict = gone.name,
                "over after {lasted}: {}",
                gone.name.replace('_', " ")
            );
        }
        let (errored, set_aside) = self.samples(past, before, &numbers).await;
        past.looks = past.looks.wrapping_add(1);
        let report = HealthReport {
            numbers,
            verdicts,
            errored,
            set_aside,
        };
        metrics::publish(&report, self.stations.is_some());
        report
    }

    async fn measure(&self, past: &mut Past, ending: bool) -> HealthNumbers {
        let now = Timestamp::from_micros(self.clock.now_micros());
        let (databases, stopped) = match &self.stations {
            Some(stations) => stations.ask(past).await,
            None => (None, None),
        };
        let edge = self.edge.as_ref().map(|watched| watched.edge.status());
        if let Some(edge) = &edge {
            let counts = &mut past.counts;
            (counts.accepted, counts.waiting, counts.chunked) = (edge.accepted, edge.waiting, edge.chunked);
            if self.stations.is_none() {
                counts.set_aside = edge.damaged;
            }
        }
        if let Some(watched) = &self.edge
            && self.stations.is_some()
            && databases.is_none()
        {
            watched.edge.set_floor(past.floors.objects());
        }
        let counts = past.counts.clone();
        // What is held in memory stays pending until it is written, and is folded all the same.
        let pending = past.index.pending_chunks.saturating_sub(counts.in_memory_chunks);
        let unreadable = self.unreadable().filter(|_| pending > 0);
        past.unreadable_since = unreadable.as_ref().map(|_| past.unreadable_since.unwrap_or(now));
        past.pending_since = (pending > 0).then(|| past.pending_since.unwrap_or(now));
        let is_behind = self.stations.is_some() && counts.indexed < counts.chunked;
        past.behind_since = is_behind.then(|| past.behind_since.unwrap_or(now));
        let rates = past.trend.add(Sample {
            at: self.clock.monotonic(),
            accepted: counts.accepted,
            chunked: counts.chunked,
            folded: counts.folded + counts.repeated + counts.stored_only + counts.errored_pings,
            log_bytes: edge.as_ref().map_or(0, |edge| edge.log_bytes),
        });
        HealthNumbers {
            at: Some(now),
            databases,
            log: match (&self.edge, &edge) {
                (Some(watched), Some(edge)) => log_numbers(watched, edge),
                _ => LogNumbers::none(),
            },
            disk: self.edge.as_ref().and_then(|watched| disk_of(&watched.data_dir)),
            store: self.store_numbers(past).await,
            index: IndexNumbers {
                chunks: past.index.chunks,
                stored_bytes: past.index.stored_bytes,
                received_bytes: past.index.received_bytes,
                behind_since: past.behind_since,
            },
            folding: FoldingNumbers {
                pending_chunks: pending,
                pending_since: past.pending_since,
                replay_suffices: stopped.as_ref().is_some_and(|stopped| stopped.replay_suffices),
                stopped: stopped.map(|stopped| stopped.why),
                unreadable_chunks: unreadable.as_ref().map_or(0, |(chunks, _)| *chunks),
                unreadable_since: past.unreadable_since,
                unreadable_error: unreadable.map(|(_, said)| said),
            },
            retention: self.retention_numbers(past, now),
            definitions: self
                .stations
                .as_ref()
                .and_then(|stations| stations.defined.as_ref()?.told()),
            refused_files: self.refused.as_ref().and_then(|refused| refused.told()),
            declarations: self
                .stations
                .as_ref()
                .and_then(|stations| stations.declared.as_ref()?.told()),
            rates,
            failed: edge.and_then(|edge| edge.failed.map(str::to_owned)),
            ending,
            counts,
        }
    }

    /// How many chunks that wait to be folded the store does not give, and what it said last.
    fn unreadable(&self) -> Option<(u64, String)> {
        let aggregator = self.stations.as_ref()?.aggregator.as_ref()?;
        let (chunks, said) = aggregator.out_of_reach()?;
        Some((chunks as u64, said))
    }

    fn retention_numbers(&self, past: &mut Past, now: Timestamp) -> RetentionNumbers {
        let Some(stations) = &self.stations else {
            return RetentionNumbers::default();
        };
        let last = stations.retention.as_ref().map(|last| last.told());
        let (held, failed) = last.unwrap_or_default();
        RetentionNumbers {
            held,
            failed,
            objects_floor: past.floors.objects(),
            aggregates_floor: past.floors.aggregates,
            refused_lately: past.refusals.lately(past.index.refused_chunks, now),
        }
    }

    /// Lists the store now and then, so that a loss is noticed though nothing is put or read; and once after each object that
    /// could not be read, to know whether that was the object or the store.
    async fn store_numbers(&self, past: &mut Past) -> StoreNumbers {
        let Some(store) = &self.store else {
            return StoreNumbers::default();
        };
        let is_time = past.looks % LOOKS_PER_SAMPLE == LISTING_LOOK && past.index.chunks > 0;
        if store.take_doubt() || is_time {
            match within_patience(store.list("", None, 1)).await {
                Some(Ok(page)) if page.objects.is_empty() && past.index.chunks > 0 => {
                    past.empty_listings += 1;
                }
                Some(Ok(_)) => past.empty_listings = 0,
                Some(Err(_)) => {} // Remembered by the store that is watched.
                None => store.note_silence("list", PATIENCE.as_secs()),
            }
        }
        let (failing_since, error) = store.failing().unzip();
        StoreNumbers {
            failing_since,
            error,
            // Once may be a deletion of everything whose rows go next.
            is_empty: past.empty_listings > 1,
        }
    }

    async fn samples(
        &self,
        past: &Past,
        before: &HealthReport,
        numbers: &HealthNumbers,
    ) -> (
        Vec<query::health::ErroredSample>,
        Vec<query::health::SetAsideObject>,
    ) {
        let (old, new) = (&before.numbers.counts, &numbers.counts);
        let moved = (old.errored_pings, old.set_aside) != (new.errored_pings, new.set_aside);
        let kept = || (before.errored.clone(), before.set_aside.clone());
        let Some(stations) = &self.stations else {
            return kept();
        };
        if !(moved || past.looks.is_multiple_of(LOOKS_PER_SAMPLE)) || numbers.databases.is_some() {
            return kept();
        }
        let reads = stations.reads.get();
        let index = stations.index.as_ref();
        let own = self
            .edge
            .as_ref()
            .map(|watched| (watched.incarnation, watched.edge.status().newest));
        let errored = within_patience(samples::errored(reads.as_ref(), index, own, numbers.now())).await;
        let set_aside = within_patience(samples::set_aside(index)).await;
        let kept = kept();
        (
            errored.and_then(Result::ok).unwrap_or(kept.0),
            set_aside.and_then(Result::ok).unwrap_or(kept.1),
        )
    }
}

/// Nothing is folded.
struct Stopped {
    why: String,
    replay_suffices: bool,
}

impl Stopped {
    /// Whether this is why nothing is folded before somebody acts.
    fn by(error: &AggregatorError) -> Option<Self> {
        let replay_suffices = match error {
            AggregatorError::AcceptsMore { .. } => true,
            AggregatorError::OtherFoldVersion { .. } => false,
            _ => return None,
        };
        Some(Self {
            why: error.to_string(),
            replay_suffices,
        })
    }
}

impl Stations {
    /// Those of a process without an edge.
    pub(crate) fn shared(
        index: Arc<dyn Index>,
        reads: Arc<Current<dyn AggregateReads>>,
        aggregator: Option<Arc<Aggregator>>,
    ) -> Self {
        let counters = Arc::new(Counters {
            edge: None,
            index: index.clone(),
            aggregates: reads.clone(),
        });
        Self {
            counters,
            index,
            reads,
            aggregator,
            retention: None,
            defined: None,
            declared: None,
        }
    }

    /// The same, where what arrives is held against definitions and declarations.
    pub(crate) fn held_against(self, defined: Arc<Defined>, declared: Arc<Declared>) -> Self {
        Self {
            defined: Some(defined),
            declared: Some(declared),
            ..self
        }
    }

    /// Who counts.
    pub(crate) fn counters(&self) -> Arc<dyn StatusSource> {
        self.counters.clone()
    }

    /// Asks index and aggregates, and the rules of the fold. Answers why they cannot be asked, and why nothing is folded.
    async fn ask(&self, past: &mut Past) -> (Option<String>, Option<Stopped>) {
        let asked = async {
            let counts = self.counters.status().await?;
            let totals = self.index.totals().await?;
            let floors = self.index.floors().await?;
            let stopped = match &self.aggregator {
                Some(aggregator) => match aggregator.check_rules().await {
                    Err(error) => Stopped::by(&error),
                    Ok(()) => None,
                },
                None => None,
            };
            anyhow::Ok((counts, totals, floors, stopped))
        };
        let silence = || {
            Err(anyhow::anyhow!(
                "they did not answer for {} s",
                PATIENCE.as_secs()
            ))
        };
        match within_patience(asked).await.unwrap_or_else(silence) {
            Ok((counts, totals, floors, stopped)) => {
                (past.counts, past.index, past.floors) = (counts, totals, floors);
                (None, stopped)
            }
            Err(error) => (Some(format!("{error:#}")), None),
        }
    }
}

impl HealthSource for Watcher {
    fn health(&self) -> Arc<HealthReport> {
        Arc::clone(&self.newest.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is answered within the time that an answer may take.
async fn within_patience<T>(asked: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        answered = asked => Some(answered),
        () = task::sleep(PATIENCE) => None,
    }
}

fn log_numbers(watched: &WatchedEdge, edge: &EdgeStatus) -> LogNumbers {
    LogNumbers {
        bytes: edge.log_bytes,
        budget_bytes: edge.log_bytes_max,
        has_room: edge.has_room,
        writable: edge.writable,
        lost: edge.lost.map(str::to_owned),
        oldest_waiting: edge.oldest_waiting,
        seal_age: watched.seal_age,
        open_partitions: edge.open_partitions,
        open_partitions_max: watched.open_partitions_max,
        seals: edge.seals,
        stuck_plans: edge.stuck_plans,
        oldest_stuck: edge.oldest_stuck,
        damaged: edge.damaged,
    }
}

/// How full the file system is that a folder lies on, as `df` tells it: blocks that are kept for others are no part of
/// the whole.
fn disk_of(folder: &std::path::Path) -> Option<DiskNumbers> {
    let found = rustix::fs::statvfs(folder).ok()?;
    let used = found.f_blocks.saturating_sub(found.f_bfree);
    Some(DiskNumbers {
        free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
        size_bytes: used.saturating_add(found.f_bavail).saturating_mul(found.f_frsize),
        // Where inodes are made as they are needed, there are none of them by this count.
        is_out_of_inodes: found.f_files > 0 && found.f_favail == 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_that_come_below_the_floor_are_told_for_an_hour_and_those_of_before_the_start_are_not() {
        let mut refusals = Refusals::default();
        let at = |minute: i64| Timestamp::from_micros(minute * 60_000_000);
        let mut tell = |refused, minute| refusals.lately(refused, at(minute));
        assert_eq!(tell(7, 0), None);
        assert_eq!(tell(7, 1), None);
        assert_eq!(tell(9, 2), Some(2));
        assert_eq!(tell(10, 50), Some(3));
        assert_eq!(tell(10, 109), Some(3));
        assert_eq!(tell(10, 111), None);
        assert_eq!(tell(11, 200), Some(1));
        // The floors were lowered.
        assert_eq!(tell(0, 201), None);
        assert_eq!(tell(1, 202), Some(1));
    }
}

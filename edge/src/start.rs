//! Starting an edge: opens the log, starts its writer and the schedule of seals.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};

use disk::Disk;
use index_schema::ChunkKey;
use ping::{DimensionSchema, Timestamp};
use service::current::Current;
use service::shutdown::Shutdown;
use service::task;
use tokio::sync::Semaphore;

use crate::claim;
use crate::edge::{Edge, EdgeOptions, Parts};
use crate::failure::Failure;
use crate::fit::Sizes;
use crate::floor::Floor;
use crate::gather::Gatherer;
use crate::gatherers::Gatherers;
use crate::in_force::InForce;
use crate::ledger::Ledger;
use crate::limits::{BODY_BYTES_MAX, EdgeLimits, SEGMENT_BYTES_MIN};
use crate::log::budget::LogBudget;
use crate::log::damage::Damaged;
use crate::log::handle::Log;
use crate::log::message::Watcher;
use crate::log::open::{self, LogOptions, OpenError, Opened};
use crate::log::position::Position;
use crate::log::probe;
use crate::log::queue::queue;
use crate::log::recovery::{Logged, UndonePlan};
use crate::log::writer::Writer;
use crate::log_watch;
use crate::partition_key::PartitionKey;
use crate::partitioning::Interner;
use crate::placed_store::PlacedStore;
use crate::privacy::{PlanRules, PrivacyError};
use crate::schedule::Schedule;
use crate::seal::{Planned, Sealer};
use crate::staging_room::StagingRoom;
use crate::stuck::StuckPlans;
use crate::waiting::SealLimits;

/// Names in the staging folder that begin so are the edge's, and those of a directory that is its store.
const STAGED: [&str; 2] = ["seal-", "put-"];

/// Why an edge does not start.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// The log cannot be opened.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// The staging folder cannot be made or emptied.
    #[error("staging folder {path}: {source}")]
    Staging {
        /// The folder.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The prefix of chunk keys is malformed.
    #[error(transparent)]
    Prefix(#[from] index_schema::KeyError),
    /// The privacy rules that a plan in the log names cannot be had.
    #[error(transparent)]
    Privacy(#[from] PrivacyError),
    /// This start of the log is not ours.
    #[error(transparent)]
    Claim(#[from] claim::ClaimError),
    /// The operating system gives no thread.
    #[error("could not start the thread that writes the log: {0}")]
    Thread(std::io::Error),
}

impl Edge {
    /// Opens the log, carries on what an earlier process left undone, and takes submissions from now on. To be called
    /// in a runtime, and by the one process that holds the data directory's lock.
    ///
    /// # Errors
    /// See [`EdgeError`]. Nothing is lost then.
    pub async fn open(options: EdgeOptions, parts: Parts) -> Result<Arc<Self>, EdgeError> {
        ChunkKey::check_prefix(&options.prefix)?;
        let limits = bounded(options.limits);
        let budget = LogBudget::new(limits.log_bytes - limits.staging_bytes(), limits.waiting_pings);
        let schema = Arc::new(parts.schema.clone());
        let privacy = Arc::new(InForce::new(parts.privacy.clone()));
        let claimable = match &options.claims {
            Some(claims) => {
                let doors = (parts.store.as_ref(), &parts.disk);
                Some((
                    claims,
                    claim::look(claims, doors, parts.incarnation, &options.log_dir).await?,
                ))
            }
            None => None,
        };
        let (opened, keys, pieces) = open_log(&options, &limits, &parts, &budget, &schema).await?;
        let damaged = Arc::new(AtomicU64::new(pieces));
        let Opened { chain, recovered } = opened;
        let boot = recovered.counters.boot;
        if let Some((claims, claimable)) = claimable {
            let doors = (parts.store.as_ref(), &parts.disk, parts.random.as_ref());
            let start = (parts.incarnation, boot);
            claim::take(claims, claimable, doors, start, &options.log_dir).await?;
        }
        let ledger = Arc::new(Ledger::new(
            Arc::clone(&parts.clock),
            Arc::clone(&budget),
            (seal_limits(&limits), Arc::clone(&schema)),
            limits.segment_bytes,
            &recovered.counters,
        ));
        ledger.recover(recovered.waiting.into_iter().map(|ping| {
            (
                keys[ping.partition as usize].clone(),
                ping.position,
                ping.received_us,
            )
        }));
        let undone = rules_of(&parts, recovered.plans)
            .await?
            .into_iter()
            .map(|(plan, rules)| undone(&ledger, plan, rules))
            .collect();
        let (asking, asked) = queue();
        let log = Arc::new(Log::new(
            parts.incarnation,
            boot,
            recovered.counters.next_plan,
            asking,
            (chain.readers(), Arc::clone(chain.names())),
            budget,
        ));
        let failure = Failure::new();
        let watcher: Arc<dyn Watcher> = ledger.clone();
        let writer = Writer::new(
            parts.incarnation,
            chain,
            recovered.counters,
            watcher,
            Arc::clone(&parts.clock),
        );
        let guard = failure.guard("the writer of the write-ahead log panicked");
        let writer = task::thread("log-writer", async move {
            writer.run(asked).await;
            drop(guard);
        })
        .map_err(EdgeError::Thread)?;
        let (trigger, shutdown) = Shutdown::new();
        let pause = limits.retry * probe::PAUSE_GROWTH;
        task::spawn(
            "log-probe",
            probe::look_when_asked(Arc::clone(&log), pause, shutdown.clone()),
        );
        if options.claims.is_some() {
            let (store, own) = (Arc::clone(&parts.store), parts.incarnation);
            let watch = claim::watch(store, own, boot, failure.clone(), shutdown.clone());
            task::spawn("claim", watch);
        }
        // Looked at before anything is taken.
        let looking = Arc::clone(&log);
        task::blocking(move || looking.look_at_names()).await;
        let watch = log_watch::watch(
            Arc::clone(&log),
            Arc::clone(&ledger),
            failure.clone(),
            shutdown.clone(),
        );
        task::spawn("log watch", watch);
        let edge = Self {
            log: Arc::clone(&log),
            ledger: Arc::clone(&ledger),
            clock: Arc::clone(&parts.clock),
            schema: Current::new(schema),
            privacy: Arc::clone(&privacy),
            damaged: Arc::clone(&damaged),
            failure: failure.clone(),
            closing: AtomicBool::new(false),
            floor: Floor::default(),
            trigger,
            writer: Mutex::new(Some(writer)),
            schedule: Mutex::new(None),
        };
        let sealer = Arc::new(sealer(
            options,
            (parts, privacy),
            &limits,
            log,
            ledger,
            damaged,
            shutdown,
        ));
        let schedule = schedule(sealer, failure, limits.seals);
        let task = task::spawn("schedule", schedule.run(undone));
        *edge
            .schedule
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(task);
        Ok(Arc::new(edge))
    }
}

/// Opens the log on the pool for work that blocks; answers also the partitions by number, and how many pieces of the log
/// are set aside.
async fn open_log(
    options: &EdgeOptions,
    limits: &EdgeLimits,
    parts: &Parts,
    budget: &Arc<LogBudget>,
    schema: &Arc<DimensionSchema>,
) -> Result<(Opened, Vec<PartitionKey>, u64), EdgeError> {
    let log = LogOptions {
        dir: options.log_dir.clone(),
        damaged_dir: options.damaged_dir.clone(),
        segment_bytes: limits.segment_bytes,
    };
    let (disk, random, own) = (
        Arc::clone(&parts.disk),
        Arc::clone(&parts.random),
        parts.incarnation,
    );
    let (budget, schema, staging) = (
        Arc::clone(budget),
        Arc::clone(schema),
        options.staging_dir.clone(),
    );
    task::blocking(move || {
        empty_staging(disk.as_ref(), &staging).map_err(|source| EdgeError::Staging {
            path: staging.display().to_string(),
            source,
        })?;
        let mut interner = Interner::new(&schema);
        let opened = open::open(&log, &disk, &random, own, &budget, &mut |record| {
            interner.number(record)
        })?;
        let pieces = Damaged::new(disk.as_ref(), &log.damaged_dir).pieces();
        let pieces = pieces.unwrap_or(0) + opened.chain.unkept();
        Ok((opened, interner.into_keys(), pieces))
    })
    .await
}

/// Undone plans with the rules that they name.
async fn rules_of(
    parts: &Parts,
    plans: Vec<UndonePlan>,
) -> Result<Vec<(UndonePlan, PlanRules)>, PrivacyError> {
    let privacy = parts.privacy.clone();
    task::blocking(move || {
        let mut known: BTreeMap<u32, PlanRules> = BTreeMap::new();
        let mut with_rules = Vec::with_capacity(plans.len());
        for plan in plans {
            let number = plan.plan.privacy;
            let rules = match known.get(&number) {
                Some(rules) => rules.clone(),
                None => known.entry(number).or_insert(privacy.of_plan(number)?).clone(),
            };
            with_rules.push((plan, rules));
        }
        Ok(with_rules)
    })
    .await
}

/// Makes the staging folder, and removes what an earlier process left in it.
fn empty_staging(disk: &dyn Disk, dir: &Path) -> std::io::Result<()> {
    disk.create_dir(dir)?;
    for (path, is_dir) in disk.read_dir(dir)? {
        let ours = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| STAGED.iter().any(|staged| name.starts_with(staged)));
        if ours && !is_dir {
            disk.remove_file(&path)?;
        }
    }
    Ok(())
}

/// Room comes back by whole segments, so a log must be several of them.
fn bounded(mut limits: EdgeLimits) -> EdgeLimits {
    limits.segment_bytes = limits
        .segment_bytes
        .min(limits.log_bytes / 8)
        .max(SEGMENT_BYTES_MIN);
    limits.inflated_bytes = limits.inflated_bytes.min(BODY_BYTES_MAX);
    limits.seals = limits.seals.max(1);
    limits.gathers = limits.gathers.max(1);
    limits
}

fn staging_sizes(limits: &EdgeLimits) -> Sizes {
    Sizes {
        memory_bytes: limits.chunk_memory_bytes,
        file_bytes: limits.staging_bytes(),
        chunk_bytes: limits.chunk.stored_bytes,
    }
}

fn seal_limits(limits: &EdgeLimits) -> SealLimits {
    SealLimits {
        age_us: i64::try_from(limits.seal_age.as_micros()).unwrap_or(i64::MAX),
        stored_bytes: staging_sizes(limits).longest_chunk(),
        pings: usize::try_from(limits.chunk.records).unwrap_or(usize::MAX),
        partitions: limits.open_partitions,
        new_partitions: limits.new_partitions,
    }
}

/// An undone plan as a seal under way.
fn undone(ledger: &Ledger, undone: UndonePlan, rules: PlanRules) -> (u64, Planned) {
    let positions: Vec<Position> = undone
        .pings
        .iter()
        .map(|(_, Logged { position, .. })| *position)
        .collect();
    let oldest = undone.pings.iter().map(|(_, ping)| ping.received_us).min();
    let (number, since_us) = ledger.recover_planned(
        positions.len() as u64 + undone.missing,
        &positions,
        oldest.unwrap_or(undone.plan.sealed_us),
    );
    let planned = Planned {
        plan: undone.plan.plan,
        key: undone.plan.key,
        digest: undone.plan.record_digest[..].try_into().unwrap_or_default(),
        segment: undone.segment,
        rules,
        positions,
        missing: undone.missing,
        sealed: Timestamp::from_micros(undone.plan.sealed_us),
        since_us,
    };
    (number, planned)
}

fn sealer(
    options: EdgeOptions,
    (parts, privacy): (Parts, Arc<InForce>),
    limits: &EdgeLimits,
    log: Arc<Log>,
    ledger: Arc<Ledger>,
    damaged: Arc<AtomicU64>,
    shutdown: Shutdown,
) -> Sealer {
    let large = Arc::new(Mutex::new(()));
    let names = Arc::clone(log.names());
    let gatherer = |_| Gatherer::new(limits.inflated_bytes, limits.chunk, Arc::clone(&large));
    let gatherers = Gatherers::new(
        Arc::clone(&log),
        Arc::clone(&parts.disk),
        options.staging_dir,
        (0..limits.gathers).map(gatherer).collect(),
    );
    Sealer {
        log,
        ledger,
        disk: parts.disk,
        store: Arc::new(PlacedStore::new(parts.store, names)),
        clock: parts.clock,
        random: parts.random,
        shutdown,
        announce: parts.announce,
        untold: AtomicBool::new(false),
        prefix: options.prefix,
        privacy,
        damaged_dir: options.damaged_dir,
        damaged,
        first_wait: limits.retry,
        gatherers: Arc::new(gatherers),
        room: StagingRoom::of(staging_sizes(limits)),
        stuck: StuckPlans::new(),
    }
}

fn schedule(sealer: Arc<Sealer>, failure: Failure, seals: usize) -> Schedule {
    Schedule {
        sealer,
        failure,
        permits: Arc::new(Semaphore::new(seals)),
        seals: u32::try_from(seals).expect("a few"),
    }
}

//! What outlives processes: disk, objects, databases, clock, clients.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use disk::{Disk, SimulatedDisk};
use index_schema::ChunkKey;
use ping::{SubmissionDate, Timestamp};
use service::clock::HandClock;
use store::{Blocking, DirectoryStore, Store};
use tempfile::TempDir;

use crate::client::Pings;
use crate::import;
use crate::life::Life;
use crate::plan::{LifePlan, WorldPlan};
use crate::remote::{Objects, Remote};
use crate::scheduler::{Pace, Scheduler};
use crate::trace::Trace;
use crate::{Days, Deletions, RememberingStore};

/// 2026-11-23T22:00:00Z: midnight is near.
const EVENING_US: i64 = 1_795_471_200_000_000;

/// Everything that outlives a process.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) plan: WorldPlan,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) pings: Pings,
    pub(crate) trace: Trace,
    pub(crate) wrong: Arc<Mutex<Vec<String>>>,
    latest_day: Arc<Mutex<Option<SubmissionDate>>>,
    /// What retention deleted.
    pub(crate) deletions: Deletions,
    objects: Objects,
    folder: TempDir,
}

impl World {
    /// Nothing yet, with the disk that the first process finds.
    pub(crate) fn new(seed: u64, trace: Trace) -> (Self, SimulatedDisk) {
        let disk = SimulatedDisk::new();
        for folder in ["/staging", "/store"] {
            disk.create_dir(Path::new(folder)).expect("a new disk");
        }
        disk.sync_dir(Path::new("/")).expect("a new disk");
        let plan = WorldPlan::draw(seed);
        let world = Self {
            seed,
            clock: HandClock::at_micros(EVENING_US),
            pings: Pings::new(plan.pings, plan.lines),
            trace,
            wrong: Arc::default(),
            latest_day: Arc::default(),
            deletions: Deletions::default(),
            objects: Objects::default(),
            folder: folder(),
            plan,
        };
        (world, disk)
    }

    /// A process in this world.
    pub(crate) fn life(&self, number: u64, plan: LifePlan, pace: Pace, disk: SimulatedDisk) -> Life {
        let dice = crate::dice::Dice::new(self.seed, &format!("life {number}, turns"));
        Life {
            seed: self.seed,
            number,
            plan: Arc::new(plan),
            clock: Arc::clone(&self.clock),
            scheduler: Scheduler::new(Arc::clone(&self.clock), disk.clone(), pace, dice),
            disk,
            trace: self.trace.clone(),
            asked_to_die: Arc::default(),
            no_database: Arc::default(),
            latest_day: Arc::clone(&self.latest_day),
            wrong: Arc::clone(&self.wrong),
        }
    }

    /// The objects, as a process sees them.
    pub(crate) fn store(&self, life: &Life) -> Arc<dyn Store> {
        let store = self.objects(life);
        let Some(days) = self.days() else {
            return store;
        };
        let life = life.clone();
        let may_go = move |key: &ChunkKey| days.may_go(key, life.right_day());
        RememberingStore::new(store, self.deletions.clone(), Box::new(may_go))
    }

    /// What is known of days, where not all are kept.
    pub(crate) fn days(&self) -> Option<Days> {
        let keep = self.plan.keep?;
        Some(Days {
            first: Timestamp::from_micros(import::FIRST_US).submission_date(),
            leaps: self.plan.leaps.values().copied().collect(),
            keep,
        })
    }

    fn objects(&self, life: &Life) -> Arc<dyn Store> {
        if !self.plan.remote {
            return self.bare_store(life);
        }
        Arc::new(Remote::new(
            self.objects.clone(),
            life.disk.shared(),
            Arc::clone(&self.clock),
            life.plan.odds.odd,
            life.dice("network"),
            life.trace.clone(),
        ))
    }

    /// The objects as they are.
    pub(crate) fn bare_store(&self, life: &Life) -> Arc<dyn Store> {
        if self.plan.remote {
            return Arc::new(self.objects.store.clone());
        }
        Arc::new(DirectoryStore::new(
            life.disk.shared(),
            "/store".into(),
            "/staging".into(),
            // Blocking work takes turns here, as everything does.
            Blocking::Pool,
        ))
    }

    /// What is still under way to the objects arrives.
    pub(crate) async fn everything_arrives(&self) {
        self.objects.arrive(std::time::Duration::MAX).await;
    }

    /// The index's file.
    pub(crate) fn index(&self) -> PathBuf {
        self.folder.path().join("index.sqlite")
    }

    /// The file of a generation of aggregates.
    pub(crate) fn aggregates(&self, generation: u64) -> PathBuf {
        self.folder.path().join(format!("aggregates-{generation}.sqlite"))
    }
}

/// A folder in memory where there is one, so that syncs cost nothing.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let named = tempfile::Builder::new()
        .prefix("highwater-simulation-")
        .to_owned();
    let made = if memory.is_dir() {
        named.tempdir_in(memory)
    } else {
        named.tempdir()
    };
    made.expect("a folder")
}

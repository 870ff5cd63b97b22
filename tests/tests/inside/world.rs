//! What outlives a process: a simulated disk with log and store, and a folder with the two databases.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use disk::{Disk, SimulatedDisk};
use index_schema::ChunkKey;
use ping::{SubmissionDate, Timestamp};
use service::clock::{Clock, HandClock};
use service::random::SeededRandom;
use simulation::{Days, Deletions, RememberingStore};
use store::{Blocking, DirectoryStore, Odds, Store, UnreliableStore};
use tempfile::TempDir;
use tests::{CrashPoints, CrashingStore};

use crate::refusals::Refusals;

/// 2026-11-23T12:00:00Z.
const NOON_US: i64 = 1_795_435_200_000_000;

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;

/// A disk, databases, a clock, and the deaths that wait at the doors to store and databases.
pub(crate) struct World {
    pub(crate) disk: SimulatedDisk,
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) store_calls: Arc<CrashPoints>,
    pub(crate) database_calls: Arc<CrashPoints>,
    /// How often the store fails, and by which seed.
    pub(crate) lies: Option<(u64, Odds)>,
    /// What the store refuses for a time.
    pub(crate) refusals: Arc<Refusals>,
    /// Whether what was errored for a chunk that the store did not give is folded in the end.
    pub(crate) replays: bool,
    /// What is known of days, where not all are kept.
    pub(crate) days: Option<Days>,
    /// What was deleted.
    pub(crate) deletions: Deletions,
    /// By how many days the clock is off now.
    leap: Arc<AtomicI64>,
    /// Keeps the databases of dead processes open, idle, until this world ends: closing them would move pages between
    /// files while these are copied.
    open: Mutex<Vec<Arc<dyn Any + Send + Sync>>>,
}

impl World {
    /// Nothing yet.
    pub(crate) fn empty() -> Self {
        let disk = SimulatedDisk::new();
        for folder in ["/staging", "/store"] {
            disk.create_dir(Path::new(folder)).expect("a new disk");
        }
        disk.sync_dir(Path::new("/")).expect("a new disk");
        Self::on(disk, folder(), NOON_US)
    }

    fn on(disk: SimulatedDisk, folder: TempDir, now: i64) -> Self {
        Self {
            clock: HandClock::at_micros(now),
            store_calls: CrashPoints::none(&disk),
            database_calls: CrashPoints::none(&disk),
            lies: None,
            refusals: Arc::default(),
            replays: false,
            days: None,
            deletions: Deletions::default(),
            leap: Arc::default(),
            open: Mutex::default(),
            disk,
            folder,
        }
    }

    /// The world as it is found an hour later with this disk, by a clock that is right. The databases are copied as they lie there, open: their
    /// syncs are SQLite's (`synchronous = FULL`), so what was committed is there.
    pub(crate) fn found(&self, disk: SimulatedDisk) -> Self {
        let copy = folder();
        for entry in std::fs::read_dir(self.folder.path()).expect("a folder") {
            let from = entry.expect("an entry").path();
            let name = from.file_name().expect("a name");
            // Shared memory of SQLite: built anew from the write-ahead log, as after a power cut.
            if !name.to_string_lossy().ends_with("-shm") {
                std::fs::copy(&from, copy.path().join(name)).expect("room");
            }
        }
        let now = self.clock.now_micros() - self.leap.load(Ordering::SeqCst) * DAY_US;
        Self {
            days: self.days.clone(),
            deletions: self.deletions.copy(),
            replays: self.replays,
            ..Self::on(disk, copy, now + HOUR_US)
        }
    }

    /// The store, as a process sees it.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        let mut store = self.bare_store();
        if let Some(days) = self.days.clone() {
            let (clock, leap) = (Arc::clone(&self.clock), Arc::clone(&self.leap));
            let may_go = move |key: &ChunkKey| days.may_go(key, right_day(&clock, &leap));
            store = RememberingStore::new(store, self.deletions.clone(), Box::new(may_go));
        }
        store = CrashingStore::new(store, Arc::clone(&self.refusals));
        if let Some((seed, odds)) = self.lies {
            store = Arc::new(UnreliableStore::new(store, seed, odds));
        }
        CrashingStore::new(store, Arc::clone(&self.store_calls))
    }

    /// The store without death and lies. All its work is done by the caller, in order.
    pub(crate) fn bare_store(&self) -> Arc<dyn Store> {
        Arc::new(DirectoryStore::new(
            self.disk.shared(),
            "/store".into(),
            "/staging".into(),
            Blocking::Inline,
        ))
    }

    /// Nothing yet, where pings are kept for a day. The clock may be off by so many days at some times.
    pub(crate) fn keeping_a_day(leaps: &[i64]) -> Self {
        let world = Self::empty();
        let first = world.right_day();
        Self {
            days: Some(Days {
                first,
                leaps: leaps.to_vec(),
                keep: 1,
            }),
            ..world
        }
    }

    /// Has the clock be off by so many days, from now on.
    pub(crate) fn leap(&self, days: i64) {
        let before = self.leap.swap(days, Ordering::SeqCst);
        self.clock.step_micros((days - before) * DAY_US);
    }

    /// Which day it is, whatever the clock leapt by.
    pub(crate) fn right_day(&self) -> SubmissionDate {
        right_day(&self.clock, &self.leap)
    }

    /// Keeps a database open as long as this world.
    pub(crate) fn keep(&self, database: Arc<dyn Any + Send + Sync>) {
        self.open
            .lock()
            .expect("nothing panics that holds it")
            .push(database);
    }

    /// Where a database lies.
    pub(crate) fn database(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A generator that gives every process other bits: operations so far and the time are its seed.
    pub(crate) fn random(&self) -> Arc<SeededRandom> {
        let since = self.clock.now_micros() - NOON_US;
        SeededRandom::new(self.disk.operations() << 40 | since.unsigned_abs())
    }
}

fn right_day(clock: &HandClock, leap: &AtomicI64) -> SubmissionDate {
    let now = clock.now_micros() - leap.load(Ordering::SeqCst) * DAY_US;
    Timestamp::from_micros(now).submission_date()
}

/// A folder in memory where there is one, so that syncs cost nothing.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a folder")
}

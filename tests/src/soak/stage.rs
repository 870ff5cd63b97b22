//! The data directory, the program on it, and what is done to both.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::load::Target;
use super::process::{Launch, Process};
use crate::program::now;
use crate::{Faults, SmallDisk, free_address};

/// Room of its file system: what an hour's soak leaves, its log and its databases twice.
const ROOM_MEBIBYTES: u32 = 3 << 10;
/// A command may fail so soon after something was done to the program.
const CALM: Duration = Duration::from_secs(15);

/// Where everything takes place.
pub(super) struct Stage {
    pub(super) room: Option<SmallDisk>,
    pub(super) faults: Option<Faults>,
    pub(super) target: Target,
    pub(super) data: PathBuf,
    pub(super) folder: TempDir,
    log: PathBuf,
    edge: String,
    api: String,
    start: Instant,
    diary: Mutex<Diary>,
}

/// What took place.
#[derive(Debug)]
pub(super) struct Diary {
    /// Actions by name.
    pub(super) actions: BTreeMap<String, u64>,
    /// The most memory of each life that ended, in bytes.
    pub(super) peaks: Vec<u64>,
    /// When nobody was there, in seconds since the stage was set.
    pub(super) away: Vec<(f64, f64)>,
    /// Starts that took longest, in seconds.
    pub(super) slowest_start: f64,
    /// What cannot be done on this machine.
    pub(super) left_out: Vec<String>,
    /// What should never be, in words.
    pub(super) wrong: Vec<String>,
    last: Instant,
}

impl Stage {
    /// A new stage. `mixed`: with a room that can be filled and a clock that steps, where that can be had.
    pub(super) fn set(own_room: bool, mixed: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        fs::create_dir(&data).expect("a new folder");
        let mut left_out = Vec::new();
        let room = own_room
            .then(|| SmallDisk::mount(&data, ROOM_MEBIBYTES))
            .flatten();
        if own_room && room.is_none() {
            left_out.push("full disks (a small file system cannot be mounted here)".to_owned());
        }
        let faults = match mixed.then(|| Faults::none(folder.path())) {
            Some(Ok(faults)) => Some(faults),
            Some(Err(reason)) => {
                left_out.push(format!("clock steps ({reason})"));
                None
            }
            None => None,
        };
        Self {
            room,
            faults,
            target: Target::default(),
            log: folder.path().join("log.txt"),
            data,
            folder,
            edge: free_address(),
            api: free_address(),
            start: now(),
            diary: Mutex::new(Diary {
                actions: BTreeMap::new(),
                peaks: Vec::new(),
                away: Vec::new(),
                slowest_start: 0.0,
                left_out,
                wrong: Vec::new(),
                last: now(),
            }),
        }
    }

    /// What took place so far.
    pub(super) fn diary(&self) -> MutexGuard<'_, Diary> {
        self.diary.lock().expect("nobody panics that holds it")
    }

    /// Notes something that should never be.
    pub(super) fn wrong(&self, words: String) {
        super::report::say(&format!("WRONG: {words}"));
        self.diary().wrong.push(words);
    }

    /// Notes that something is done to the program.
    pub(super) fn note(&self, action: &str) {
        self.count(action);
        self.diary().last = now();
    }

    /// Counts something that is done beside the program, and should not disturb it.
    pub(super) fn count(&self, action: &str) {
        *self.diary().actions.entry(action.to_owned()).or_default() += 1;
    }

    /// Whether nothing was done to the program for a while.
    pub(super) fn is_calm(&self) -> bool {
        self.diary().last.elapsed() > CALM
    }

    /// Seconds since the stage was set.
    pub(super) fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Starts the program, and shows it to the load.
    ///
    /// # Errors
    /// When it does not come up.
    pub(super) fn start(&self, settings: &[String]) -> Result<Process, String> {
        let place = Launch {
            data: &self.data,
            log: &self.log,
            edge: &self.edge,
            api: &self.api,
            faults: self.faults.as_ref(),
        };
        let begun = now();
        let process =
            Process::start(&place, settings).map_err(|words| format!("{words}\n{}", self.last_lines()))?;
        self.target.set(Some(&self.edge));
        let mut diary = self.diary();
        diary.slowest_start = diary.slowest_start.max(begun.elapsed().as_secs_f64());
        if let Some(away) = diary.away.last_mut() {
            away.1 = self.start.elapsed().as_secs_f64();
        }
        Ok(process)
    }

    /// `kill -9`, in the middle of the load.
    pub(super) fn kill(&self, process: Process) {
        self.before_the_end(&process);
        drop(process);
        self.gone();
    }

    /// SIGTERM.
    pub(super) fn terminate(&self, mut process: Process) {
        self.before_the_end(&process);
        let begun = self.seconds();
        if let Err(words) = process.terminate() {
            self.wrong(words);
        }
        drop(process);
        self.gone();
        if let Some(away) = self.diary().away.last_mut() {
            away.0 = begun;
        }
    }

    fn before_the_end(&self, process: &Process) {
        let peak = process.peak_bytes();
        self.diary().peaks.extend(peak);
    }

    fn gone(&self) {
        self.target.set(None);
        let at = self.seconds();
        self.diary().away.push((at, at));
    }

    /// Has the store's folder elsewhere.
    pub(super) fn store_away(&self) {
        fs::rename(self.data.join("store"), self.data.join("store-away")).expect("it is there");
    }

    /// Puts it back.
    pub(super) fn store_back(&self) {
        let (away, store) = (self.data.join("store-away"), self.data.join("store"));
        if store.exists() && fs::remove_dir(&store).is_err() {
            self.wrong("chunks were put into a store that was not there".to_owned());
            return;
        }
        fs::rename(away, store).expect("it was put there");
    }

    /// The last lines of the log.
    pub(super) fn last_lines(&self) -> String {
        let text = self.log_text();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Panics that the log tells of.
    pub(super) fn panics(&self) -> Vec<String> {
        let text = self.log_text();
        let lines = text.lines().filter(|line| line.contains("panicked"));
        lines.map(str::to_owned).collect()
    }

    fn log_text(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Leaves everything where it is; answers where.
    pub(super) fn keep(mut self) -> PathBuf {
        if let Some(room) = self.room.take() {
            std::mem::forget(room);
        }
        self.folder.keep()
    }

    /// The data directory as text, for commands.
    pub(super) fn data_text(&self) -> String {
        path_text(&self.data)
    }
}

/// A path as text.
pub(super) fn path_text(path: &Path) -> String {
    path.display().to_string()
}

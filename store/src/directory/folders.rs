//! Folders that are there and durable: made when missing, each one's entry synced in its parent once per process.
//!
//! A folder that is merely there is not enough: an earlier process may have died between making it and syncing its parent,
//! and a power cut would then take it away with all objects in it.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use disk::Disk;

/// More are not remembered, so that memory does not grow with the days that pass: then each is synced once more.
const KNOWN_MAX: usize = 1 << 16;

/// The folders known to be durable.
#[derive(Debug)]
pub(super) struct Folders {
    root: PathBuf,
    durable: Mutex<HashSet<OsString>>,
    /// How many folders were removed; held while one is.
    removed: Mutex<u64>,
}

/// Folders that are there, and not known to be durable before the entries of their parents are synced.
#[derive(Debug, Default)]
pub(super) struct Made(Vec<PathBuf>);

impl Folders {
    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            root,
            durable: Mutex::default(),
            removed: Mutex::default(),
        }
    }

    /// Makes `folder` (the root, or below it) and all between. Those that may not be durable yet are added to `made`.
    pub(super) fn make(&self, disk: &dyn Disk, folder: &Path, made: &mut Made) -> io::Result<()> {
        let mut missing: Vec<&Path> = folder
            .ancestors()
            .take_while(|ancestor| ancestor.starts_with(&self.root))
            .take_while(|ancestor| !self.is_durable(ancestor))
            .collect();
        while let Some(next) = missing.pop() {
            if !made.0.iter().any(|made| made == next) {
                disk.create_dir(next).map_err(|error| {
                    io::Error::new(
                        error.kind(),
                        format!("{} cannot be made: {error}", next.display()),
                    )
                })?;
                made.0.push(next.to_owned());
            }
        }
        Ok(())
    }

    /// The folders that hold those made were synced; they were made after so many removals, see [`Self::removals`].
    pub(super) fn keep(&self, made: Made, removals: u64) {
        let removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        if *removed != removals {
            return;
        }
        let mut durable = self.lock();
        if durable.len() + made.0.len() > KNOWN_MAX {
            let root = self.root.as_os_str();
            durable.retain(|folder| folder == root);
        }
        durable.extend(made.0.into_iter().map(PathBuf::into_os_string));
    }

    /// Makes `folder` and all between, and their entries durable.
    pub(super) fn ensure(&self, disk: &dyn Disk, folder: &Path) -> io::Result<()> {
        let (mut made, removals) = (Made::default(), self.removals());
        self.make(disk, folder, &mut made)?;
        for parent in made.parents() {
            disk.sync_dir(parent)?;
        }
        self.keep(made, removals);
        Ok(())
    }

    /// How many folders were removed so far. Who makes something visible in a folder asks before it makes folders and
    /// after: if one was removed meanwhile, another put may have made it anew, and nobody synced that.
    pub(super) fn removals(&self) -> u64 {
        *self.removed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes a folder if it is empty, and those above it that are then, below the root. A put that needs one of them
    /// meanwhile fails, surely without having put anything, and makes them anew when it is tried again. After a crash they
    /// may be back.
    pub(super) fn remove_empty(&self, disk: &dyn Disk, folder: &Path) {
        let mut removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *removed;
        for folder in folder.ancestors().take_while(|folder| *folder != self.root) {
            if disk.remove_dir(folder).is_err() {
                break;
            }
            *removed += 1;
        }
        if *removed > before {
            self.forget();
        }
    }

    /// Syncs every folder above this one, and it.
    pub(super) fn sync_all(&self, disk: &dyn Disk, folder: &Path) -> io::Result<()> {
        let ours = |folder: &&Path| folder.starts_with(&self.root);
        folder
            .ancestors()
            .take_while(ours)
            .try_for_each(|folder| disk.sync_dir(folder))
    }

    /// Forgets what was known, for somebody else removed a folder. The root is made when the process starts and never again: a
    /// store that is gone is a disk that is not mounted, and what were put into another folder of its name would be lost to it.
    pub(super) fn forget(&self) {
        let mut durable = self.lock();
        let root = self.root.as_os_str();
        durable.retain(|folder| folder == root);
    }

    fn is_durable(&self, folder: &Path) -> bool {
        self.lock().contains(folder.as_os_str())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<OsString>> {
        // A set of paths has no state between two of its calls that a panic could leave behind.
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Made {
    /// The folders whose entries are to be synced, each once, from the top down.
    pub(super) fn parents(&self) -> Vec<&Path> {
        let mut parents: Vec<&Path> = self
            .0
            .iter()
            .filter_map(|folder| folder.parent())
            .filter(|parent| !parent.as_os_str().is_empty())
            .collect();
        parents.sort_unstable();
        parents.dedup();
        parents
    }
}

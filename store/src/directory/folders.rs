//! Folders that are there and durable: made when missing, each one's entry synced in its parent once per process.
//!
//! A folder that is merely there is not enough: an earlier process may have died between making it and syncing its parent,
//! and a power cut would then take it away with all objects in it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use disk::Disk;

/// The folders known to be durable. At most one path for each folder of the store is held.
#[derive(Debug)]
pub(super) struct Folders {
    root: PathBuf,
    durable: Mutex<BTreeSet<PathBuf>>,
}

impl Folders {
    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            root,
            durable: Mutex::default(),
        }
    }

    /// Makes `folder` (the root, or below it) and all between, and their entries durable.
    pub(super) fn ensure(&self, disk: &dyn Disk, folder: &Path) -> io::Result<()> {
        let mut missing: Vec<&Path> = folder
            .ancestors()
            .take_while(|ancestor| ancestor.starts_with(&self.root))
            .take_while(|ancestor| !self.is_durable(ancestor))
            .collect();
        while let Some(next) = missing.pop() {
            disk.create_dir(next).map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("{} cannot be made: {error}", next.display()),
                )
            })?;
            if let Some(parent) = next.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                disk.sync_dir(parent)?;
            }
            self.lock().insert(next.to_owned());
        }
        Ok(())
    }

    /// Forgets what was known, for somebody else removed a folder.
    pub(super) fn forget(&self) {
        self.lock().clear();
    }

    fn is_durable(&self, folder: &Path) -> bool {
        self.lock().contains(folder)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<PathBuf>> {
        // A set of paths has no state between two of its calls that a panic could leave behind.
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

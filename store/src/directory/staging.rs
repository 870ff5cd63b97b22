//! Where bytes are written before they get the name of their key: on the file system on which the key's folder lies, for a name
//! cannot be carried to another one.
//!
//! Most often that is the staging folder that was given. The store, or a folder in it, may lie on a file system of its own,
//! mounted or linked. That shows when a name crosses: file systems that count as one, and mounts of one at two places, look
//! alike before. Then a staging folder is made in the store itself, as high up as names do not cross. It is no part of any key.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use disk::Disk;

/// The name of staging folders in the store.
pub(super) const FOLDER: &str = ".highwater-staging";

/// What all names in a staging folder begin with.
pub(super) const STAGED: &str = "put-";

/// More folders with staging folders of their own are not remembered: then they are found anew.
const OWN_MAX: usize = 4_096;

/// The staging folders of a store.
#[derive(Debug)]
pub(super) struct Staging {
    root: PathBuf,
    given: PathBuf,
    /// Folders of the store, the root among them, that have a staging folder of their own for what is below them.
    own: Mutex<BTreeSet<PathBuf>>,
}

impl Staging {
    /// The folder `given`, for a store below `root`.
    pub(super) const fn new(root: PathBuf, given: PathBuf) -> Self {
        Self {
            root,
            given,
            own: Mutex::new(BTreeSet::new()),
        }
    }

    /// Where to stage what gets a name in `folder`.
    pub(super) fn of(&self, folder: &Path) -> PathBuf {
        let above = Self::above(&self.own(), folder);
        self.below(above.as_deref())
    }

    /// The staging folder of a folder that has one of its own, or the one that was given.
    fn below(&self, own: Option<&Path>) -> PathBuf {
        own.map_or_else(|| self.given.clone(), |own| own.join(FOLDER))
    }

    /// Names cross between `folder` and where was staged for it: the next staging folder that comes into question is made
    /// and emptied, unless another put saw to it meanwhile. Answers whether there was any left.
    pub(super) fn go_deeper(&self, disk: &dyn Disk, folder: &Path, staged_in: &Path) -> io::Result<bool> {
        let mut own = self.own();
        let above = Self::above(&own, folder);
        if self.below(above.as_deref()) != staged_in {
            return Ok(true);
        }
        let next = match above {
            None => self.root.clone(),
            Some(above) => match folder
                .strip_prefix(&above)
                .ok()
                .and_then(|rest| rest.iter().next())
            {
                Some(name) => above.join(name),
                None => return Ok(false),
            },
        };
        let staging = next.join(FOLDER);
        disk.create_dir(&staging)?;
        // Nobody stages there before the lock is let go of: what is there was left by an earlier process.
        for (path, is_folder) in disk.read_dir(&staging)? {
            let name = path.file_name().and_then(|name| name.to_str());
            if !is_folder && name.is_some_and(|name| name.starts_with(STAGED)) {
                match disk.remove_file(&path) {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        tracing::info!(
            folder = %next.display(),
            "lies on a file system of its own: what is put there is written there from its first byte on"
        );
        if own.len() >= OWN_MAX {
            own.clear();
        }
        own.insert(next);
        Ok(true)
    }

    /// The lowest folder above, or `folder` itself, that has a staging folder of its own.
    fn above(own: &BTreeSet<PathBuf>, folder: &Path) -> Option<PathBuf> {
        let mut above = folder.ancestors();
        above.find(|above| own.contains(*above)).map(Path::to_owned)
    }

    fn own(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        // A set of paths has no state between two of its calls that a panic could leave behind.
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

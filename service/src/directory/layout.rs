//! Where the parts of a data directory lie, and how it is opened.

use std::io;
use std::path::{Path, PathBuf};

use disk::Disk;

use super::error::at;
use super::{DirectoryError, identity};
use crate::lock::DirectoryLock;
use crate::random::Random;

/// A data directory with its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDirectory {
    root: PathBuf,
    incarnation: [u8; 16],
}

impl DataDirectory {
    /// Makes a data directory if there is none, takes its lock on the machine's file system, and opens it for change.
    ///
    /// # Errors
    /// See [`DirectoryError`].
    pub fn take(
        disk: &dyn Disk,
        root: &Path,
        random: &dyn Random,
    ) -> Result<(Self, DirectoryLock), DirectoryError> {
        create_durably(disk, root)?;
        let lock = DirectoryLock::take(root)?;
        Ok((Self::open(disk, root, random)?, lock))
    }

    /// Opens a data directory for change, making what is missing. The caller holds its lock; on a simulated disk there
    /// is none to hold.
    ///
    /// # Errors
    /// See [`DirectoryError`].
    pub fn open(disk: &dyn Disk, root: &Path, random: &dyn Random) -> Result<Self, DirectoryError> {
        create_durably(disk, root)?;
        let found = identity::read(disk, root)?;
        for folder in ["log", "staging", "store", "aggregates", "damaged"] {
            let path = root.join(folder);
            disk.create_dir(&path).map_err(at(&path))?;
        }
        let incarnation = match found {
            Some(incarnation) => incarnation,
            None => identity::make(disk, root, random)?,
        };
        disk.sync_dir(root).map_err(at(root))?;
        Ok(Self {
            root: root.to_owned(),
            incarnation,
        })
    }

    /// Opens a data directory for reading, beside whoever changes it. Nothing is made.
    ///
    /// # Errors
    /// See [`DirectoryError`].
    pub fn read(disk: &dyn Disk, root: &Path) -> Result<Self, DirectoryError> {
        let incarnation =
            identity::read(disk, root)?.ok_or_else(|| DirectoryError::Absent(root.to_owned()))?;
        Ok(Self {
            root: root.to_owned(),
            incarnation,
        })
    }

    /// 128 random bits, drawn when the directory was made: the incarnation of its log.
    pub const fn incarnation(&self) -> [u8; 16] {
        self.incarnation
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the write-ahead log.
    pub fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// The folder of temporary files, which the holder of the lock empties when it starts.
    pub fn staging(&self) -> PathBuf {
        self.root.join("staging")
    }

    /// The folder of the directory store.
    pub fn store(&self) -> PathBuf {
        self.root.join("store")
    }

    /// The folder of aggregates, one file a generation.
    pub fn aggregates(&self) -> PathBuf {
        self.root.join("aggregates")
    }

    /// The folder of what was set aside as damaged.
    pub fn damaged(&self) -> PathBuf {
        self.root.join("damaged")
    }

    /// The folder of privacy rules, which is made when there are some.
    pub fn privacy(&self) -> PathBuf {
        self.root.join("privacy")
    }

    /// The index's database.
    pub fn index(&self) -> PathBuf {
        self.root.join("index.sqlite")
    }

    /// Removes the files that an earlier process left in the staging folder.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn empty_staging(&self, disk: &dyn Disk) -> Result<(), DirectoryError> {
        let staging = self.staging();
        for (path, is_folder) in disk.read_dir(&staging).map_err(at(&staging))? {
            if !is_folder {
                disk.remove_file(&path).map_err(at(&path))?;
            }
        }
        disk.sync_dir(&staging).map_err(at(&staging))
    }
}

/// Makes a folder and those above it, each durable in its parent before the next. One that is there may have been made
/// by a process that died before it could sync.
fn create_durably(disk: &dyn Disk, path: &Path) -> Result<(), DirectoryError> {
    let parent = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Ok(()),
    };
    let was_there = disk.read_dir(path).is_ok();
    if !was_there {
        create_durably(disk, parent)?;
        disk.create_dir(path).map_err(at(path))?;
    }
    match disk.sync_dir(parent) {
        // A folder that somebody prepared for us in one that we may not read: they made it durable.
        Err(error) if was_there && error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced.map_err(at(parent)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededRandom;
    use disk::RealDisk;

    fn open(root: &Path, seed: u64) -> Result<DataDirectory, DirectoryError> {
        DataDirectory::open(&RealDisk, root, &*SeededRandom::new(seed))
    }

    #[test]
    fn an_identity_is_made_once_and_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("a/b/data");
        let made = open(&root, 1).expect("made");
        assert_eq!(open(&root, 2).expect("opened").incarnation(), made.incarnation());
        assert_eq!(DataDirectory::read(&RealDisk, &root).expect("read"), made);
        let hex = format!("{:032x}", u128::from_be_bytes(made.incarnation()));
        let text = std::fs::read_to_string(root.join("identity")).expect("text");
        assert_eq!(text, format!("{{\"version\":1,\"incarnation\":\"{hex}\"}}"));
        for path in [
            made.log(),
            made.staging(),
            made.store(),
            made.aggregates(),
            made.damaged(),
        ] {
            assert!(path.is_dir(), "{}", path.display());
        }
    }

    #[test]
    fn a_reader_makes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = DataDirectory::read(&RealDisk, folder.path()).expect_err("nothing there");
        assert!(matches!(error, DirectoryError::Absent(_)), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 0);
    }

    #[test]
    fn a_newer_version_is_refused_with_a_clear_word() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!("{{\"version\":2,\"incarnation\":\"{:032x}\",\"more\":1}}", 7);
        std::fs::write(folder.path().join("identity"), text).expect("written");
        let error = open(folder.path(), 1).expect_err("newer").to_string();
        assert!(error.contains("version 2") && error.contains("newer"), "{error}");
    }

    #[test]
    fn a_lost_or_damaged_identity_is_never_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = open(folder.path(), 1).expect("made");
        std::fs::write(made.log().join("0000000000000001.log"), "x").expect("written");
        for text in ["", "{\"version\":1,\"incarnation\":\"12\"}", "{\"version\":1}"] {
            std::fs::write(folder.path().join("identity"), text).expect("written");
            assert!(
                open(folder.path(), 1)
                    .expect_err("unreadable")
                    .to_string()
                    .contains("unreadable"),
                "{text}"
            );
        }
        std::fs::remove_file(folder.path().join("identity")).expect("removed");
        assert!(
            open(folder.path(), 1)
                .expect_err("missing")
                .to_string()
                .contains("missing")
        );
    }

    #[test]
    fn a_draft_that_a_crash_left_is_no_obstacle() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("identity.new"), "{\"ver").expect("written");
        open(folder.path(), 1).expect("made");
        assert!(!folder.path().join("identity.new").exists());
    }

    #[test]
    fn who_takes_a_directory_holds_its_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let random = SeededRandom::new(1);
        let (taken, _lock) = DataDirectory::take(&RealDisk, folder.path(), &*random).expect("taken");
        let error = DataDirectory::take(&RealDisk, folder.path(), &*random).expect_err("held");
        assert!(matches!(error, DirectoryError::Lock(_)), "{error}");
        std::fs::write(taken.staging().join("left"), "x").expect("written");
        taken.empty_staging(&RealDisk).expect("emptied");
        assert_eq!(std::fs::read_dir(taken.staging()).expect("read").count(), 0);
    }
}

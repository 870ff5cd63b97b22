//! The door itself. Nothing is durable until it is synced: a file's bytes by [`File::sync`], the entries of a folder
//! (files made, renamed, linked or removed in it) by [`Disk::sync_dir`] of that folder.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Which file or folder something is, whatever it is called: two that are there at one time, or are held open, never have the
/// same. One that is gone and that nobody holds open may give its own to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileIdentity {
    /// The file system. The one that is mounted at a place is another than the one below it.
    pub device: u64,
    /// The file or folder in it.
    pub inode: u64,
}

/// A file system.
pub trait Disk: fmt::Debug + Send + Sync + 'static {
    /// Makes a folder; its parent must be there. An existing folder is no error.
    ///
    /// # Errors
    /// Those of the file system.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes the entries of a folder durable.
    ///
    /// # Errors
    /// Those of the file system.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes a new, empty file, open for reading and writing.
    ///
    /// # Errors
    /// `AlreadyExists` when the name is taken; else those of the file system.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// `NotFound`; else those of the file system.
    fn open(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Opens a file for reading only.
    ///
    /// # Errors
    /// `NotFound`; else those of the file system.
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Renames a file within the file system, replacing what bears the new name.
    ///
    /// # Errors
    /// `NotFound`, `CrossesDevices`; `StorageFull` when the folder has no room for the new name, and then nothing is renamed;
    /// else those of the file system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Renames a file within the file system. Never replaces.
    ///
    /// # Errors
    /// `AlreadyExists` when the new name is taken, `NotFound`, `CrossesDevices`; else those of the file system.
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name. Never replaces.
    ///
    /// # Errors
    /// `AlreadyExists` when the new name is taken, `CrossesDevices`; else those of the file system.
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound`; else those of the file system.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a folder that is empty.
    ///
    /// # Errors
    /// `DirectoryNotEmpty`, `NotFound`; else those of the file system.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;

    /// The entries of a folder, sorted by name; folders end the pair with `true`.
    ///
    /// # Errors
    /// `NotFound`; else those of the file system.
    fn read_dir(&self, path: &Path) -> io::Result<Vec<(PathBuf, bool)>>;

    /// A file's length in bytes, or `None` when there is no such file.
    ///
    /// # Errors
    /// Those of the file system.
    fn file_len(&self, path: &Path) -> io::Result<Option<u64>>;

    /// What a path leads to now, links followed; `None` when it leads nowhere.
    ///
    /// # Errors
    /// Those of the file system: then it is not known.
    fn identity(&self, path: &Path) -> io::Result<Option<FileIdentity>>;

    /// Opens a file or folder only to hold on to it, so that nothing else gets its identity meanwhile. Of what is answered
    /// nothing but that can be asked.
    ///
    /// # Errors
    /// `NotFound`; else those of the file system.
    fn hold(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Begins a group of changes on the file system that holds the folder `path`: what is written to files opened from
    /// now on, and what changes in its folders, can be made durable in one go.
    ///
    /// # Errors
    /// `NotFound`; else those of the file system.
    fn group(&self, path: &Path) -> io::Result<Box<dyn Group>>;

    /// Bytes that an ordinary process may still write to the file system that holds `path`.
    ///
    /// # Errors
    /// Those of the file system.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;
}

/// Changes of one file system that become durable together, for less than one by one.
pub trait Group: fmt::Debug + Send {
    /// Makes the bytes and lengths of files, opened since the group was begun, and the entries of folders durable.
    ///
    /// # Errors
    /// Those of the file system. Any of them may not be durable then, and of the files none may be trusted: write them anew.
    fn sync(&mut self, files: &[&dyn File], folders: &[&Path]) -> io::Result<()>;
}

/// An open file, read and written at explicit offsets.
pub trait File: fmt::Debug + Send + Sync {
    /// Writes all of `bytes` at `offset`, growing the file as needed.
    ///
    /// # Errors
    /// Those of the file system; some of the bytes may have been written. Where room was not reserved, some file systems
    /// find only at the sync that there is none.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Reads up to `buffer.len()` bytes at `offset`; less only at the end of the file.
    ///
    /// # Errors
    /// Those of the file system.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Has what was written go to the disk from now on, beside whatever comes next, so that a sync finds little left to
    /// do. It promises nothing.
    fn write_soon(&self) {}

    /// Makes the file's bytes and length durable (`fdatasync`).
    ///
    /// # Errors
    /// Those of the file system, `StorageFull` among them. After one, what was written since the last success may be lost for good, even if a
    /// later sync succeeds.
    fn sync(&self) -> io::Result<()>;

    /// Reserves room for `len` bytes, which then read as zeros where nothing was written.
    ///
    /// # Errors
    /// `StorageFull` when there is no room; else those of the file system. After one, a part of the room may be taken, and
    /// the file be longer: ext4 takes what it finds. Whoever does not want that gives it back.
    fn allocate(&self, len: u64) -> io::Result<()>;

    /// Cuts or extends the file to `len` bytes.
    ///
    /// # Errors
    /// Those of the file system.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// The file's length in bytes.
    ///
    /// # Errors
    /// Those of the file system.
    fn len(&self) -> io::Result<u64>;

    /// Which file this is, whatever became of the name it was opened by.
    ///
    /// # Errors
    /// Those of the file system.
    fn identity(&self) -> io::Result<FileIdentity>;

    /// Whether the file has no bytes.
    ///
    /// # Errors
    /// Those of the file system.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

//! The lock of a data directory: who holds it may change what lies there. Readers take none.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The lock, held until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

/// A lock that was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error(
        "the data directory {path} is in use by {holder}: stop that process, or give this one another --data-dir",
        path = path.display(),
        holder = pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
    )]
    Held {
        /// The data directory.
        path: PathBuf,
        /// The process that holds it, unless it has only just begun.
        pid: Option<u32>,
    },
    /// The lock file cannot be used.
    #[error("cannot lock the data directory {path}: {source}; check its permissions", path = path.display())]
    Io {
        /// The data directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl DirectoryLock {
    /// Takes the lock of a data directory, which must be there.
    ///
    /// # Errors
    /// When another process, or another part of this one, holds it; or when the lock file cannot be used.
    pub fn take(root: &Path) -> Result<Self, LockError> {
        let io = |source| LockError::Io {
            path: root.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(root.join("lock"))
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let path = root.to_owned();
                return Err(LockError::Held {
                    path,
                    pid: pid_in(file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        file.set_len(0).map_err(io)?;
        writeln!(file, "{}", std::process::id()).map_err(io)?;
        Ok(Self { _file: file })
    }
}

fn pid_in(mut file: File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_holder_hears_who_the_first_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = DirectoryLock::take(folder.path()).expect("the lock");
        let error = DirectoryLock::take(folder.path()).expect_err("held").to_string();
        assert!(
            error.contains(&format!("process {}", std::process::id())),
            "{error}"
        );
        drop(first);
        DirectoryLock::take(folder.path()).expect("the lock is free again");
    }

    #[test]
    fn what_a_dead_holder_left_is_no_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("lock"), "4194304000 and more\n").expect("written");
        let _held = DirectoryLock::take(folder.path()).expect("the lock");
        let text = std::fs::read_to_string(folder.path().join("lock")).expect("read");
        assert_eq!(text, format!("{}\n", std::process::id()));
    }
}

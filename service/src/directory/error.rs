//! Why a data directory cannot be used, and who must act.

use std::io;
use std::path::{Path, PathBuf};

use super::identity::VERSION;
use crate::lock::LockError;

/// A data directory that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// There is none.
    #[error("there is no data directory at {path}: check --data-dir, or start `highwater serve` to make it", path = .0.display())]
    Absent(PathBuf),
    /// Made by a newer program.
    #[error(
        "the data directory {path} has version {found}, and this program knows versions up to {VERSION}: use a newer one",
        path = path.display()
    )]
    Newer {
        /// The data directory.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
    /// The identity is unreadable, or missing beside data that refers to it.
    #[error(
        "the identity of the data directory {path} is {what}: restore the file `identity` from a copy; with a new one the \
         numbers of old pings would be given again",
        path = path.display()
    )]
    Identity {
        /// The data directory.
        path: PathBuf,
        /// `missing` or `unreadable`.
        what: &'static str,
    },
    /// Another process holds it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The file system failed.
    #[error("cannot use the data directory at {path}: {source}; check path, permissions and room", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Names the path that an error of the file system is about.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> DirectoryError {
    let path = path.to_owned();
    move |source| DirectoryError::Io { path, source }
}

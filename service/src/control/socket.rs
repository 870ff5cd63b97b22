//! A path by which the control socket of a data directory can be reached, however long the directory's own path is.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// The socket's name in the data directory.
pub(super) const SOCKET: &str = "control.sock";

/// The longest path that fits a Unix socket's address, in bytes.
const ADDRESS_BYTES_MAX: usize = 107;

/// A path to the socket, good as long as this lives.
pub(super) struct SocketPath {
    pub(super) path: PathBuf,
    /// What the path goes through, when the plain one is too long.
    _directory: Option<File>,
}

impl SocketPath {
    pub(super) fn of(root: &Path) -> io::Result<Self> {
        let plain = root.join(SOCKET);
        if plain.as_os_str().len() <= ADDRESS_BYTES_MAX {
            return Ok(Self {
                path: plain,
                _directory: None,
            });
        }
        let directory = File::open(root)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", directory.as_raw_fd()));
        Ok(Self {
            path,
            _directory: Some(directory),
        })
    }
}

//! A small file system of its own for the data directory, so that it can be filled.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::{FallocateFlags, fallocate};

/// How large it is: what an hour's soak leaves, its log and its databases twice.
const SIZE: &str = "size=3g";

/// A file system in memory that goes with this value.
pub(super) struct Room {
    at: PathBuf,
}

impl Room {
    /// Mounts one on an empty folder; nothing where that is not allowed.
    pub(super) fn mount(at: &Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "tmpfs"])
            .arg(at)
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self { at: at.to_owned() })
    }

    /// Takes all room that is left, to the last pages.
    pub(super) fn fill(&self) {
        let file = File::create(self.filler()).expect("a name is always free");
        let (mut length, mut step) = (0, 1 << 30);
        while step >= 4_096 {
            match fallocate(&file, FallocateFlags::empty(), length, step) {
                Ok(()) => length += step,
                Err(_) => step /= 2,
            }
        }
    }

    /// Gives it back.
    pub(super) fn free(&self) {
        fs::remove_file(self.filler()).expect("it was filled");
    }

    fn filler(&self) -> PathBuf {
        self.at.join("filler")
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // A file system that is still in use goes when that ends.
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

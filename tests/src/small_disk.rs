//! A small file system in memory that can be filled.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{FallocateFlags, fallocate};

/// A small file system in memory, unmounted in the end whatever happens.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Of so many MiB at this place, which is made where it is missing; none where mounting is not allowed.
    ///
    /// # Panics
    /// When the place cannot be made.
    pub fn mount(path: &Path, mebibytes: u32) -> Option<Self> {
        fs::create_dir_all(path).expect("a folder");
        let size = format!("size={mebibytes}m");
        mount(&["-t", "tmpfs", "-o", &size, "highwater-test"], path).then(|| Self(path.to_owned()))
    }

    /// Nothing can be written to it any more, or it can again. No process may hold a file of it.
    ///
    /// # Panics
    /// When one does.
    pub fn set_read_only(&self, read_only: bool) {
        let options = if read_only { "remount,ro" } else { "remount,rw" };
        assert!(mount(&["-o", options], &self.0), "it is not in use");
    }

    /// Takes all room that there is: large pieces first, then the rest to the last byte.
    ///
    /// # Panics
    /// When no file can be made.
    pub fn fill(&self) {
        let open = OpenOptions::new().create(true).append(true).open(self.ballast());
        let mut file = open.expect("a file");
        let (mut length, mut step) = (file.metadata().expect("its length").len(), 1 << 30);
        while step >= 4_096 {
            match fallocate(&file, FallocateFlags::empty(), length, step) {
                Ok(()) => length += step,
                Err(_) => step /= 2,
            }
        }
        for size in [1 << 12, 1] {
            let block = vec![0x55; size];
            while file.write_all(&block).is_ok() {}
        }
    }

    /// Gives the room back.
    ///
    /// # Panics
    /// When it was not filled.
    pub fn free(&self) {
        fs::remove_file(self.ballast()).expect("filled before");
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, for a process that a failing test leaves may hold it for a moment more.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], path: &Path) -> bool {
    Command::new("mount")
        .args(arguments)
        .arg(path)
        .output()
        .is_ok_and(|finished| finished.status.success())
}

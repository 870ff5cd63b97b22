//! A small ext4 in a file, where loop devices are to be had; else a small file system in memory; else none, with a word.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use disk::{Disk, RealDisk};

/// A small file system, unmounted in the end whatever happens.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    root: PathBuf,
}

impl SmallDisk {
    /// Of so many MiB at this place.
    pub(crate) fn mount(path: &Path, mebibytes: u64) -> Option<Self> {
        fs::create_dir_all(path).expect("a folder");
        let image = path.with_extension("ext4");
        File::create(&image)
            .and_then(|file| file.set_len(mebibytes << 20))
            .expect("an image");
        // Nothing is kept for root: the tests may run as root.
        let formatted = works(
            Command::new("mkfs.ext4")
                .args(["-q", "-F", "-m", "0"])
                .arg(&image),
        );
        let ext4 = formatted
            && works(
                Command::new("mount")
                    .args(["-t", "ext4", "-o", "loop"])
                    .args([&image, path]),
            );
        let size = format!("size={mebibytes}m");
        let mounted = ext4
            || works(
                Command::new("mount")
                    .args(["-t", "tmpfs", "-o", &size, "highwater-test"])
                    .arg(path),
            );
        match (ext4, mounted) {
            (true, _) => {}
            (_, true) => eprintln!("no loop device is to be had: a file system in memory stands in for ext4"),
            _ => eprintln!(
                "left out: this test mounts a small file system, which is not allowed here (run it as root)"
            ),
        }
        mounted.then(|| Self {
            root: path.to_owned(),
        })
    }

    /// Where it is mounted.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Takes room until so many bytes are left.
    pub(crate) fn leave(&self, bytes: u64) {
        let free = || RealDisk.free_bytes(&self.root).expect("known");
        let path = self.root.join("ballast");
        // That of before goes first.
        let _ = RealDisk.remove_file(&path);
        RealDisk.sync_dir(&self.root).expect("synced");
        let ballast = RealDisk.create_new(&path).expect("a file");
        if let Some(taken) = free().checked_sub(bytes) {
            ballast.allocate(taken).expect("it is free");
        }
        assert!(free().abs_diff(bytes) < 1 << 18, "{} are left", free());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, for a failing test may hold it for a moment more.
        let _ = Command::new("umount").arg("-l").arg(&self.root).status();
    }
}

fn works(command: &mut Command) -> bool {
    command.output().is_ok_and(|finished| finished.status.success())
}

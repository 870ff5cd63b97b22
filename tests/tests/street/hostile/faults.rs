//! Faults put between the program and the C library, and file systems of their own. See `tests/shim/faults.c`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tests::highwater;

/// A folder of faults, and the library that reads them.
pub(super) struct Faults {
    folder: PathBuf,
    library: PathBuf,
}

impl Faults {
    /// None yet, in a new folder below this one.
    pub(super) fn none(below: &Path) -> Self {
        let (folder, library) = (below.join("faults"), below.join("faults.so"));
        fs::create_dir(&folder).expect("a new folder");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/faults.c");
        let compiled = Command::new("cc")
            .args(["-O1", "-shared", "-fPIC", "-o"])
            .args([&library, &source])
            .status()
            .expect("a C compiler, which the build of SQLite needs, too");
        assert!(compiled.success());
        Self { folder, library }
    }

    /// The program under these faults.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(highwater());
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAULTS", &self.folder);
        command
    }

    /// From now on there is this fault, for paths that contain this.
    pub(super) fn set(&self, name: &str, text: &str) {
        // Its absence is fine, too.
        let _ = fs::remove_file(self.folder.join(format!("met-{name}")));
        let draft = self.folder.join(format!(".{name}"));
        fs::write(&draft, text).expect("written");
        fs::rename(draft, self.folder.join(name)).expect("renamed");
    }

    /// No longer.
    pub(super) fn end(&self, name: &str) {
        fs::remove_file(self.folder.join(name)).expect("it was set");
    }

    /// Waits until this fault has applied since it was set.
    pub(super) fn wait_until_met(&self, name: &str, what: &str) {
        for _ in 0..2_400 {
            if self.folder.join(format!("met-{name}")).exists() {
                return;
            }
            pause();
        }
        panic!("{name} was never met: {what}");
    }
}

/// A small file system in memory, unmounted in the end whatever happens.
pub(super) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Of so many MiB at this place; none where mounting is not allowed.
    #[expect(clippy::print_stdout, reason = "a test says when it is left out")]
    pub(super) fn mount(path: PathBuf, mebibytes: u32) -> Option<Self> {
        fs::create_dir(&path).expect("a new folder");
        let size = format!("size={mebibytes}m");
        if mount(&["-t", "tmpfs", "-o", &size, "highwater-test"], &path) {
            return Some(Self(path));
        }
        println!(
            "left out: this test mounts a small file system, which is not allowed here (run it as root)"
        );
        None
    }

    /// Nothing can be written to it any more, or it can again. No process may hold a file of it.
    pub(super) fn set_read_only(&self, read_only: bool) {
        let options = if read_only { "remount,ro" } else { "remount,rw" };
        assert!(mount(&["-o", options], &self.0), "it is not in use");
    }

    /// Takes all room that there is.
    pub(super) fn fill(&self) {
        use std::io::Write;
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.0.join("ballast"))
            .expect("a file");
        for size in [1 << 16, 1 << 12, 1] {
            let block = vec![0x55; size];
            while file.write_all(&block).is_ok() {}
        }
    }

    /// Gives the room back.
    pub(super) fn free(&self) {
        fs::remove_file(self.0.join("ballast")).expect("filled before");
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

#[expect(
    clippy::disallowed_methods,
    reason = "a test of real processes waits in real time"
)]
pub(super) fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}

//! What these tests ask of the machine: a small file system, faults beneath the C library, a moment's wait.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tests::{Faults, SmallDisk, highwater};

/// Room of a small file system: some log segments, and a full one soon.
const MEBIBYTES: u32 = 48;

/// A small file system at this place; none, and a word of it, where mounting is not allowed.
#[expect(clippy::print_stdout, reason = "a test says when it is left out")]
pub(super) fn small_disk(path: &Path) -> Option<SmallDisk> {
    let disk = SmallDisk::mount(path, MEBIBYTES);
    if disk.is_none() {
        println!(
            "left out: this test mounts a small file system, which is not allowed here (run it as root)"
        );
    }
    disk
}

/// No faults yet, in a new folder below this one.
pub(super) fn no_faults(below: &Path) -> Faults {
    Faults::none(below).expect("a C compiler, which the build of SQLite needs, too")
}

/// The program under these faults.
pub(super) fn program_under(faults: &Faults) -> Command {
    let mut command = Command::new(highwater());
    faults.put_under(&mut command);
    command
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test of real processes waits in real time"
)]
pub(super) fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}

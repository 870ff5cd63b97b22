//! A clock that steps, put under the program by a library, where there is a C compiler for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The library, and the folder in which it looks for faults.
pub(super) struct Faults {
    library: PathBuf,
    folder: PathBuf,
}

impl Faults {
    /// Builds the library; answers why that is left out, where it cannot be.
    pub(super) fn build(folder: &Path) -> Result<Self, &'static str> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/faults.c");
        if !source.is_file() {
            return Err("no shim");
        }
        let library = folder.join("faults.so");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-o"])
            .args([&library, &source])
            .status();
        if !built.is_ok_and(|status| status.success()) {
            return Err("no C compiler");
        }
        let folder = folder.join("faults");
        fs::create_dir(&folder).expect("a new folder");
        Ok(Self { library, folder })
    }

    /// Has the command's program run on it.
    pub(super) fn put_under(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAULTS", &self.folder);
    }

    /// From now on the clock of the day is off by so many seconds.
    pub(super) fn clock(&self, seconds: i64) {
        let whole = self.folder.join("clock-next");
        fs::write(&whole, seconds.to_string()).expect("written");
        fs::rename(whole, self.folder.join("clock")).expect("renamed");
    }
}

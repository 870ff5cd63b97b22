//! Faults put between the program and the C library. See `tests/shim/faults.c`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A folder of faults, and the library that reads them.
#[derive(Debug)]
pub struct Faults {
    folder: PathBuf,
    library: PathBuf,
}

impl Faults {
    /// None yet, in a new folder below this one; or why there can be none.
    ///
    /// # Errors
    /// Where there is no C compiler.
    ///
    /// # Panics
    /// When the folder is not new.
    pub fn none(below: &Path) -> Result<Self, &'static str> {
        let (folder, library) = (below.join("faults"), below.join("faults.so"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/faults.c");
        let compiled = Command::new("cc")
            .args(["-O1", "-shared", "-fPIC", "-o"])
            .args([&library, &source])
            .status();
        if !compiled.is_ok_and(|status| status.success()) {
            return Err("no C compiler");
        }
        fs::create_dir(&folder).expect("a new folder");
        Ok(Self { folder, library })
    }

    /// Has the command's program run under these faults.
    pub fn put_under(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAULTS", &self.folder);
    }

    /// From now on there is this fault, for paths that contain this.
    ///
    /// # Panics
    /// When the folder is gone.
    pub fn set(&self, name: &str, text: &str) {
        // Its absence is fine, too.
        let _ = fs::remove_file(self.folder.join(format!("met-{name}")));
        let draft = self.folder.join(format!(".{name}"));
        fs::write(&draft, text).expect("written");
        fs::rename(draft, self.folder.join(name)).expect("renamed");
    }

    /// From now on the clock of the day is off by so many seconds.
    pub fn set_clock(&self, seconds: i64) {
        self.set("clock", &seconds.to_string());
    }

    /// No longer.
    ///
    /// # Panics
    /// When it was not set.
    pub fn end(&self, name: &str) {
        fs::remove_file(self.folder.join(name)).expect("it was set");
    }

    /// Waits until this fault has applied since it was set.
    ///
    /// # Panics
    /// When that does not happen within two minutes.
    #[expect(
        clippy::disallowed_methods,
        reason = "a test of real processes waits in real time"
    )]
    pub fn wait_until_met(&self, name: &str, what: &str) {
        for _ in 0..2_400 {
            if self.folder.join(format!("met-{name}")).exists() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{name} was never met: {what}");
    }
}

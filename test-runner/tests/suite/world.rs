//! A folder with scripts in the place of test executables, and what cargo would say of them.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

/// The folder.
pub(crate) struct World {
    folder: tempfile::TempDir,
}

impl World {
    /// Scripts by name, of the package `p`; `street` is of the package `tests`.
    pub(crate) fn new(scripts: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut messages = String::new();
        for (name, script) in scripts {
            let package = if *name == "street" { "tests" } else { "p" };
            let path = folder.path().join(name);
            install(&path, script);
            fs::create_dir_all(folder.path().join(package)).expect("made");
            let manifest = folder.path().join(package).join("Cargo.toml");
            let message = json!({
                "reason": "compiler-artifact", "manifest_path": manifest, "target": {"kind": ["test"], "name": name},
                "profile": {"test": true}, "executable": path,
            });
            messages.push_str(&format!("{message}\n"));
        }
        fs::write(folder.path().join("built.json"), messages).expect("written");
        Self { folder }
    }

    /// Runs `run-tests`: whether it ended well, and all it said.
    pub(crate) fn run_tests(&self, arguments: &[&str]) -> (bool, String) {
        let fixed = ["--slowest", "slowest", "--logs", "logs"];
        self.run(env!("CARGO_BIN_EXE_run-tests"), &[&fixed, arguments].concat())
    }

    /// Runs `flaky`.
    pub(crate) fn flaky(&self, arguments: &[&str]) -> (bool, String) {
        self.run(
            env!("CARGO_BIN_EXE_flaky"),
            &[&["--tally", "tally/all"], arguments].concat(),
        )
    }

    /// A file of the folder.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).expect("written")
    }

    fn run(&self, program: &str, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(program)
            .arg("built.json")
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .expect("it starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.success(),
            text(&output.stderr) + &text(&output.stdout),
        )
    }
}

/// Puts a script to be run in a place. Another process writes it: a child that another thread forks meanwhile would inherit the open
/// file, and what is open for writing cannot be run.
fn install(path: &Path, script: &str) {
    let text = path.with_extension("text");
    fs::write(&text, format!("#!/bin/sh\n{script}\n")).expect("written");
    let mut command = Command::new("install");
    let installed = command.args(["-m", "755"]).arg(&text).arg(path).status();
    assert!(installed.expect("install runs").success());
}

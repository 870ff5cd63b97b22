//! Commands beside the program, one at a time; imports among them, which are tried again until they succeed.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread::{Scope, ScopedJoinHandle};

use serde_json::json;

use super::document::{IMPORTED, plain};
use super::ledger::Ledger;
use super::stage::{Stage, path_text};
use crate::run;

/// An imported file.
struct File {
    path: PathBuf,
    numbers: std::ops::Range<u64>,
    done: bool,
}

/// The commands of a soak.
pub(super) struct Commands<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    stage: &'env Stage,
    files: &'env Files,
    running: Option<ScopedJoinHandle<'scope, ()>>,
}

/// The files of all imports.
#[derive(Default)]
pub(super) struct Files(Mutex<Vec<File>>);

impl<'scope, 'env> Commands<'scope, 'env> {
    pub(super) fn new(scope: &'scope Scope<'scope, 'env>, stage: &'env Stage, files: &'env Files) -> Self {
        Self {
            scope,
            stage,
            files,
            running: None,
        }
    }

    /// Runs a command beside the program, unless another one still runs.
    pub(super) fn begin(&mut self, name: &'static str) {
        let stage = self.stage;
        self.beside(name, move || {
            perform(stage, name, None);
        });
    }

    /// Imports a new file of so many lines, unless another command still runs.
    pub(super) fn begin_import(&mut self, lines: u64) {
        let (stage, files) = (self.stage, self.files);
        self.beside("import", move || {
            let at = files.write(stage, lines);
            files.import(stage, at);
        });
    }

    fn beside(&mut self, name: &str, command: impl FnOnce() + Send + 'scope) {
        if self
            .running
            .as_ref()
            .is_some_and(|running| !running.is_finished())
        {
            return;
        }
        self.wait();
        self.stage.count(name);
        self.running = Some(self.scope.spawn(command));
    }

    /// Waits until no command runs: without a process it has the data directory to itself.
    pub(super) fn wait(&mut self) {
        if let Some(running) = self.running.take() {
            running.join().expect("a command that ends");
        }
    }
}

impl Files {
    fn write(&self, stage: &Stage, lines: u64) -> usize {
        let mut files = self.0.lock().expect("nobody panics that holds it");
        let first = files.last().map_or(IMPORTED, |file| file.numbers.end);
        let numbers = first..first + lines;
        let path = stage.folder.path().join(format!("import-{}.ndjson", files.len()));
        let line = |number| {
            let ping = plain(number);
            let day = format!("201701{:02}", 10 + number % 20);
            format!(
                "{}\n",
                json!({"submissionDate": day, "uri": ping.uri(), "body": ping.json()})
            )
        };
        fs::write(&path, numbers.clone().map(line).collect::<String>()).expect("written");
        files.push(File {
            path,
            numbers,
            done: false,
        });
        files.len() - 1
    }

    fn import(&self, stage: &Stage, at: usize) -> bool {
        let path = path_text(&self.0.lock().expect("nobody panics that holds it")[at].path);
        let done = perform(stage, "import", Some(&path));
        self.0.lock().expect("nobody panics that holds it")[at].done = done;
        done
    }

    /// Imports all files until each is there, and enters their lines: each counts once, however often it was tried.
    pub(super) fn finish(&self, stage: &Stage, ledger: &Ledger) {
        let number = self.0.lock().expect("nobody panics that holds it").len();
        for at in 0..number {
            // Also those that are done: the same file again adds nothing.
            if !self.import(stage, at) {
                stage.wrong(format!("import {at} fails although nothing is in its way"));
            }
        }
        let files = self.0.lock().expect("nobody panics that holds it");
        let mut entries = ledger.entries();
        for number in files.iter().flat_map(|file| file.numbers.clone()) {
            entries.documents.entry(number).or_default().acknowledged = 1;
        }
    }
}

/// Runs a command on the data directory; whether it ended well. Where nothing was in its way, it should.
fn perform(stage: &Stage, name: &str, file: Option<&str>) -> bool {
    let data = stage.data_text();
    let mut arguments = vec![name, "--data-dir", &data];
    arguments.extend(file);
    let calm = stage.is_calm();
    let finished = run(&arguments);
    if !finished.success {
        stage.count(&format!("{name}, cut off"));
        // An import is refused by a full log as a client is; it comes again in the end.
        if calm && stage.is_calm() && name != "import" {
            stage.wrong(format!("{name}: {}", finished.stderr.trim()));
        }
    }
    finished.success
}

//! In the end: everything that lies in S3 held against what was acknowledged, what is indexed, and what the oracle counts.

use std::fs;
use std::sync::PoisonError;
use std::time::Duration;

use serde_json::Value;

use super::{BUCKET, Fleet, Role};
use crate::program::{now, thread_sleep};
use crate::soak::stored::{Stored, stored};
use crate::soak::{totals, verdict};

/// How long it may take until everything is counted: on a machine with little to spare, many times what it takes elsewhere.
const SETTLED_MAX: Duration = Duration::from_secs(600);

impl Fleet {
    /// What is wrong, in words; nothing.
    pub(super) fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        self.all_up(&mut wrong);
        // They seal what waits before they end.
        for edge in Role::EDGES {
            self.processes().of(edge).terminate();
        }
        match self.copied() {
            Ok(stored) => self.held_against(&stored, &mut wrong),
            Err(words) => wrong.push(words),
        }
        for role in Role::ALL {
            let log = self.log(role);
            wrong.extend(
                log.lines()
                    .find(|line| line.contains("panicked"))
                    .map(str::to_owned),
            );
        }
        wrong.extend(self.ledger.entries().wrong.iter().cloned());
        if !wrong.is_empty() {
            wrong.extend(
                Role::ALL.map(|role| format!("the last lines of {role:?}:\n{}", self.last_lines(role))),
            );
        }
        wrong
    }

    /// None ended by itself; what was ended from here comes up.
    fn all_up(&self, wrong: &mut Vec<String>) {
        let mut processes = self.processes();
        for role in Role::ALL {
            let member = processes.of(role);
            if !member.is_up() {
                processes.start_again(role);
            } else if let Some(end) = member.has_ended() {
                wrong.push(format!("{role:?} ended by itself: {end}"));
                member.kill();
                processes.start_again(role);
            }
        }
    }

    fn held_against(&self, stored: &Stored, wrong: &mut Vec<String>) {
        let found = verdict::held(stored, &self.ledger);
        if found.lost > 0 || found.doubled > 0 {
            wrong.push(format!(
                "{} pings that were answered 200 are lost, {} records nobody sent, or not so often",
                found.lost, found.doubled
            ));
        }
        let gone = *self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        let status = self.settled(stored.records + gone);
        if status["settled"] != true {
            wrong.push(format!("not all is counted after {} s", SETTLED_MAX.as_secs()));
        }
        wrong.extend(verdict::miscounted(stored, gone, &status));
        let reconciled = self.processes().run(&["reconcile"]);
        let none = format!("{} chunks listed, 0 were missing", stored.chunks);
        if !reconciled.stderr.contains(&none) {
            wrong.push(format!("not \"{none}\": {}", reconciled.stderr));
        }
        let dump = self.processes().run(&["dump", "--all"]);
        if !dump.success {
            wrong.push(dump.stderr);
            return;
        }
        match totals::differs(&self.copy(), stored, &dump.stdout) {
            Ok(None) => {}
            Ok(Some(words)) | Err(words) => wrong.push(words),
        }
    }

    /// The status once so many records are indexed and all of them counted, or the last one.
    fn settled(&self, records: u64) -> Value {
        let (start, mut last) = (now(), Value::Null);
        while start.elapsed() < SETTLED_MAX {
            let status = self.processes().of(Role::Query).status();
            if let Some(status) = status {
                if status["settled"] == true && status["indexed"] == records {
                    return status;
                }
                last = status;
            }
            thread_sleep(Duration::from_millis(100));
        }
        last
    }

    /// All chunks in S3, written as files and read.
    fn copied(&self) -> Result<Stored, String> {
        let store = self.copy().join("store");
        for (key, bytes) in self.s3.objects(BUCKET) {
            let Some(chunk) = key.strip_prefix("below/").filter(|key| key.starts_with("pings/")) else {
                continue;
            };
            let path = store.join(chunk);
            let folder = path.parent().expect("keys have slashes");
            let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, bytes));
            written.map_err(|error| format!("{}: {error}", path.display()))?;
        }
        stored(&self.copy(), true)
    }

    fn last_lines(&self, role: Role) -> String {
        let log = self.log(role);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

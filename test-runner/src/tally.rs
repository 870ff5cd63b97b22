//! What came of running the same executables again and again: one line of JSON for each run, in a file that the next call
//! goes on with.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::{Outcome, Verdict};

/// One run of one executable.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Entry {
    /// What is tested: a digest, or a time, of everything that was built.
    pub build: String,
    /// The executable.
    pub name: String,
    /// Its round, from 1 on.
    pub round: u32,
    /// Whether it ran under `nice 19`.
    pub nice: bool,
    /// Tests that held.
    pub held: usize,
    /// Tests that did not.
    pub failed: Vec<String>,
    /// How it ended, where that was not by its tests alone.
    pub end: Option<String>,
    /// How long it took.
    pub seconds: f64,
}

/// All runs so far.
#[derive(Debug)]
pub struct Tally {
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Entry {
    /// What this run was.
    pub fn of(outcome: &Outcome, build: &str, round: u32, nice: bool) -> Self {
        let failed = outcome.read.results.iter();
        let failed = failed.filter(|result| result.verdict == Verdict::Failed);
        let failed: Vec<String> = failed.map(|result| result.name.clone()).collect();
        Self {
            build: build.to_owned(),
            name: outcome.name.clone(),
            round,
            nice,
            held: outcome.read.count(Verdict::Ok),
            end: (!outcome.ended_well && failed.is_empty()).then(|| outcome.end.clone()),
            failed,
            seconds: outcome.seconds,
        }
    }

    fn is_well(&self) -> bool {
        self.failed.is_empty() && self.end.is_none()
    }
}

impl Tally {
    /// Reads what is there; a last line that a killed process left half is passed over.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let lines = match File::open(path) {
            Ok(file) => BufReader::new(file).lines().collect::<Result<Vec<_>, _>>(),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        let lines = lines.with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            entries: lines
                .iter()
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect(),
        })
    }

    /// Whether this round of an executable was run of this build.
    pub fn has(&self, build: &str, name: &str, round: u32) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.build == build && entry.name == name && entry.round == round)
    }

    /// Adds a run.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, entry: Entry) -> anyhow::Result<()> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        // A line that was cut short is ended by this one's beginning.
        writeln!(file, "\n{}", serde_json::to_string(&entry)?)?;
        self.entries.push(entry);
        Ok(())
    }

    /// What is told of the runs of this build: a line for each executable, and one for each test that failed; and whether
    /// none did.
    pub fn told(&self, build: &str) -> (Vec<String>, bool) {
        let mut by_name: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.build == build) {
            by_name.entry(&entry.name).or_default().push(entry);
        }
        let mut lines = Vec::new();
        let mut well = true;
        for (name, runs) in by_name {
            let bad = runs.iter().filter(|run| !run.is_well()).count();
            well &= bad == 0;
            let nice = runs.iter().filter(|run| run.nice).count();
            let held: usize = runs.iter().map(|run| run.held).sum();
            let longest = runs.iter().map(|run| run.seconds).fold(0.0, f64::max);
            lines.push(format!(
                "{name}: {} runs ({nice} of them nice), {bad} failed; {held} tests held; the longest took {longest:.0} s",
                runs.len()
            ));
            let mut failed: BTreeMap<&str, usize> = BTreeMap::new();
            for run in &runs {
                for test in run.failed.iter().chain(&run.end) {
                    *failed.entry(test).or_default() += 1;
                }
            }
            lines.extend(
                failed
                    .iter()
                    .map(|(test, times)| format!("    FAILED {times} of {}: {test}", runs.len())),
            );
        }
        (lines, well)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, round: u32, failed: &[&str]) -> Entry {
        Entry {
            build: "b".into(),
            name: name.into(),
            round,
            nice: round.is_multiple_of(2),
            held: 3,
            failed: failed.iter().map(|test| (*test).to_owned()).collect(),
            end: None,
            seconds: f64::from(round),
        }
    }

    #[test]
    fn a_tally_goes_on_where_a_killed_process_left_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/tally");
        let mut tally = Tally::open(&path).expect("none yet");
        tally.add(entry("street", 1, &[])).expect("added");
        let mut file = OpenOptions::new().append(true).open(&path).expect("there");
        write!(file, "{{\"build\":\"b\",\"na").expect("half a line");
        let mut tally = Tally::open(&path).expect("read");
        tally.add(entry("street", 2, &["a::b"])).expect("added");
        let tally = Tally::open(&path).expect("read");
        assert!(tally.has("b", "street", 1) && tally.has("b", "street", 2));
        assert!(!tally.has("b", "street", 3) && !tally.has("other", "street", 1));
        let (lines, well) = tally.told("b");
        assert!(!well);
        let expected = [
            "street: 2 runs (1 of them nice), 1 failed; 6 tests held; the longest took 2 s",
            "    FAILED 1 of 2: a::b",
        ];
        assert_eq!(lines, expected);
    }
}

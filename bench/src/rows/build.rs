//! Build: what a cold release build of the default binary costs, by what its dependencies cost in the same build.
//!
//! A wrapper around the compiler notes the CPU time of every crate. What the project's own crates take stands against the
//! rest of the compilers and build scripts, C code included; cargo's own work counts to the whole only.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::child;
use crate::conditions::project;
use crate::options::Options;
use crate::outcome::Row;
use crate::sample::Sample;

const BAR: f64 = 2.5;
/// Crates of the project that are named in the note.
const NAMED: usize = 4;

/// Builds once, in a full run or when asked for: it takes minutes, and its parts are from the same build.
pub(crate) fn measure(options: &Options, _sample: &Sample) -> Result<Vec<Row>> {
    if !options.full && options.rows.is_empty() {
        return Ok(Vec::new());
    }
    let work = "cold release build of the default binary";
    let built = build();
    let row = match built {
        Ok(built) => Row::figure(work, built.ratio(), "", Some(BAR)).note(built.describe()),
        Err(error) => Row::left_out(work, format!("{error:#}")),
    };
    Ok(vec![Row {
        yardstick: "its dependencies in the same build",
        ..row
    }])
}

/// CPU seconds of a build.
#[derive(Clone, Debug)]
struct Built {
    /// Of all its processes.
    whole: f64,
    /// Of cargo alone.
    cargo: f64,
    /// Of the compilers of the project's own crates, the most expensive first.
    members: Vec<(String, f64)>,
}

impl Built {
    fn of_members(&self) -> f64 {
        self.members.iter().map(|(_, seconds)| seconds).sum()
    }

    fn dependencies(&self) -> f64 {
        self.whole - self.cargo - self.of_members()
    }

    fn ratio(&self) -> f64 {
        self.whole / self.dependencies()
    }

    fn describe(&self) -> String {
        let named: Vec<String> = self
            .members
            .iter()
            .take(NAMED)
            .map(|(name, seconds)| format!("{name} {seconds:.1}"))
            .collect();
        format!(
            "built once: {:.1} CPU-s, of which dependencies with their C code {:.1}, the project's crates {:.1} ({}, ...), \
             cargo {:.1}",
            self.whole,
            self.dependencies(),
            self.of_members(),
            named.join(", "),
            self.cargo
        )
    }
}

fn build() -> Result<Built> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("compilers.txt");
    let cargo = std::env::var_os("CARGO");
    let mut command = Command::new(cargo.as_deref().unwrap_or_else(|| OsStr::new("cargo")));
    command
        .args([
            "build",
            "--release",
            "--locked",
            "-p",
            "highwater",
            "--target-dir",
        ])
        .arg(folder.path().join("target"))
        .env("RUSTC_WRAPPER", project().join("bench/timed-rustc.sh"))
        .env("BENCH_RUSTC_LOG", &log)
        .env_remove("CARGO_TARGET_DIR")
        .current_dir(project());
    let ended = child::run(&mut command)?;
    let text = fs::read_to_string(&log).context("the compilers left no log")?;
    let built = Built {
        whole: ended.cpu_seconds + ended.children_cpu_seconds,
        cargo: ended.cpu_seconds,
        members: members(&text)?,
    };
    ensure!(
        built.of_members() > 0.0 && built.dependencies() > 0.0,
        "the compilers' log names no crate of the project, or no other"
    );
    Ok(built)
}

/// CPU seconds by crate of the project, from lines of user seconds, system seconds and the crate's folder.
fn members(log: &str) -> Result<Vec<(String, f64)>> {
    let mut members: Vec<(String, f64)> = Vec::new();
    for line in log.lines() {
        let mut parts = line.splitn(3, ' ');
        let mut part = || {
            parts
                .next()
                .with_context(|| format!("not a line of the log: {line}"))
        };
        let seconds = part()?.parse::<f64>()? + part()?.parse::<f64>()?;
        let Ok(name) = Path::new(part()?).strip_prefix(project()) else {
            continue;
        };
        let name = name.display().to_string();
        match members.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += seconds,
            None => members.push((name, seconds)),
        }
    }
    members.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compilers_of_the_projects_crates_are_added_up_by_crate_and_all_others_passed_over() {
        let root = project().display();
        let log = format!(
            "1.5 0.5 {root}/edge\n0.100 0.010 none\n9.0 1.0 /elsewhere/serde-1.0\n3.0 0.5 {root}/query\n2.0 0.25 {root}/edge\n"
        );
        let members = members(&log).expect("a log");
        assert_eq!(members, [("edge".to_owned(), 4.25), ("query".to_owned(), 3.5)]);
    }
}

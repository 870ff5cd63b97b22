//! One executable from its start to its end: its lines are read while it runs, kept in a file, and one that falls silent is
//! ended.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::{Executable, Read};

/// An executable that says nothing for so long hangs: libtest names each test after a minute, and the longest takes three
/// on a slow machine.
const SILENCE: Duration = Duration::from_secs(1_200);

/// No executable takes so long, whatever it says meanwhile.
const LONGEST: Duration = Duration::from_secs(3_600);

/// How often is looked whether it ended while it says nothing.
const LOOK: Duration = Duration::from_millis(100);

/// Whether it ended, and nothing more comes: a process that it left behind would keep its output open.
const LEFT_BEHIND: Duration = Duration::from_secs(5);

/// How an executable is run.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// Which one.
    pub executable: &'a Executable,
    /// Tests of it that run beside each other.
    pub threads: usize,
    /// Parts of names: tests that have none of them are not run; all are if there are none.
    pub only: &'a [String],
    /// The program that its tests start.
    pub program: Option<&'a Path>,
    /// Whether it yields to everybody else (`nice 19`).
    pub nice: bool,
    /// Where all that it says is kept.
    pub log: &'a Path,
}

/// How it went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The executable's name.
    pub name: String,
    /// What was read.
    pub read: Read,
    /// Whether all of its tests held.
    pub ended_well: bool,
    /// How it ended, in words.
    pub end: String,
    /// How long it took.
    pub seconds: f64,
    /// What its failed tests said.
    pub failures: String,
}

impl Outcome {
    /// Of one that could not be started, or not followed to its end.
    pub fn unstarted(name: &str, error: &anyhow::Error) -> Self {
        Self {
            name: name.to_owned(),
            read: Read::default(),
            ended_well: false,
            end: format!("{error:#}"),
            seconds: 0.0,
            failures: String::new(),
        }
    }
}

/// Runs it to its end.
///
/// # Errors
/// When it cannot be started, or its output not be kept.
pub fn run(wish: &Wish<'_>) -> anyhow::Result<Outcome> {
    if let Some(folder) = wish.log.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut log = File::create(wish.log).with_context(|| format!("cannot write {}", wish.log.display()))?;
    let start = now();
    let (mut child, lines) = start_of(wish)?;
    let mut outcome = Outcome {
        name: wish.executable.name(),
        read: Read::default(),
        ended_well: false,
        end: String::new(),
        seconds: 0.0,
        failures: String::new(),
    };
    let (status, end) = follow(&mut child, &lines, |line| {
        outcome.read.take(line);
        if line == "failures:" || !outcome.failures.is_empty() {
            outcome.failures.push_str(line);
            outcome.failures.push('\n');
        }
        Ok(writeln!(log, "{line}")?)
    })?;
    outcome.ended_well = status.success() && end.is_none();
    outcome.end = end.map_or_else(|| status.to_string(), str::to_owned);
    outcome.seconds = start.elapsed().as_secs_f64();
    Ok(outcome)
}

fn start_of(wish: &Wish<'_>) -> anyhow::Result<(Child, Receiver<String>)> {
    let executable = wish.executable;
    let mut command = match wish.nice {
        true => {
            let mut command = Command::new("nice");
            command.args(["-n", "19"]).arg(&executable.path);
            command
        }
        false => Command::new(&executable.path),
    };
    command
        .args(wish.only)
        .args(["--test-threads", &wish.threads.to_string()])
        // How long each test took is told by stable harnesses, too, when they are asked in this way.
        .args(["-Z", "unstable-options", "--report-time"])
        // Also what tests say that held: one may have left something out.
        .arg("--show-output")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_MANIFEST_DIR", &executable.folder)
        .current_dir(&executable.folder)
        .stdin(Stdio::null());
    if let Some(program) = wish.program {
        command.env("HIGHWATER_PROGRAM", program);
    }
    let (reader, writer) = std::io::pipe()?;
    let child = command
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()
        .with_context(|| format!("cannot start {}", executable.path.display()))?;
    // The command holds the writing end, too: with it open the reader would never come to an end.
    drop(command);
    let (said, lines) = mpsc::channel();
    let read = move || {
        for line in BufReader::new(reader).split(b'\n') {
            let Ok(line) = line else { return };
            if said.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("reader".into()).spawn(read)?;
    Ok((child, lines))
}

/// Hands on each line until it ended and said its last; how it ended, and in words where that is not all.
fn follow(
    child: &mut Child,
    lines: &Receiver<String>,
    mut take: impl FnMut(&str) -> anyhow::Result<()>,
) -> anyhow::Result<(ExitStatus, Option<&'static str>)> {
    let (start, mut heard) = (now(), now());
    let mut ended: Option<(ExitStatus, Instant)> = None;
    loop {
        match lines.recv_timeout(LOOK) {
            Ok(line) => {
                heard = now();
                take(&line)?;
                if start.elapsed() < LONGEST {
                    continue;
                }
            }
            Err(RecvTimeoutError::Disconnected) => return Ok((child.wait()?, None)),
            Err(RecvTimeoutError::Timeout) => {}
        }
        match ended {
            Some((status, at)) if at.elapsed() > LEFT_BEHIND => {
                return Ok((status, Some("it left a process behind that holds its output")));
            }
            Some(_) => {}
            None => ended = child.try_wait()?.map(|status| (status, now())),
        }
        if heard.elapsed() > SILENCE || start.elapsed() > LONGEST {
            child.kill()?;
            return Ok((
                child.wait()?,
                Some("it said nothing for twenty minutes, or took an hour, and was killed"),
            ));
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long tests take is measured in real time"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;

    /// Runs a shell script as if it were a test executable.
    fn run_script(script: &str) -> (Outcome, String) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tests");
        let text = folder.path().join("text");
        fs::write(&text, format!("#!/bin/sh\n{script}\n")).expect("written");
        // Another process writes it: a child that another thread forks meanwhile would inherit the open file, and what is open
        // for writing cannot be run.
        let mut install = Command::new("install");
        let installed = install.args(["-m", "755"]).arg(&text).arg(&path).status();
        assert!(installed.expect("install runs").success());
        let executable = Executable {
            package: "p".into(),
            target: "t".into(),
            is_unit: false,
            is_program: false,
            path,
            folder: folder.path().into(),
        };
        let log = folder.path().join("log/said");
        let wish = Wish {
            executable: &executable,
            threads: 3,
            only: &["part".to_owned()],
            program: Some(Path::new("/the/program")),
            nice: false,
            log: &log,
        };
        let outcome = run(&wish).expect("it runs");
        (outcome, fs::read_to_string(log).expect("kept"))
    }

    #[test]
    fn it_is_given_its_threads_its_names_and_its_program_and_all_it_says_is_kept() {
        let (outcome, log) =
            run_script(r#"echo "$HIGHWATER_PROGRAM $*"; pwd >&2; echo "test a ... ok <0.5s>""#);
        assert!(outcome.ended_well, "{outcome:?}");
        assert!(log.starts_with("/the/program part --test-threads 3 "), "{log}");
        assert_eq!(outcome.read.count(Verdict::Ok), 1);
        assert_eq!(log.lines().count(), 3, "{log}");
    }

    #[test]
    fn what_failed_tests_said_is_told_and_what_came_before_is_not() {
        let (outcome, log) = run_script(
            "echo before; echo failures:; echo '---- x stdout ----'; echo 'test result: FAILED. 1 failed'; exit 101",
        );
        assert!(!outcome.ended_well);
        assert!(
            outcome.failures.starts_with("failures:\n---- x stdout ----\n"),
            "{}",
            outcome.failures
        );
        assert!(log.contains("before"));
        assert!(outcome.end.contains("101"), "{}", outcome.end);
    }

    #[test]
    fn one_that_dies_has_no_closing_line_and_says_by_what() {
        let (outcome, _) = run_script("kill -9 $$");
        assert!(!outcome.ended_well && outcome.read.closing.is_none());
        assert!(outcome.end.contains("signal: 9"), "{}", outcome.end);
    }
}

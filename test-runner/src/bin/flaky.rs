//! `flaky FILE`: runs the tests of real processes, and those that wait for figures or times, again and again beside other
//! work, and keeps a tally. What was run of the same build is not run again, so it may be ended at any time and goes on.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::Context;
use clap::Parser;
use test_runner::{
    Built, Entry, Executable, Load, Outcome, Schedule, Tally, Wish, of_real_processes, run, run_beside,
    sentence, waits_for_time,
};

/// The niceness of the other work in the rounds in which tests have 19: of a processor each of its processes then gets three
/// times what one of theirs gets. Beside work of niceness 0 it were seventy times, and all that is to end within a time fails.
const LOAD_BESIDE_NICE: u8 = 14;

/// Runs tests again and again beside other work.
#[derive(Debug, Parser)]
struct Options {
    /// What `cargo test --no-run --message-format json` said.
    messages: PathBuf,
    /// How often each is run; those that wait for figures or times twice as often.
    #[arg(long, default_value_t = 5)]
    times: u32,
    /// End after so many minutes; the next call goes on.
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
    /// Only executables whose name holds this, as `tests street`.
    #[arg(long, value_name = "PART")]
    executable: Vec<String>,
    /// Only tests whose path holds this.
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
    /// The tally.
    #[arg(long, value_name = "FILE", default_value = "target/flaky/tally")]
    tally: PathBuf,
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let built = Built::of_file(&options.messages)?;
    let named = |name: &str| {
        options.executable.is_empty() || options.executable.iter().any(|part| name.contains(part))
    };
    let executables: Vec<&Executable> = built
        .executables
        .iter()
        .filter(|executable| of_real_processes(executable) || waits_for_time(executable))
        .filter(|executable| named(&executable.name()))
        .collect();
    anyhow::ensure!(
        !executables.is_empty(),
        "no such test executable is of these names"
    );
    let build = build_of(&built, &executables, &options.only)?;
    let mut tally = Tally::open(&options.tally)?;
    let is_done = run_rounds(&options, &built, &executables, &build, &mut tally)?;
    let (lines, well) = tally.told(&build);
    let mut out = io::stdout().lock();
    writeln!(out)?;
    for line in lines {
        writeln!(out, "{line}")?;
    }
    if !is_done {
        writeln!(out, "Not all rounds were run: the same command goes on.")?;
    }
    Ok(match well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Whether all rounds are run now.
fn run_rounds(
    options: &Options,
    built: &Built,
    executables: &[&Executable],
    build: &str,
    tally: &mut Tally,
) -> anyhow::Result<bool> {
    let start = now();
    let processors = thread::available_parallelism().map_or(1, Into::into);
    let folder = std::path::absolute(options.tally.parent().unwrap_or_else(|| Path::new(".")))?;
    let minutes = options.minutes.map(|minutes| Duration::from_secs(minutes * 60));
    for round in 1..=options.times * 2 {
        let nice = round.is_multiple_of(2);
        let niceness = if nice { LOAD_BESIDE_NICE } else { 0 };
        let _load = Load::start(processors, niceness).context("other work cannot be started")?;
        let left = executables.iter().filter(|executable| {
            let is_wished = round <= options.times || waits_for_time(executable);
            is_wished && !tally.has(build, &executable.name(), round)
        });
        let left: Vec<Executable> = left.map(|executable| (*executable).clone()).collect();
        let run_one = |executable: &Executable, threads| {
            run(&Wish {
                executable,
                threads,
                only: &options.only,
                program: built.program.as_deref(),
                nice,
                log: &folder.join(format!("{}-{round}.log", executable.name().replace(' ', "-"))),
            })
        };
        let is_done = run_beside(
            Schedule::new(left, processors),
            || minutes.is_none_or(|minutes| start.elapsed() <= minutes),
            run_one,
            |outcome| {
                tell_one(round, nice, &outcome)?;
                tally.add(Entry::of(&outcome, build, round, nice))
            },
        )?;
        if !is_done {
            return Ok(false);
        }
    }
    Ok(true)
}

fn tell_one(round: u32, nice: bool, outcome: &Outcome) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let nice = if nice { ", nice" } else { "" };
    writeln!(out, "round {round}{nice}: {}", sentence(outcome))?;
    if !outcome.ended_well {
        writeln!(out, "\n{}", outcome.failures)?;
    }
    out.flush()
}

/// What tells this build from others: when the newest of its files was made, and which tests are asked for.
fn build_of(built: &Built, executables: &[&Executable], only: &[String]) -> anyhow::Result<String> {
    let paths = executables.iter().map(|executable| &executable.path);
    let mut newest = Duration::ZERO;
    for path in paths.chain(&built.program) {
        let made = std::fs::metadata(path).and_then(|metadata| metadata.modified());
        let made = made.with_context(|| format!("{} is gone: build again", path.display()))?;
        newest = newest.max(made.duration_since(UNIX_EPOCH)?);
    }
    Ok(format!("{} {}", newest.as_millis(), only.join(" ")))
}

#[expect(clippy::disallowed_methods, reason = "minutes of a person are real time")]
fn now() -> Instant {
    Instant::now()
}

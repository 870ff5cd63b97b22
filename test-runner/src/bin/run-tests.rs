//! `run-tests FILE`: runs the test executables that cargo names in FILE beside each other. Each one's end is told in a line,
//! what its failed tests said below it; then the slowest tests, and a closing line that counts all.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use test_runner::{
    Built, Executable, Outcome, Schedule, Slowest, Wish, closing, dependents, outdated, run, run_beside,
    sentence,
};

/// Runs test executables beside each other.
#[derive(Debug, Parser)]
struct Options {
    /// What `cargo test --no-run --message-format json` said.
    messages: PathBuf,
    /// Only executables of these packages.
    #[arg(long, value_name = "NAME")]
    package: Vec<String>,
    /// Only executables whose name holds this, as `tests street`.
    #[arg(long, value_name = "PART")]
    executable: Vec<String>,
    /// Not executables whose name holds this.
    #[arg(long, value_name = "PART")]
    leave_out: Vec<String>,
    /// Only executables of this crate and of those that depend on it.
    #[arg(long, value_name = "CRATE", requires = "metadata")]
    dependents_of: Option<String>,
    /// What `cargo metadata` said.
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,
    /// Only tests whose path holds this.
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
    /// Where all that is said is kept, a file for each executable.
    #[arg(long, value_name = "FOLDER", default_value = "target/tests")]
    logs: PathBuf,
    /// Write the slowest tests into this file.
    #[arg(long, value_name = "FILE")]
    slowest: Option<PathBuf>,
    /// All of the workspace was built: refuse a list of the longest that names others.
    #[arg(long)]
    whole: bool,
    /// Refuse more executables than this.
    #[arg(long, value_name = "N")]
    executables_max: Option<usize>,
    /// Refuse more compiled crates than this.
    #[arg(long, value_name = "N")]
    crates_max: Option<usize>,
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let built = Built::of_file(&options.messages)?;
    within(
        "test executables",
        built.executables.len(),
        options.executables_max,
    )?;
    within("compiled crates", built.crates, options.crates_max)?;
    if options.whole {
        let outdated = outdated(&built.executables);
        anyhow::ensure!(
            outdated.is_empty(),
            "test-runner/src/schedule.rs lists what is not built: {}",
            outdated.join(", ")
        );
    }
    let executables = wished(&options, &built)?;
    anyhow::ensure!(!executables.is_empty(), "no test executable is of these names");
    let outcomes = run_all(&options, &built, executables)?;
    tell(&options, &outcomes)?;
    Ok(match outcomes.iter().all(|outcome| outcome.ended_well) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Those of the executables that are to be run.
fn wished(options: &Options, built: &Built) -> anyhow::Result<Vec<Executable>> {
    let mut packages: BTreeSet<String> = options.package.iter().cloned().collect();
    if let (Some(name), Some(metadata)) = (&options.dependents_of, &options.metadata) {
        packages.extend(dependents(&std::fs::read_to_string(metadata)?, name)?);
    }
    let holds = |name: &str, parts: &[String]| parts.iter().any(|part| name.contains(part));
    let wished = built.executables.iter().filter(|executable| {
        let name = executable.name();
        (packages.is_empty() || packages.contains(&executable.package))
            && (options.executable.is_empty() || holds(&name, &options.executable))
            && !holds(&name, &options.leave_out)
    });
    Ok(wished.cloned().collect())
}

/// Holds the amount of code that is compiled below a bound, so that time does not creep back.
fn within(what: &str, count: usize, max: Option<usize>) -> anyhow::Result<()> {
    if let Some(max) = max {
        writeln!(io::stdout(), "{count} {what}, of {max} at most")?;
        anyhow::ensure!(
            count <= max,
            "{count} {what} are more than {max}: put tests into a suite that is there, or raise the bound in \
             infra/test/bounds with a reason"
        );
    }
    Ok(())
}

fn run_all(options: &Options, built: &Built, executables: Vec<Executable>) -> anyhow::Result<Vec<Outcome>> {
    let processors = thread::available_parallelism().map_or(1, Into::into);
    let logs = std::path::absolute(&options.logs)?;
    let mut outcomes = Vec::new();
    let run_one = |executable: &Executable, threads| {
        run(&Wish {
            executable,
            threads,
            only: &options.only,
            program: built.program.as_deref(),
            nice: false,
            log: &logs
                .join(executable.name().replace(' ', "-"))
                .with_extension("log"),
        })
    };
    run_beside(
        Schedule::new(executables, processors),
        || true,
        run_one,
        |outcome| {
            tell_one(&outcome)?;
            outcomes.push(outcome);
            Ok(())
        },
    )?;
    Ok(outcomes)
}

fn tell_one(outcome: &Outcome) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", sentence(outcome))?;
    for line in &outcome.read.left_out {
        writeln!(out, "    {line}")?;
    }
    if !outcome.ended_well {
        writeln!(out, "{}", outcome.failures)?;
    }
    out.flush()
}

fn tell(options: &Options, outcomes: &[Outcome]) -> io::Result<()> {
    let mut slowest = Slowest::default();
    for outcome in outcomes {
        slowest.look(outcome);
    }
    let mut out = io::stdout().lock();
    if let Some(file) = &options.slowest {
        let lines: String = slowest.lines().iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(file, format!("\nThe slowest tests:\n{lines}"))?;
    }
    let broken: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.ended_well)
        .map(|outcome| outcome.name.clone())
        .collect();
    if !broken.is_empty() {
        writeln!(
            out,
            "\nFAILED: {} (what they said stands above)",
            broken.join(", ")
        )?;
    }
    writeln!(out, "\n{}", closing(outcomes))?;
    out.flush()
}

//! `simulate`: runs seeds on all processors and prints what came of them.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Parser;
use simulation::{Report, Verdict};

/// Runs the whole pipeline under seeded faults.
#[derive(Debug, Parser)]
struct Options {
    /// How many seeds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Run this seed alone.
    #[arg(long)]
    seed: Option<u64>,
    /// Print what happens, one line for each call of a door.
    #[arg(long)]
    trace: bool,
}

/// What came of all seeds so far.
#[derive(Debug, Default)]
struct Tally {
    seeds: u64,
    lives: u64,
    crash_points: u64,
    lost: u64,
    doubled: u64,
    wrong: u64,
    befell: BTreeMap<&'static str, u64>,
}

impl Tally {
    fn add(&mut self, report: &Report) {
        let Verdict {
            lost, doubled, wrong, ..
        } = &report.verdict;
        self.seeds += 1;
        self.lives += report.lives;
        self.crash_points += report.crash_points;
        self.lost += lost;
        self.doubled += doubled;
        self.wrong += u64::from(!wrong.is_empty());
        for (what, times) in &report.befell {
            *self.befell.entry(what).or_default() += times;
        }
    }
}

#[expect(clippy::print_stdout, reason = "that is what it is for")]
fn main() -> ExitCode {
    let options = Options::parse();
    if options.trace {
        tracing_subscriber::fmt().without_time().init();
    }
    let (first, last) = match options.seed {
        Some(seed) => (seed, seed + 1),
        None => (options.from, options.from + options.seeds),
    };
    let (next, tally) = (AtomicU64::new(first), Mutex::new(Tally::default()));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= last {
                        return;
                    }
                    let report = simulation::run(seed, options.trace);
                    let mut tally = tally.lock().expect("nothing panics that holds it");
                    tally.add(&report);
                    if !report.verdict.is_fine() {
                        println!(
                            "seed {seed}: {:?}\n  alone: make simulate SEED={seed} TRACE=1",
                            report.verdict
                        );
                    }
                }
            });
        }
    });
    let Tally {
        seeds,
        lives,
        crash_points,
        lost,
        doubled,
        wrong,
        befell,
    } = tally.into_inner().expect("nothing panics that holds it");
    for (what, times) in befell {
        println!("{times:>9} {what}");
    }
    println!(
        "seeds {first}..{last}: {seeds} run, {lives} processes, {crash_points} crash points: lost {lost}, doubled {doubled}, otherwise wrong {wrong}"
    );
    if lost + doubled + wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

//! Very many open partitions under load near what the machine can do, and random kills: what that costs in memory and
//! in the latency of the 200.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::conditions;
use super::document::{Document, Kind};
use super::ledger::Ledger;
use super::load::{Load, StopAtLast};
use super::options::Options;
use super::picture::Picture;
use super::process::Process;
use super::report::{Outcome, finish, say};
use super::stage::Stage;
use super::stored::stored;
use super::verdict::{Verdict, held, settle};
use crate::program::{now, thread_sleep};
use crate::{SmallPing, gzip};

/// Connections of the load.
const CONNECTIONS: usize = 64;

/// How long the capacity is measured.
const MEASURED: Duration = Duration::from_secs(15);

/// The share of the capacity that is offered.
const SHARE: f64 = 0.7;

/// Points of the picture from left to right.
const POINTS: u32 = 180;

/// The bound on memory: 300 MB (the benchmark's bar for so many partitions), the layer of the fold, and what each
/// waiting ping may take.
const MEMORY_MAX: u64 = 300_000_000 + (64 << 20);
const WAITING_PING_BYTES: u64 = 24;

/// Runs it over so many partitions.
///
/// # Errors
/// When the program does not start, or the picture cannot be written.
pub fn partitions(options: &Options, number: u64) -> Result<Outcome> {
    let conditions = conditions::conditions();
    say(&format!(
        "{number} partitions for {} s, seed {}; {conditions}",
        options.length.as_secs(),
        options.seed
    ));
    // Built before the time begins to count.
    crate::highwater();
    let stage = Stage::set(false, false);
    let slice = (options.length / POINTS).max(Duration::from_secs(1));
    let ledger = Ledger::new(slice);
    let body = body();
    say(&format!(
        "bodies of {} bytes: so that places and partitions fill the memory, and not bodies the disk",
        body.len()
    ));
    let document = |ticket| document(ticket, number, &body);
    let open = AtomicU64::new(0);
    let run = Run {
        stage: &stage,
        ledger: &ledger,
        settings: settings(number),
        open: &open,
    };
    let mut process = run.start()?;
    let (rate, next) = run.capacity(&document);
    say(&format!(
        "capacity {rate:.0} 200s a second, of which {:.0} % are offered",
        SHARE * 100.0
    ));
    ledger.entries().latencies.clear();
    let from = stage.seconds();
    process = run.load(process, options, rate * SHARE, next, &document)?;
    let until = stage.seconds();
    stage.kill(process);
    let verdict = run.verdict()?;
    if let Some(path) = &options.picture {
        let diary = stage.diary();
        let away = diary.away.iter().filter(|(begin, _)| *begin < until);
        let picture = Picture {
            title: format!(
                "Latency of the 200, {} open partitions",
                open.load(Ordering::SeqCst)
            ),
            below: format!(
                "{:.0} pings a second offered, {:.0} % of {rate:.0}; {} kills -9; seed {}",
                rate * SHARE,
                SHARE * 100.0,
                away.clone().count(),
                options.seed
            ),
            conditions,
            seconds: until - from,
            slice: slice.as_secs_f64(),
            away: away
                .map(|(begin, end)| (begin - from, end.min(until) - from))
                .collect(),
        };
        std::fs::write(path, picture.svg(&ledger.entries().latencies))
            .with_context(|| path.display().to_string())?;
    }
    stage.count(&format!(
        "{} partitions open at once",
        open.load(Ordering::SeqCst)
    ));
    let bound = MEMORY_MAX + WAITING_PING_BYTES * ledger.entries().acknowledged();
    Ok(finish(stage, &ledger, &verdict, bound, "slice"))
}

/// Nothing is sealed by age, so that all partitions stay open.
fn settings(number: u64) -> Vec<String> {
    let number = number.to_string();
    [
        "--seal-age",
        "6h",
        "--open-partitions",
        &number,
        "--new-partitions",
        &number,
        "--aggregates-memory",
        "64MiB",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// The body of all pings: what they say is not what is measured.
fn body() -> Vec<u8> {
    gzip(&SmallPing::numbered(0).body())
}

/// Each ticket is a document of its own; version and build id go round over all partitions.
fn document(ticket: u64, partitions: u64, body: &[u8]) -> Document {
    let mut ping = SmallPing::numbered(ticket + 1);
    let partition = ticket % partitions;
    ping.version = format!("{}.0a1", 50 + partition / 2_000);
    ping.build_id = format!("20170101{:06}", partition % 2_000);
    Document {
        number: ticket + 1,
        kind: Kind::Ping,
        uri: ping.uri(),
        gzipped: true,
        body: body.to_vec(),
    }
}

struct Run<'a> {
    stage: &'a Stage,
    ledger: &'a Ledger,
    settings: Vec<String>,
    /// The most partitions that were open at once.
    open: &'a AtomicU64,
}

impl Run<'_> {
    fn start(&self) -> Result<Process> {
        self.stage.start(&self.settings).map_err(anyhow::Error::msg)
    }

    /// 200s a second, as fast as they are answered; and the ticket that comes next.
    fn capacity(&self, document: &(impl Fn(u64) -> Document + Sync)) -> (f64, u64) {
        let load = Load::new(&self.stage.target, self.ledger, None, 0);
        thread::scope(|scope| {
            let stop = StopAtLast(&load);
            for _ in 0..CONNECTIONS {
                scope.spawn(|| load.send(0, document));
            }
            thread_sleep(MEASURED);
            drop(stop);
        });
        let acknowledged = self.ledger.entries().acknowledged();
        (acknowledged as f64 / load.elapsed().as_secs_f64(), load.next())
    }

    /// Open load, and kills at random moments; the process that lives in the end.
    fn load(
        &self,
        first_process: Process,
        options: &Options,
        rate: f64,
        first: u64,
        document: &(impl Fn(u64) -> Document + Sync),
    ) -> Result<Process> {
        let mut dice = ChaCha8Rng::seed_from_u64(options.seed);
        let load = Load::new(&self.stage.target, self.ledger, Some(rate), first);
        thread::scope(|scope| {
            let stop = StopAtLast(&load);
            for _ in 0..CONNECTIONS {
                scope.spawn(|| load.send(first, document));
            }
            let mut process = first_process;
            loop {
                let life = Duration::from_secs(dice.random_range(20..120));
                let left = options.length.saturating_sub(load.elapsed());
                let begun = now();
                while begun.elapsed() < life.min(left) {
                    thread_sleep(Duration::from_secs(1));
                    self.look(&mut process);
                }
                if life >= left {
                    drop(stop);
                    return Ok(process);
                }
                self.stage.note("kill");
                self.stage.kill(process);
                process = self.start()?;
                say(&format!(
                    "{:.0} s: killed and up again, {} acknowledged",
                    load.elapsed().as_secs_f64(),
                    self.ledger.entries().acknowledged()
                ));
            }
        })
    }

    fn look(&self, process: &mut Process) {
        if let Some(open) = process.metric("highwater_edge_open_partitions") {
            self.open.fetch_max(open as u64, Ordering::SeqCst);
        }
        if let Some(status) = process.has_ended() {
            self.stage.wrong(format!(
                "the program ended by itself: {status}\n{}",
                self.stage.last_lines()
            ));
        }
    }

    /// Seals and counts everything, and holds it against what was acknowledged.
    fn verdict(&self) -> Result<Verdict> {
        let mut settings = self.settings.clone();
        settings[1] = "1s".to_owned();
        let process = self.stage.start(&settings).map_err(anyhow::Error::msg)?;
        say("sealing and counting everything");
        let begun = now();
        settle(self.stage, &process);
        let settled = begun.elapsed();
        self.stage.terminate(process);
        let stored = stored(&self.stage.data, false).map_err(anyhow::Error::msg)?;
        for panic in self.stage.panics() {
            self.stage.wrong(panic);
        }
        Ok(Verdict {
            settled,
            ..held(&stored, self.ledger)
        })
    }
}

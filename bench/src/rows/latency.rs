//! Latency of the 200 at a share of the capacity, against the syncs of the log in the same seconds.
//!
//! The load is open: it is fixed in advance when each ping is to be sent, and its latency counts from then, whether or not
//! a connection was free.

use std::time::Duration;

use anyhow::Result;
use service::clock::SystemClock;
use tokio::runtime::Runtime;

use super::load::CONNECTIONS;
use super::metrics::{Samples, wait_for};
use super::process::{self, Process};
use super::senders::{Pace, Requests, Sending, quantile};
use crate::options::Options;
use crate::outcome::{Bar, Row};
use crate::pairs::{Pairs, Spread};
use crate::sample::Sample;

const PARTITIONS: usize = 50;
/// Seals go on beside the load.
const SEAL_AGE: &str = "1s";
/// Of the capacity.
const SHARE: f64 = 0.4;
/// The bar: so many times the syncs, and so many milliseconds.
const TIMES: f64 = 3.0;
const ALLOWED_MS: f64 = 5.0;
/// What is aimed at next.
const TIMES_NEXT: f64 = 1.5;
/// With fewer samples a 99th percentile rests on fewer than five.
const SAMPLES_MIN: f64 = 500.0;
const SYNCS: &str = "highwater_edge_log_sync_seconds";

/// Measures the capacity, then the latency at a share of it.
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    let work = format!("200 at {:.0} % of capacity, p99", SHARE * 100.0);
    if let Some(reason) = process::missing(&options.highwater) {
        return Ok(vec![Row::left_out(work, reason)]);
    }
    let rounds = rounds(options, sample);
    Ok(vec![match rounds {
        Ok(rounds) => rounds.row(work),
        Err(error) => Row::left_out(work, format!("{error:#}")),
    }])
}

/// What came of the rounds.
struct Rounds {
    capacity: f64,
    rate: f64,
    rounds: Vec<Round>,
}

/// A few seconds of load, in milliseconds.
struct Round {
    p50: f64,
    p99: f64,
    max: f64,
    delay_p99: f64,
    sent: f64,
    syncs: f64,
    sync_p50: f64,
    sync_p99: f64,
}

fn rounds(options: &Options, sample: &Sample) -> Result<Rounds> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let process = runtime.block_on(Process::edge(&options.highwater, SEAL_AGE))?;
    let requests = Requests::new(&sample.pings, "POST", PARTITIONS);
    let (number, seconds) = if options.full {
        (30_000, 10.0)
    } else {
        (12_000, 5.0)
    };
    let mut capacity = 0.0;
    // The first time only warms up.
    for _ in 0..2 {
        capacity = sustained(&runtime, &process, &requests, number)?;
    }
    let rate = capacity * SHARE;
    let mut rounds = Vec::new();
    for _ in 0..options.pairs {
        let before = syncs(&runtime, &process)?;
        let pace = Pace::Every(Duration::from_secs_f64(1.0 / rate));
        let sending = requests.send(&process.edge, (rate * seconds) as usize, pace)?;
        rounds.push(Round::of(&sending, &syncs(&runtime, &process)?.since(&before)));
    }
    Ok(Rounds {
        capacity,
        rate,
        rounds,
    })
}

/// Pings a second that are taken and sealed: those of a closed load by the time until none of them waits any more. A
/// faster load would fill the log.
fn sustained(runtime: &Runtime, process: &Process, requests: &Requests, number: usize) -> Result<f64> {
    let clock = SystemClock::shared();
    requests.send(&process.edge, number, Pace::Closed)?;
    runtime.block_on(wait_for(&process.edge, &[("highwater_edge_waiting_pings", 0.0)]))?;
    Ok(number as f64 / clock.monotonic().as_secs_f64())
}

fn syncs(runtime: &Runtime, process: &Process) -> Result<Samples> {
    runtime.block_on(process.metrics())?.samples(SYNCS)
}

impl Round {
    fn of(sending: &Sending, syncs: &Samples) -> Self {
        let ms = |share: f64| quantile(&sending.latencies, share) * 1e3;
        Self {
            p50: ms(0.5),
            p99: ms(0.99),
            max: ms(1.0),
            delay_p99: quantile(&sending.delays, 0.99) * 1e3,
            sent: sending.latencies.len() as f64,
            syncs: syncs.count(),
            sync_p50: syncs.quantile(0.5) * 1e3,
            sync_p99: syncs.quantile(0.99) * 1e3,
        }
    }
}

impl Rounds {
    fn row(&self, work: String) -> Row {
        let (mut pairs, mut next) = (Pairs::default(), Pairs::default());
        for round in &self.rounds {
            pairs.push(round.p99, TIMES * round.sync_p99 + ALLOWED_MS);
            next.push(round.p99, TIMES_NEXT * round.sync_p99 + ALLOWED_MS);
        }
        let of = |figure: fn(&Round) -> f64| Spread::of(self.rounds.iter().map(figure));
        let fewest = of(|round| round.sent.min(round.syncs)).min;
        let void = (fewest < SAMPLES_MIN).then(|| format!("a round has only {fewest:.0} 200s or syncs"));
        let note = format!(
            "capacity {:.0} pings a second answered and sealed (closed load, {CONNECTIONS} connections), {:.0} a second \
             offered in {} rounds, seals after {SEAL_AGE} beside them; load and edge share the processors. Medians: 200 p50 {:.2}, p99 {:.2}, \
             max {:.1} ms, of which the p99 of being sent late {:.2} ms; {:.0} syncs a round, p50 {:.2}, p99 {:.2} ms, \
             read off buckets of a quarter's width. Against {TIMES_NEXT} x + {ALLOWED_MS} ms: {:.2}",
            self.capacity,
            self.rate,
            self.rounds.len(),
            of(|round| round.p50).median,
            of(|round| round.p99).median,
            of(|round| round.max).median,
            of(|round| round.delay_p99).median,
            of(|round| round.syncs).median,
            of(|round| round.sync_p50).median,
            of(|round| round.sync_p99).median,
            next.ratios().median,
        );
        let against = "3 x p99 of the log's syncs + 5 ms";
        Row::compared(work, against, Bar::AtMost(1.0), "ms", pairs)
            .note(note)
            .void(void)
    }
}

//! The edge as a process: from socket to durable chunk, its capacity, its memory.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use chunk::Tail;
use service::task;
use tokio::runtime::Runtime;

use super::load::{CONNECTIONS, Load};
use super::process::{self, Process};
use crate::cpu;
use crate::options::Options;
use crate::outcome::Row;
use crate::pairs::{Pairs, Spread};
use crate::sample::Sample;
use crate::yardstick::Transcode;

const PARTITIONS: usize = 50;
/// Long enough that everything is answered before the first seal.
const SEAL_AGE: &str = "3s";
const MEMORY_BAR_MB: f64 = 200.0;

/// Measures throughput and memory.
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    if let Some(reason) = process::missing(&options.highwater) {
        return Ok(vec![Row::left_out("edge", reason)]);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut rows = throughput(options, sample, &runtime).unwrap_or_else(|error| {
        vec![Row::left_out(
            "edge, socket to durable chunk",
            format!("{error:#}"),
        )]
    });
    for partitions in [10, 1_000] {
        let work = format!("edge memory, {partitions} open partitions, {CONNECTIONS} connections");
        let measured = runtime.block_on(memory(options, sample, partitions));
        rows.push(match measured {
            Ok(megabytes) => Row::figure(work, megabytes, "MB", Some(MEMORY_BAR_MB)),
            Err(error) => Row::left_out(work, format!("{error:#}")),
        });
    }
    Ok(rows)
}

fn throughput(options: &Options, sample: &Sample, runtime: &Runtime) -> Result<Vec<Row>> {
    let number = sample.pings.len();
    let load = Load::new(&sample.pings, number, PARTITIONS);
    let process = runtime.block_on(Process::edge(&options.highwater, SEAL_AGE))?;
    let mut limit = Transcode::new()?;
    let (mut rates, mut stored, mut refused) = (Vec::new(), 0, 0);
    let ours = || {
        let (before, threads) = (process.cpu_seconds()?, process.threads_cpu_seconds()?);
        refused += runtime.block_on(load.send(&process.edge))?;
        let answering = process.threads_cpu_seconds()? - threads;
        if records(&process.store())? == stored {
            rates.push(number as f64 / answering);
        }
        // A ping whose answer was lost is sent, and stored, twice.
        stored = runtime.block_on(wait_until_stored(&process, stored + number as u64))?;
        Ok(process.cpu_seconds()? - before)
    };
    let yardstick = || {
        let (seconds, done) = cpu::of(|| {
            limit.inflate(&sample.pings)?;
            limit.compress(&sample.pings)
        });
        done.map(|_| seconds)
    };
    let pairs = Pairs::alternate(options.pairs, ours, yardstick)?;
    let work = format!(
        "edge, socket to chunk, {PARTITIONS} x {} pings",
        number / PARTITIONS
    );
    let whole = Row::ratios(work, "libdeflate + zstd -3 alone", 1.8, number, pairs).note(format!(
        "{refused} submissions were refused for want of room and sent again; 200 ms of idling are in each run"
    ));
    let work = "edge, 200s per CPU second";
    if rates.is_empty() {
        return Ok(vec![
            whole,
            Row::left_out(work, "in every run chunks were sealed before the last 200"),
        ]);
    }
    let rate = Spread::of(rates.iter().copied());
    let note = format!(
        "{:.0} to {:.0} in {} runs of {number} pings, from the first byte to the last 200, all synced, nothing sealed yet",
        rate.min,
        rate.max,
        rates.len()
    );
    Ok(vec![
        whole,
        Row::figure(work, rate.median, "1/s", None).note(note),
    ])
}

/// The most memory of an edge in whose log pings of so many partitions wait.
async fn memory(options: &Options, sample: &Sample, partitions: usize) -> Result<f64> {
    let process = Process::edge(&options.highwater, "1h").await?;
    let number = sample.pings.len().max(1_000);
    Load::new(&sample.pings, number, partitions)
        .send(&process.edge)
        .await?;
    process.peak_megabytes()
}

/// Waits until chunks in the store hold so many records, and the process has come to rest. Answers how many there are.
async fn wait_until_stored(process: &Process, records_due: u64) -> Result<u64> {
    for _ in 0..600 {
        task::sleep(Duration::from_millis(50)).await;
        if records(&process.store())? >= records_due {
            task::sleep(Duration::from_millis(200)).await;
            return records(&process.store());
        }
    }
    bail!("not everything was stored within 30 seconds")
}

/// Records in all chunks below a folder.
fn records(folder: &Path) -> Result<u64> {
    let mut records = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            records += self::records(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "zst") {
            let bytes = fs::read(&path)?;
            let tail = Tail::parse(&bytes, bytes.len() as u64).with_context(|| path.display().to_string())?;
            records += tail.summary.records;
        }
    }
    Ok(records)
}

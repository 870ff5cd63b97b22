//! The edge as a process: from socket to durable chunk.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use chunk::Tail;
use service::task;

use super::load::Load;
use super::process::{self, Process};
use crate::cpu;
use crate::options::Options;
use crate::outcome::Row;
use crate::pairs::Pairs;
use crate::sample::Sample;
use crate::yardstick::Transcode;

const PARTITIONS: usize = 50;
/// Long enough that everything is answered before the first seal.
const SEAL_AGE: &str = "3s";

/// Measures it.
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    let work = format!(
        "edge, socket to chunk, {PARTITIONS} x {} pings",
        sample.pings.len() / PARTITIONS
    );
    if let Some(reason) = process::missing(&options.highwater) {
        return Ok(vec![Row::left_out(work, reason)]);
    }
    let row = throughput(options, sample, &work);
    Ok(vec![row.unwrap_or_else(|error| {
        Row::left_out(work, format!("{error:#}"))
    })])
}

fn throughput(options: &Options, sample: &Sample, work: &str) -> Result<Row> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let number = sample.pings.len();
    let load = Load::new(&sample.pings, number, PARTITIONS);
    let process = runtime.block_on(Process::edge(&options.highwater, SEAL_AGE))?;
    let mut limit = Transcode::new()?;
    let (mut stored, mut refused) = (0, 0);
    let ours = || {
        let before = process.cpu_seconds()?;
        refused += runtime.block_on(load.send(&process.edge))?;
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
    Ok(
        Row::ratios(work, "libdeflate + zstd -3 alone", 1.8, number, pairs).note(format!(
            "{refused} submissions were refused for want of room and sent again; 200 ms of idling are in each run"
        )),
    )
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

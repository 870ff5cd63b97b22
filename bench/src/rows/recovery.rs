//! Recovery: the start of the program on a large log that a kill left, against reading that log with a checksum alone.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::Result;
use crc_fast::{CrcAlgorithm, checksum};

use super::load::Load;
use super::metrics::wait_for;
use super::process::{self, Process};
use crate::cpu;
use crate::options::Options;
use crate::outcome::Row;
use crate::pairs::{Pairs, Spread};
use crate::sample::Sample;

const PARTITIONS: usize = 1_000;
const BAR: f64 = 3.0;
const MEMORY_BAR_MB: f64 = 256.0;
/// Bytes of the log, and of it in a short run.
const LOG_BYTES: usize = 2_000_000_000;
const LOG_BYTES_SHORT: usize = 256_000_000;

/// Measures CPU time and memory of the start.
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    let bytes = if options.full { LOG_BYTES } else { LOG_BYTES_SHORT };
    let work = format!("recovery of a {} MB log after kill -9", bytes / 1_000_000);
    if let Some(reason) = process::missing(&options.highwater) {
        return Ok(vec![Row::left_out(work, reason)]);
    }
    recover(options, sample, bytes, &work)
        .or_else(|error| Ok(vec![Row::left_out(work, format!("{error:#}"))]))
}

fn recover(options: &Options, sample: &Sample, bytes: usize, work: &str) -> Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let settings = [
        "--seal-age",
        "1h",
        "--log-budget",
        "64GiB",
        "--new-partitions",
        "1000000",
    ];
    let mut process = runtime.block_on(Process::edge_with(&options.highwater, &settings))?;
    let number = bytes / (sample.gzip_bytes() / sample.pings.len()).max(1);
    runtime.block_on(Load::new(&sample.pings, number, PARTITIONS).send(&process.edge))?;
    let log = process.log();
    let mut peaks = Vec::new();
    let ours = || {
        runtime.block_on(process.kill_and_start())?;
        let seconds = process.threads()?.seconds();
        peaks.push(process.peak_megabytes()?);
        let waiting = [
            ("highwater_edge_waiting_pings", number as f64),
            ("highwater_edge_open_partitions", PARTITIONS.min(number) as f64),
        ];
        runtime.block_on(wait_for(&process.edge, &waiting))?;
        Ok(seconds)
    };
    let yardstick = || {
        let (seconds, done) = cpu::of(|| read_with_checksum(&log));
        done.map(|_| seconds)
    };
    let pairs = Pairs::alternate(options.pairs, ours, yardstick)?;
    let peak = Spread::of(peaks.iter().copied());
    let note = format!(
        "{number} pings of {PARTITIONS} partitions wait in {:.0} MB; from exec to the first 200 of the heartbeat, all of \
         the start included; the files lie in the page cache for both",
        read_with_checksum(&log)? as f64 / 1e6
    );
    let against = "reading it with CRC-32C alone";
    Ok(vec![
        Row::ratios(format!("{work}, CPU"), against, BAR, number, pairs).note(note),
        Row::figure(format!("{work}, memory"), peak.max, "MB", Some(MEMORY_BAR_MB))
            .note(format!("highest VmHWM of {} starts", peaks.len())),
    ])
}

/// Reads all segments with a checksum and nothing else; answers their bytes.
fn read_with_checksum(log: &Path) -> Result<u64> {
    let mut window = vec![0; 1 << 20];
    let mut bytes = 0;
    for entry in fs::read_dir(log)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        let (file, mut offset) = (fs::File::open(path)?, 0);
        loop {
            let read = file.read_at(&mut window, offset)?;
            if read == 0 {
                break;
            }
            std::hint::black_box(checksum(CrcAlgorithm::Crc32Iscsi, &window[..read]));
            offset += read as u64;
        }
        bytes += offset;
    }
    Ok(bytes)
}

//! Engines: the fold as a whole process of one thread, against engines that aggregate the same histograms of the same
//! pings.
//!
//! The engine gets NDJSON, already inflated, and adds up bins. Ours gets a chunk of the same pings, and besides does all
//! that a fold does: decompresses, finds repeats, keeps to the rules, adds single numbers, users and sums, and makes the
//! batch. What both print must be equal, else the row is void.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use serde_json::Value;
use tempfile::TempDir;

use super::child::{self, Ended};
use super::chunks::ChunkMaker;
use super::fold::fold;
use super::peers::{self, Peer};
use crate::aggregated::{Aggregated, count_metrics};
use crate::calibration::KEYS_PINGS;
use crate::options::Options;
use crate::outcome::Row;
use crate::pairs::Pairs;
use crate::sample::Sample;

const CHDB: Peer = Peer {
    module: "chdb",
    name: "chDB, whole process, one thread",
    bar: Some(0.35),
};
const DUCKDB: Peer = Peer {
    module: "duckdb",
    name: "DuckDB, whole process, one thread",
    bar: None,
};

/// Measures 2,000 pings against both engines, and in a full run 10,000 against the faster one.
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    let mut rows = measure_pings(options, sample, KEYS_PINGS, &[CHDB, DUCKDB])?;
    if options.persisted_pings() > KEYS_PINGS {
        rows.extend(measure_pings(
            options,
            sample,
            options.persisted_pings(),
            &[CHDB],
        )?);
    }
    Ok(rows)
}

fn measure_pings(options: &Options, sample: &Sample, number: usize, engines: &[Peer]) -> Result<Vec<Row>> {
    let work = format!("fold as a process, {number} pings");
    let there: Vec<&Peer> = engines.iter().filter(|peer| peer.is_there(options)).collect();
    let mut rows = Vec::new();
    if !there.is_empty() {
        let files = Files::write(sample, number)?;
        for engine in there {
            rows.push(
                compare(options, &files, engine, &work)
                    .unwrap_or_else(|error| Row::failed(work.clone(), format!("{error:#}"))),
            );
        }
    }
    for absent in engines.iter().filter(|peer| !peer.is_there(options)) {
        rows.push(Row::left_out(work.clone(), absent.missing(options)));
    }
    Ok(rows)
}

/// Pairs of one engine; an error is a void row.
fn compare(options: &Options, files: &Files, engine: &Peer, work: &str) -> Result<Row> {
    let expected = files.aggregated;
    let agree = |ended: Ended| {
        let aggregated = Aggregated::from_json(&serde_json::from_str(&ended.printed)?)?;
        ensure!(
            aggregated == expected,
            "{} aggregated {}, ours {}",
            engine.module,
            aggregated.to_json(),
            expected.to_json()
        );
        Ok(ended.cpu_seconds)
    };
    let script = peers::folder().join("engines.py");
    let peer = || {
        let mut command = Command::new(&options.peers_python);
        let arguments = [
            files.pings().into_os_string(),
            files.count_metrics().into_os_string(),
        ];
        agree(child::run(
            command.arg(&script).arg(engine.module).args(arguments),
        )?)
    };
    let ours = || agree(files.fold()?);
    let pairs = Pairs::alternate(options.pairs, ours, peer)?;
    let row = Row::against(work, engine.name, engine.bar, files.number, pairs);
    let Aggregated { keys, counts, bins } = expected;
    Ok(row.note(format!(
        "equal in both: {keys} keys, {counts} samples, {bins} bins; {} pings, repeats left out; CPU of children in \
         steps of 10 ms",
        files.number
    )))
}

/// The same pings as a chunk and as NDJSON, and what they add up to.
struct Files {
    folder: TempDir,
    number: usize,
    aggregated: Aggregated,
}

impl Files {
    /// Writes the first copies among the first pings of a sample.
    fn write(sample: &Sample, pings: usize) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut ndjson = BufWriter::new(File::create(folder.path().join("pings.ndjson"))?);
        let mut maker = ChunkMaker::new()?;
        let firsts: Vec<(String, Vec<u8>)> = sample.firsts(pings).collect();
        for (_, body) in &firsts {
            ndjson.write_all(body)?;
            ndjson.write_all(b"\n")?;
        }
        ndjson.flush()?;
        let chunk = maker.write(firsts.iter().map(|(uri, body)| (uri.as_str(), body.as_slice())))?;
        fs::write(folder.path().join("chunk.zst"), &chunk)?;
        let mut files = Self {
            folder,
            number: firsts.len(),
            aggregated: Aggregated {
                keys: 0,
                counts: 0,
                bins: 0,
            },
        };
        let folded: Value = serde_json::from_str(&files.fold()?.printed)?;
        files.aggregated = Aggregated::from_json(&folded)?;
        let counts = folded["count_metrics"].as_array().context("no count metrics")?;
        let names: Vec<&str> = counts.iter().filter_map(Value::as_str).collect();
        fs::write(files.count_metrics(), names.join("\n"))?;
        Ok(files)
    }

    fn pings(&self) -> PathBuf {
        self.folder.path().join("pings.ndjson")
    }

    fn count_metrics(&self) -> PathBuf {
        self.folder.path().join("count-metrics.txt")
    }

    /// Has this program fold the chunk in a process of its own.
    fn fold(&self) -> Result<Ended> {
        let mut command = Command::new(std::env::current_exe()?);
        child::run(
            command
                .arg("fold-chunk")
                .arg(self.folder.path().join("chunk.zst")),
        )
    }
}

/// What the child does: folds a chunk and prints what that gave.
#[expect(clippy::print_stdout, reason = "its parent reads what it prints")]
pub(crate) fn fold_chunk(path: &Path) -> Result<()> {
    let chunk = Bytes::from(fs::read(path).with_context(|| format!("could not read {}", path.display()))?);
    let batch = fold(&chunk)?.take();
    let mut told = Aggregated::of(&batch)?.to_json();
    told["count_metrics"] = count_metrics(&batch).into_iter().collect();
    println!("{told}");
    Ok(())
}

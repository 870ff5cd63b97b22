//! Questions: how long answers take of a million aggregates of one channel and version, through HTTP, by one asker.
//!
//! The program is a process of its own on a data directory into which the pings were imported. An engine that holds the same rows in
//! memory is asked the same beside it, in its own process, without HTTP.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::chunks::ChunkMaker;
use super::fold::fold;
use super::peers::{self, Peer};
use super::process::{self, Process};
use super::senders::{Requests, quantile};
use super::{child, import};
use crate::million::{self, Asked};
use crate::options::Options;
use crate::outcome::Row;
use crate::sample::Sample;

const WORK: &str = "answers from a million aggregates";
/// So many pings make about so many aggregates.
const PINGS: usize = 10_000;
/// Questions of each kind in a round; the first round warms up.
const ASKED: usize = 1_000;
const DUCKDB: Peer = Peer {
    module: "duckdb",
    name: "DuckDB in memory, no HTTP",
    bar: None,
};

/// One kind of question: its name, and the bars of its median and its 99th percentile, in milliseconds.
struct Kind {
    name: &'static str,
    targets: fn(&Asked) -> Vec<String>,
    bars: (Option<f64>, Option<f64>),
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "one metric, two filters",
        targets: Asked::filtered,
        bars: (Some(0.3), Some(1.5)),
    },
    Kind {
        name: "by build date and system",
        targets: Asked::grouped,
        bars: (Some(2.0), None),
    },
    Kind {
        name: "keyed metric by label",
        targets: Asked::labelled,
        bars: (Some(5.0), None),
    },
];

/// Measures them in a full run or when asked for: making the aggregates takes minutes.
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    if !options.full && options.rows.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(reason) = process::missing(&options.highwater) {
        return Ok(vec![Row::left_out(WORK, reason)]);
    }
    let rows = ask_all(options, sample);
    Ok(rows.unwrap_or_else(|error| vec![Row::failed(WORK, format!("{error:#}"))]))
}

fn ask_all(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let lines = folder.path().join("pings.ndjson");
    let rows = folder.path().join("rows.ndjson");
    let (asked, number) = make(sample, &lines, &rows)?;
    import::once(&options.highwater, &lines, &folder.path().join("data"), PINGS)?;
    fs::remove_file(&lines)?;
    let bytes = file_bytes(&folder.path().join("data"))?;
    let peer = DUCKDB
        .is_there(options)
        .then(|| engine(options, &rows, &asked))
        .transpose()?;
    fs::remove_file(&rows)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let process = runtime.block_on(Process::serve_on(&options.highwater, folder))?;
    let mut table = Vec::new();
    for kind in &KINDS {
        table.extend(ask(options, &process, kind, &asked, peer.as_ref())?);
    }
    let note = format!(
        "{number} aggregates of {PINGS} pings in {:.1} MB; metrics asked for in turn: {}; the keyed one, {}, has {} rows; filters {} and {}",
        bytes as f64 / 1e6,
        asked.metrics.len(),
        asked.keyed,
        asked.keyed_rows,
        asked.application,
        asked.os
    );
    let per_million = bytes as f64 / number as f64;
    table.push(
        Row::figure(
            "bytes on disk of 1,000,000 aggregates",
            per_million,
            "MB",
            Some(45.0),
        )
        .note(note),
    );
    Ok(table)
}

/// Writes the pings as lines and their aggregates as rows. Answers what to ask, and how many aggregates there are.
fn make(sample: &Sample, lines: &Path, rows: &Path) -> Result<(Asked, usize)> {
    let mut file = BufWriter::new(File::create(lines)?);
    let mut maker = ChunkMaker::new()?;
    let mut failed = None;
    let pings = (0..PINGS).map_while(|n| {
        let made = million::ping(sample, n).and_then(|(uri, body)| {
            import::write_line(&mut file, &uri, &body)?;
            Ok((uri, body))
        });
        made.map_err(|error| failed = Some(error)).ok()
    });
    let chunk = maker.write_owned(pings)?;
    if let Some(error) = failed {
        return Err(error);
    }
    file.flush()?;
    let batch = fold(&chunk)?.take();
    let mut file = BufWriter::new(File::create(rows)?);
    million::write_rows(&batch, &mut file)?;
    file.flush()?;
    Ok((Asked::of(&batch)?, batch.cells.len()))
}

/// Asks one kind of question in rounds; the medians of the rounds' quantiles count.
fn ask(
    options: &Options,
    process: &Process,
    kind: &Kind,
    asked: &Asked,
    peer: Option<&Value>,
) -> Result<[Row; 2]> {
    let requests = Requests::gets((kind.targets)(asked));
    let heartbeat = Requests::gets(vec!["/__lbheartbeat__".to_owned()]);
    let (mut p50, mut p99, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    requests.ask_in_turn(&process.api, ASKED)?;
    for _ in 0..options.pairs {
        let latencies = requests.ask_in_turn(&process.api, ASKED)?;
        p50.push(quantile(&latencies, 0.5) * 1e3);
        p99.push(quantile(&latencies, 0.99) * 1e3);
        alone.push(quantile(&heartbeat.ask_in_turn(&process.api, ASKED)?, 0.5) * 1e3);
    }
    let median = |figures: &[f64]| crate::pairs::Spread::of(figures.iter().copied()).median;
    let figure = |what: &str, figures: &[f64], bar: Option<f64>| {
        Row::figure(format!("{}, {what}", kind.name), median(figures), "ms", bar)
    };
    let told = peer.map_or_else(
        || DUCKDB.missing(options),
        |peer| {
            format!(
                "{}: p50 {} ms, p99 {} ms",
                DUCKDB.name, peer[kind.name]["p50"], peer[kind.name]["p99"]
            )
        },
    );
    let note = format!(
        "{} rounds of {ASKED} questions by one asker; p50 of the rounds {p50:.3?} ms; HTTP alone p50 {:.3} ms; {told}",
        options.pairs,
        median(&alone)
    );
    Ok([
        figure("p50", &p50, kind.bars.0).note(note),
        figure("p99", &p99, kind.bars.1),
    ])
}

/// Has an engine load the rows and answer the same questions. Answers its figures by kind.
fn engine(options: &Options, rows: &Path, asked: &Asked) -> Result<Value> {
    let mut command = Command::new(&options.peers_python);
    command
        .arg(peers::folder().join("questions.py"))
        .arg(rows)
        .arg(asked.to_json().to_string());
    let told: Value = serde_json::from_str(&child::run(&mut command)?.printed)?;
    ensure!(told.is_object(), "the engine told no figures");
    let names = [KINDS[0].name, KINDS[1].name, KINDS[2].name];
    Ok(json!({ names[0]: told["filtered"], names[1]: told["grouped"], names[2]: told["labelled"] }))
}

/// Bytes of the database of aggregates.
fn file_bytes(data: &Path) -> Result<u64> {
    let folder = data.join("aggregates");
    let mut bytes = 0;
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        bytes += entry?.metadata()?.len();
    }
    ensure!(bytes > 0, "no database of aggregates in {}", folder.display());
    Ok(bytes)
}

//! Questions: how long answers take of a million aggregates of one channel and version, through HTTP, by one asker.
//!
//! The program is a process of its own on a data directory into which the pings were imported. An engine that holds the same rows in
//! memory is asked the same beside it.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::asking::{self, Asking, Bars, Kind, PINGS};
use super::chunks::ChunkMaker;
use super::fold::fold;
use super::import;
use super::process::{self, Process};
use crate::million::{self, Asked};
use crate::options::Options;
use crate::outcome::Row;
use crate::sample::Sample;

const WORK: &str = "answers from a million aggregates";

/// Questions of each kind in a round.
const QUESTIONS: usize = 1_000;

const fn bars(kind: Kind) -> Bars {
    match kind {
        Kind::Filtered => (Some(0.3), Some(1.5)),
        Kind::Grouped => (Some(2.0), None),
        Kind::Labelled => (Some(5.0), None),
    }
}

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
    import::once(
        &options.highwater,
        &lines,
        &folder.path().join("data"),
        PINGS,
        &[],
    )?;
    fs::remove_file(&lines)?;
    let bytes = file_bytes(&folder.path().join("data"))?;
    let engine = asking::engine(options, &rows, &asked)?;
    fs::remove_file(&rows)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let process = runtime.block_on(Process::serve_on(&options.highwater, folder, &[]))?;
    let asking = Asking {
        options,
        place: "",
        address: &process.api,
        asked: &asked,
        questions: QUESTIONS,
        engine: engine.as_ref(),
    };
    let mut table = Vec::new();
    for kind in Kind::ALL {
        table.extend(asking.ask(kind, bars(kind))?);
    }
    let per_million = bytes as f64 / number as f64;
    table.push(
        Row::figure(
            "bytes on disk of 1,000,000 aggregates",
            per_million,
            "MB",
            Some(45.0),
        )
        .note(asking::describe(&asked, number, bytes)),
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

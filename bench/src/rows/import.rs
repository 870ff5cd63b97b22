//! Import: `highwater import` of an NDJSON file, the whole process until everything is settled, against the gather and
//! the fold of the same pings.
//!
//! Besides these two, import reads the file twice (its digest, its lines), logs the lines, indexes the chunks, and
//! persists aggregates and repeats.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::child;
use super::chunks::ChunkMaker;
use super::fold::fold;
use super::logged::Logged;
use super::process;
use crate::bodies::Sent;
use crate::cpu;
use crate::options::Options;
use crate::outcome::Row;
use crate::pairs::{Pairs, Spread};
use crate::sample::{Sample, day};

const BAR: f64 = 1.3;

/// Measures as many pings as are persisted.
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    let number = options.persisted_pings();
    let work = format!("import of {number} pings, whole process");
    if let Some(reason) = process::missing(&options.highwater) {
        return Ok(vec![Row::left_out(work, reason)]);
    }
    let pings: Vec<Sent> = (0..number).map(|n| sample.sent(n)).collect();
    let row = import(options, &work, &pings).unwrap_or_else(|error| Row::failed(work, format!("{error:#}")));
    Ok(vec![row])
}

/// Pairs; an error is a void row.
fn import(options: &Options, work: &str, pings: &[Sent]) -> Result<Row> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("pings.ndjson");
    write_lines(&file, pings)?;
    let mut logged = Logged::open()?;
    let bodies = pings.iter().map(|ping| (ping.uri.as_str(), ping.body.as_slice()));
    let chunk = ChunkMaker::new()?.write(bodies)?;
    let (mut gathers, mut folds, mut partitions) = (Vec::new(), Vec::new(), 0);
    let ours = || {
        once(
            &options.highwater,
            &file,
            tempfile::tempdir()?.path(),
            pings.len(),
            &[],
        )
    };
    let yardstick = || {
        partitions = logged.submit_as_sent(pings)?;
        let gather = logged.seal()?;
        let (fold, folded) = cpu::of(|| fold(&chunk));
        folded?;
        gathers.push(gather);
        folds.push(fold);
        Ok(gather + fold)
    };
    let pairs = Pairs::alternate(options.pairs, ours, yardstick)?;
    let against = pairs.yardstick().median;
    let share = |seconds: &[f64]| Spread::of(seconds.iter().copied()).median / against;
    let note = format!(
        "into {partitions} partitions; of the yardstick: gather of gzip bodies {:.3}, fold in one batch {:.3}; CPU of \
         the import in steps of 10 ms, its start and its end included",
        share(&gathers),
        share(&folds)
    );
    Ok(Row::ratios(work, "gather and fold of the same", BAR, pings.len(), pairs).note(note))
}

fn write_lines(path: &Path, pings: &[Sent]) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for ping in pings {
        write_line(&mut file, &ping.uri, &ping.body)?;
    }
    file.flush()?;
    Ok(())
}

/// Writes one ping as a line of a file to import.
pub(crate) fn write_line(file: &mut impl Write, uri: &str, body: &[u8]) -> Result<()> {
    write!(
        file,
        "{{\"submissionDate\":\"{}\",\"uri\":{},\"body\":",
        day(),
        json!(uri)
    )?;
    file.write_all(body)?;
    file.write_all(b"}\n")?;
    Ok(())
}

/// Imports a file into a new data directory by these settings. Answers the CPU seconds, after every ping was found to be accounted
/// for.
pub(crate) fn once(program: &Path, file: &Path, data: &Path, pings: usize, settings: &[&str]) -> Result<f64> {
    let mut command = Command::new(program);
    command.arg("import").arg(file).args(settings);
    let ended = child::run(on(&mut command, data))?;
    let mut command = Command::new(program);
    command.args(["status", "--json"]);
    let status = child::run(on(&mut command, data))?.printed;
    let status: Value = serde_json::from_str(&status).context("the status is JSON")?;
    let count = |name: &str| status[name].as_u64().unwrap_or_default();
    let settled = count("folded") + count("repeated");
    ensure!(settled == pings as u64, "of {pings} pings {settled} were settled");
    Ok(ended.cpu_seconds)
}

fn on<'a>(command: &'a mut Command, data: &Path) -> &'a mut Command {
    command.arg("--data-dir").arg(data).args(["--log-filter", "warn"])
}

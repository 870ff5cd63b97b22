//! Fold: a chunk's bytes to aggregates in memory, on generated and on recorded pings.

use std::collections::HashSet;

use aggregator::fold::Folder;
use anyhow::{Result, anyhow};
use bytes::Bytes;
use chunk::{ChunkReader, records};

use super::chunks::ChunkMaker;
use crate::options::Options;
use crate::outcome::Row;
use crate::pairs::{Pairs, Spread};
use crate::sample::Sample;
use crate::{cpu, recorded, yardstick};

const BAR: f64 = 0.5;

/// Measures generated pings, and recorded ones where they are.
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    let generated: Vec<(String, Vec<u8>)> = sample
        .pings
        .iter()
        .map(|ping| (ping.uri.clone(), ping.body.clone()))
        .collect();
    let mut rows = vec![measure_pings(options, "fold, generated pings", &generated)?];
    let recorded = recorded::main_pings();
    if recorded.is_empty() {
        rows.push(Row::left_out("fold, recorded pings", "../shared is absent"));
        return Ok(rows);
    }
    let uri = |n: usize| {
        format!(
            "/submit/telemetry/00000000-0000-4000-8000-{n:012x}/main/Firefox/54.0a1/nightly/20170130030205?v=4"
        )
    };
    let number = (sample.pings.len() / 2).max(1);
    let cycled: Vec<(String, Vec<u8>)> = recorded
        .iter()
        .cycle()
        .take(number)
        .enumerate()
        .map(|(n, body)| (uri(n), body.clone()))
        .collect();
    rows.push(measure_pings(options, "fold, recorded pings", &cycled)?);
    Ok(rows)
}

fn measure_pings(options: &Options, work: &str, pings: &[(String, Vec<u8>)]) -> Result<Row> {
    let chunk = ChunkMaker::new()?.write(pings.iter().map(|(uri, body)| (uri.as_str(), body.as_slice())))?;
    let ours = || {
        let (seconds, folder) = cpu::of(|| fold(&chunk));
        folder.map(|_| seconds)
    };
    let limit = || {
        let bodies = pings.iter().map(|(_, body)| body.as_slice());
        let (seconds, done) = cpu::of(|| yardstick::values(bodies));
        done.map(|()| seconds)
    };
    let pairs = Pairs::alternate(options.pairs, ours, limit)?;
    let parts = Parts::measure(&chunk, options.pairs)?;
    let note = parts.describe(pings.len(), pairs.yardstick().median);
    Ok(Row::ratios(work, "serde_json::Value of the same", BAR, pings.len(), pairs).note(note))
}

/// Folds a chunk of first copies: unzstd, parse, all rules, repeats by the ids frame, users.
pub(crate) fn fold(chunk: &Bytes) -> Result<Folder> {
    let mut folder = Folder::new();
    let mut reader = ChunkReader::new(chunk.clone())?;
    let mut counted = HashSet::new();
    let firsts: Vec<bool> = reader
        .ids()?
        .map(|identity| identity.map(|identity| counted.insert(identity.document_hash)))
        .collect::<Result<_, _>>()?;
    let mut firsts = firsts.into_iter();
    let mut raw = Vec::new();
    for frame in 0..reader.frames().len() {
        reader.frame_into(frame, &mut raw)?;
        for record in records(&raw) {
            let record = record?;
            read(&mut folder, &record)?;
            folder.note_user();
            if firsts.next() == Some(true) {
                folder.add();
            }
        }
    }
    Ok(folder)
}

fn read(folder: &mut Folder, record: &chunk::RecordRef<'_>) -> Result<()> {
    folder
        .read(record.body, record.submission_date)
        .map_err(|error| anyhow!("a sample ping is an errored one: {}", error.reason()))
}

/// CPU seconds of parts of a fold, each measured alone.
#[derive(Debug, Default)]
struct Parts {
    unzstd: Vec<f64>,
    parse: Vec<f64>,
    add: Vec<f64>,
    hand_over: Vec<f64>,
    cells: usize,
}

impl Parts {
    fn measure(chunk: &Bytes, times: usize) -> Result<Self> {
        let mut parts = Self::default();
        for _ in 0..times {
            let mut reader = ChunkReader::new(chunk.clone())?;
            let (mut unzstd, mut parse, mut add) = (0.0, 0.0, 0.0);
            let mut folder = Folder::new();
            let mut raw = Vec::new();
            for frame in 0..reader.frames().len() {
                let (seconds, done) = cpu::of(|| reader.frame_into(frame, &mut raw));
                done?;
                unzstd += seconds;
                for record in records(&raw) {
                    let record = record?;
                    let (seconds, done) = cpu::of(|| read(&mut folder, &record));
                    done?;
                    parse += seconds;
                    add += cpu::of(|| folder.add()).0;
                }
            }
            let (hand_over, batch) = cpu::of(|| folder.take());
            parts.unzstd.push(unzstd);
            parts.parse.push(parse);
            parts.add.push(add);
            parts.hand_over.push(hand_over);
            parts.cells = batch.cells.len();
        }
        Ok(parts)
    }

    fn describe(&self, pings: usize, value: f64) -> String {
        let share = |seconds: &[f64]| Spread::of(seconds.iter().copied()).median / value;
        format!(
            "of Value: unzstd {:.3}, parse and stage {:.3}, add {:.3}; handing over the batch (not in the row) {:.3}; \
             {} cells of {pings} pings",
            share(&self.unzstd),
            share(&self.parse),
            share(&self.add),
            share(&self.hand_over),
            self.cells
        )
    }
}

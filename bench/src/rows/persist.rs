//! Persist: what a fold summed up into SQLite, in one merge and in five.
//!
//! From the tables of the fold to the closed file: the batch is made, committed with its chunk and its seen rows, and
//! the database closed, which moves every page into its file.

use std::collections::HashSet;
use std::path::Path;

use aggregate_store::{AggregateStore as _, Batch, Committed, FoldedChunk, SeenRow, SqliteAggregates};
use aggregator::fold::Folder;
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use chunk::ChunkReader;
use ping::ChunkId;
use tokio::runtime::Runtime;

use super::chunks::ChunkMaker;
use super::fold::fold;
use crate::cpu;
use crate::options::Options;
use crate::outcome::Row;
use crate::pairs::{Pairs, Spread};
use crate::sample::{Sample, day};

/// Merges of the second way.
const MERGES: usize = 5;

/// Measures both ways.
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let number = options.persisted_pings();
    let pings: Vec<(String, Vec<u8>)> = (0..number).map(|n| sample.ping(n)).collect();
    let whole = chunks(&pings, 1)?;
    let fifths = chunks(&pings, MERGES)?;
    drop(pings);
    // The first fold warms up.
    drop(fold(&whole[0])?);
    let (mut one, mut five) = (Merges::default(), Merges::default());
    for _ in 0..options.pairs {
        let (seconds, folder) = cpu::of(|| fold(&whole[0]));
        one.push(persist(&runtime, &whole, Some(folder?))?, seconds);
        five.push(persist(&runtime, &fifths, None)?, seconds);
    }
    let row = |merges: &Merges, what: &str, bar| {
        let work = format!("persist {number} pings in {what}");
        let against = "the fold of the same pings as one batch";
        Row::ratios(work, against, bar, number, merges.pairs.clone()).note(merges.describe())
    };
    Ok(vec![row(&one, "1 merge", 1.0), row(&five, "5 merges", 2.0)])
}

/// What persisting took in one way, against the fold.
#[derive(Debug, Default)]
struct Merges {
    pairs: Pairs,
    spent: Vec<Persist>,
}

impl Merges {
    fn push(&mut self, spent: Persist, fold: f64) {
        self.pairs.push(spent.total(), fold);
        self.spent.push(spent);
    }

    fn describe(&self) -> String {
        let fold = self.pairs.yardstick().median;
        let median = |of: fn(&Persist) -> f64| Spread::of(self.spent.iter().map(of)).median;
        format!(
            "of the fold: make batches {:.3}, commit {:.3}, close {:.3}; {:.0} cells written, {:.0} K/s of CPU; file \
             {:.1} MB",
            median(|spent| spent.make) / fold,
            median(|spent| spent.commit) / fold,
            median(|spent| spent.close) / fold,
            median(|spent| spent.cells as f64),
            median(|spent| spent.cells as f64 / spent.total()) / 1_000.0,
            median(|spent| spent.file_bytes as f64) / 1e6
        )
    }
}

/// Pings in `number` chunks.
fn chunks(pings: &[(String, Vec<u8>)], number: usize) -> Result<Vec<Bytes>> {
    let mut maker = ChunkMaker::new()?;
    pings
        .chunks(pings.len().div_ceil(number))
        .map(|pings| maker.write(pings.iter().map(|(uri, body)| (uri.as_str(), body.as_slice()))))
        .collect()
}

/// CPU seconds of persisting, by step.
#[derive(Debug, Default)]
struct Persist {
    make: f64,
    commit: f64,
    close: f64,
    cells: usize,
    file_bytes: u64,
}

impl Persist {
    fn total(&self) -> f64 {
        self.make + self.commit + self.close
    }
}

/// Folds each chunk, which is not measured, and commits it to a new database, which is. Of one chunk the fold may be
/// given.
fn persist(runtime: &Runtime, chunks: &[Bytes], mut folded: Option<Folder>) -> Result<Persist> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("aggregates.sqlite");
    let store = SqliteAggregates::open(&file)?;
    let mut spent = Persist::default();
    for (number, chunk) in chunks.iter().enumerate() {
        let folded = match folded.take() {
            Some(folded) => folded,
            None => fold(chunk)?,
        };
        let (make, batch) = cpu::of(|| batch(folded, chunk, number as u64));
        let batch = batch?;
        spent.cells += batch.cells.len();
        let (commit, committed) = cpu::of(|| runtime.block_on(store.commit(batch)));
        ensure!(committed? == Committed::Written, "a new chunk is written");
        spent.make += make;
        spent.commit += commit;
    }
    spent.close = cpu::of(|| runtime.block_on(store.close())).0;
    spent.file_bytes = size(&file)?;
    Ok(spent)
}

fn size(file: &Path) -> Result<u64> {
    Ok(std::fs::metadata(file)?.len())
}

/// The batch of one folded chunk, which has a number among all.
pub(super) fn batch(mut folder: Folder, bytes: &Bytes, number: u64) -> Result<Batch> {
    let reader = ChunkReader::new(bytes.clone())?;
    let mut batch = folder.take();
    let mut counted = HashSet::new();
    let mut chunk = None;
    for (position, identity) in reader.ids()?.enumerate() {
        let identity = identity?;
        let id = ChunkId {
            incarnation: identity.id.incarnation,
            boot: 1,
            plan: number,
        };
        chunk = Some(id);
        let Some(key) = identity.key() else { continue };
        batch.seen.push(SeenRow {
            key,
            received: identity.received,
            record: identity.id,
            chunk: id,
            position: u32::try_from(position)?,
            counted: counted.insert(identity.document_hash),
        });
    }
    batch.counters.folded = i64::try_from(counted.len())?;
    batch.chunks.push(FoldedChunk {
        id: chunk.context("a chunk has records")?,
        key: format!("bench-{number}"),
        submission_date: day(),
        records: reader.tail().summary.records,
    });
    Ok(batch)
}

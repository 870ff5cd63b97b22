//! Sources: the whole fold of a chunk, from its bytes to the batch that a store is given, on small pings of Glean's and of a declared
//! product, and on main pings.
//!
//! Here all is in it that is done for each ping: its URI read, its source and its rules found, repeats, users, counters.

use std::collections::BTreeMap;

use aggregate_store::Batch;
use aggregator::ChunkFold;
use aggregator::fold::{FoldSettings, Products};
use anyhow::{Result, anyhow, ensure};
use bytes::Bytes;
use chunk::ChunkReader;
use ping::{ChunkId, Incarnation};

use super::chunks::ChunkMaker;
use crate::options::Options;
use crate::outcome::Row;
use crate::pairs::Pairs;
use crate::sample::Sample;
use crate::small_pings::{DECLARATION, DECLARED, declared, glean};
use crate::{cpu, yardstick};

const BAR: f64 = 0.6;
/// Of main pings, the fold and the batch.
const BAR_MAIN: f64 = 0.4;
/// Small pings for each one of the sample.
const TIMES: u64 = 20;

/// What the chunk is called: the fold asks for no more.
const CHUNK: ChunkId = ChunkId {
    incarnation: Incarnation::from_bytes([7; 16]),
    boot: 1,
    plan: 1,
};

/// Measures three kinds of pings.
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    let number = sample.pings.len() as u64 * TIMES;
    let main: Vec<_> = sample.firsts(sample.pings.len()).collect();
    Ok(vec![
        pings(
            options,
            "chunk to batch, Glean metrics pings of 4 KB",
            BAR,
            &(0..number).map(glean).collect::<Vec<_>>(),
        )?,
        pings(
            options,
            "chunk to batch, declared pings of 1 KB",
            BAR,
            &(0..number).map(declared).collect::<Vec<_>>(),
        )?,
        pings(options, "chunk to batch, generated main pings", BAR_MAIN, &main)?,
    ])
}

fn pings(options: &Options, work: &str, bar: f64, pings: &[(String, Vec<u8>)]) -> Result<Row> {
    let chunk = ChunkMaker::new()?.write(pings.iter().map(|(uri, body)| (uri.as_str(), body.as_slice())))?;
    let settings = settings()?;
    let mut told = (0, 0);
    let ours = || {
        let (seconds, batch) = cpu::of(|| fold(&settings, &chunk));
        let batch = batch?;
        ensure!(
            batch.counters.folded == i64::try_from(pings.len())?,
            "of {} pings {:?} came",
            pings.len(),
            batch.counters
        );
        told = (batch.cells.len(), batch.dimension_sets.len());
        Ok(seconds)
    };
    let limit = || {
        let bodies = pings.iter().map(|(_, body)| body.as_slice());
        let (seconds, done) = cpu::of(|| yardstick::values(bodies));
        done.map(|()| seconds)
    };
    let pairs = Pairs::alternate(options.pairs, ours, limit)?;
    let bytes: usize = pings.iter().map(|(_, body)| body.len()).sum();
    let note = format!(
        "{:.0} bytes a ping; {} cells in {} sets; ours {:.2} microseconds a ping",
        bytes as f64 / pings.len() as f64,
        told.0,
        told.1,
        pairs.ours().median / pings.len() as f64 * 1e6
    );
    Ok(Row::ratios(work, "serde_json::Value of the same", bar, pings.len(), pairs).note(note))
}

/// The default rules, and the declared product's.
fn settings() -> Result<FoldSettings> {
    let rules = BTreeMap::from([(DECLARED.to_owned(), DECLARATION.to_owned())]);
    let products =
        Products::by_rules(&rules, &[]).map_err(|source| anyhow!("the declaration of {source} is none"))?;
    Ok(FoldSettings {
        products,
        ..FoldSettings::default()
    })
}

fn fold(settings: &FoldSettings, chunk: &Bytes) -> Result<Batch> {
    let mut reader = ChunkReader::new(chunk.clone())?;
    let mut fold = ChunkFold::new(settings.clone(), CHUNK);
    let mut raw = Vec::new();
    for frame in 0..reader.frames().len() {
        reader.frame_into(frame, &mut raw)?;
        fold.frame(&raw)?;
    }
    Ok(fold.finish())
}

//! Sketches: uniting images of user sketches, against the C++ library on the same images.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sketch::{UserSketch, coupon_of};

use super::child;
use super::peers::{self, Peer};
use crate::cpu;
use crate::options::Options;
use crate::outcome::Row;
use crate::pairs::Pairs;

/// Sketches, and clients in each: small ones are lists of clients, large ones are registers.
const SHAPES: [(usize, usize); 2] = [(20_000, 20), (10_000, 1_000)];
/// How often all of them are united in one measurement.
const ROUNDS: usize = 10;

const DATASKETCHES: Peer = Peer {
    module: "datasketches",
    name: "C++ DataSketches called from Python, HLL_8",
    bar: None,
};

/// Measures both shapes.
pub(crate) fn measure(options: &Options, _sample: &crate::sample::Sample) -> Result<Vec<Row>> {
    if !DATASKETCHES.is_there(options) {
        return Ok(vec![Row::left_out(
            "union of user sketches",
            DATASKETCHES.missing(options),
        )]);
    }
    let row = |(sketches, clients)| {
        let work = format!("union of {sketches} sketches of {clients} users");
        unite_shape(options, &work, sketches, clients)
            .unwrap_or_else(|error| Row::failed(work, format!("{error:#}")))
    };
    Ok(SHAPES.into_iter().map(row).collect())
}

/// Pairs; an error is a void row.
fn unite_shape(options: &Options, work: &str, sketches: usize, clients: usize) -> Result<Row> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("images");
    let images: Vec<Vec<u8>> = (0..sketches).map(|number| image(number, clients)).collect();
    let mut out = BufWriter::new(File::create(&file)?);
    for image in &images {
        out.write_all(&u32::try_from(image.len())?.to_le_bytes())?;
        out.write_all(image)?;
    }
    out.flush()?;
    let expected = sum(&unite(&images)?);
    let ours = || {
        let (seconds, done) = cpu::of(|| (0..ROUNDS).try_for_each(|_| unite(&images).map(drop)));
        done.map(|()| seconds)
    };
    let peer = || {
        let mut command = Command::new(&options.peers_python);
        let script = peers::folder().join("sketches.py");
        let ended = child::run(command.arg(script).arg(&file).arg(ROUNDS.to_string()))?;
        let told: Value = serde_json::from_str(&ended.printed)?;
        ensure!(
            told["registers"] == expected,
            "the registers of the union differ: {told}, the sum of ours is {expected}"
        );
        told["cpu_seconds"].as_f64().context("no CPU seconds")
    };
    let united = sketches * ROUNDS;
    let pairs = Pairs::alternate(options.pairs, ours, peer)?;
    let each = |seconds: f64| united as f64 / seconds / 1_000.0;
    let note = format!(
        "{:.0} K unions per CPU second, the peer {:.0} K; it is deserialize and update in a loop of Python, start-up and \
         reading not counted; registers of the union add up to {expected} in both",
        each(pairs.ours().median),
        each(pairs.yardstick().median)
    );
    let row = Row::against(work, DATASKETCHES.name, DATASKETCHES.bar, united, pairs);
    Ok(row.note(note))
}

/// The image of a sketch of so many clients, which no other sketch has.
fn image(number: usize, clients: usize) -> Vec<u8> {
    let mut sketch = UserSketch::new();
    sketch
        .extend((0..clients).filter_map(|client| coupon_of(&format!("client {client} of sketch {number}"))));
    sketch.to_image()
}

/// The sum of all registers: equal registers have equal sums, and hardly others.
fn sum(sketch: &UserSketch) -> u64 {
    sketch.registers().iter().map(|&value| u64::from(value)).sum()
}

fn unite(images: &[Vec<u8>]) -> Result<UserSketch> {
    let mut union = UserSketch::new();
    images.iter().try_for_each(|image| union.merge_image(image))?;
    Ok(union)
}

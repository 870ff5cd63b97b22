//! Gather: pings that wait in the log to chunks in the store, for large and for tiny partitions.

use anyhow::Result;

use super::chunks::ChunkMaker;
use super::logged::Logged;
use crate::cpu;
use crate::options::Options;
use crate::outcome::Row;
use crate::pairs::{Pairs, Spread};
use crate::sample::Sample;
use crate::yardstick::Transcode;

/// Pings of a large partition.
pub(crate) const LARGE: usize = 200;
/// Pings of a tiny partition.
pub(crate) const TINY: usize = 2;

/// Measures both shapes.
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    let large = measure_shape(options, sample, LARGE, 1.35)?;
    let tiny = measure_shape(options, sample, TINY, 1.8)?;
    Ok(vec![large, tiny])
}

fn measure_shape(options: &Options, sample: &Sample, shape: usize, bar: f64) -> Result<Row> {
    let pings = &sample.pings;
    let mut logged = Logged::open()?;
    let mut maker = ChunkMaker::new()?;
    let mut limit = Transcode::new()?;
    let (mut submitting, mut in_memory, mut in_kernel) = (Vec::new(), Vec::new(), Vec::new());
    let (mut inflating, mut compressing) = (Vec::new(), Vec::new());
    let ours = || {
        submitting.push(logged.submit(pings, shape)?);
        let kernel = cpu::system_seconds();
        let sealing = logged.seal()?;
        in_kernel.push(cpu::system_seconds() - kernel);
        let (alone, done) = cpu::of(|| {
            pings
                .chunks(shape)
                .try_for_each(|pings| maker.seal(pings).map(drop))
        });
        done?;
        in_memory.push(alone);
        Ok(sealing)
    };
    let yardstick = || {
        let (inflate, done) = cpu::of(|| limit.inflate(pings));
        done?;
        let (compress, done) = cpu::of(|| limit.compress(pings));
        done?;
        inflating.push(inflate);
        compressing.push(compress);
        Ok(inflate + compress)
    };
    let pairs = Pairs::alternate(options.pairs, ours, yardstick)?;
    let against = pairs.yardstick().median;
    let share = |seconds: &[f64]| Spread::of(seconds.iter().copied()).median / against;
    let note = format!(
        "of the yardstick: its libdeflate {:.3}, its zstd -3 {:.3}; inflate and chunk writer in memory alone {:.3}; \
         of ours in the kernel {:.3}; \
         logging the same pings (not in the row) {:.3}, refused meanwhile for want of room {}",
        share(&inflating),
        share(&compressing),
        share(&in_memory),
        in_kernel.iter().sum::<f64>() / in_kernel.len() as f64 / against,
        share(&submitting),
        logged.refused
    );
    let work = format!("gather to store, {} x {shape} pings", pings.len().div_ceil(shape));
    Ok(Row::ratios(work, "libdeflate + zstd -3 alone", bar, pings.len(), pairs).note(note))
}

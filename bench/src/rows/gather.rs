//! Gather: gzip bodies to sealed chunks, for large and for tiny partitions.

use anyhow::Result;

use super::chunks::ChunkMaker;
use crate::cpu;
use crate::options::Options;
use crate::outcome::Row;
use crate::pairs::Pairs;
use crate::sample::Sample;
use crate::yardstick::Transcode;

/// Pings of a large partition.
pub(crate) const LARGE: usize = 200;
/// Pings of a tiny partition.
pub(crate) const TINY: usize = 2;

/// Measures both shapes.
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    [(LARGE, 1.35), (TINY, 1.8)]
        .into_iter()
        .map(|(shape, bar)| measure_shape(options, sample, shape, bar))
        .collect()
}

fn measure_shape(options: &Options, sample: &Sample, shape: usize, bar: f64) -> Result<Row> {
    let pings = &sample.pings;
    let mut maker = ChunkMaker::new()?;
    let mut limit = Transcode::new()?;
    let (mut inflating, mut compressing) = (Vec::new(), Vec::new());
    let ours = || {
        let (seconds, done) = cpu::of(|| {
            pings
                .chunks(shape)
                .try_for_each(|pings| maker.seal(pings).map(drop))
        });
        done.map(|()| seconds)
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
    let work = format!("gather, {} x {shape} pings", pings.len().div_ceil(shape));
    let each = |seconds: &[f64]| {
        crate::pairs::Spread::of(seconds.iter().copied()).median * 1_000.0 / pings.len() as f64
    };
    let note = format!(
        "yardstick: libdeflate {:.3}, zstd -3 {:.3} CPU-s/1000; ours is inflate and chunk::ChunkWriter into memory, \
         without the log",
        each(&inflating),
        each(&compressing)
    );
    Ok(Row::ratios(work, "libdeflate + zstd -3 alone", bar, pings.len(), pairs).note(note))
}

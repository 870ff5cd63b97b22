//! Stored bytes by byte of gzip received, for large and for tiny partitions.

use anyhow::Result;

use super::chunks::ChunkMaker;
use super::gather::{LARGE, TINY};
use crate::options::Options;
use crate::outcome::Row;
use crate::sample::Sample;
use crate::yardstick::Transcode;

/// Measures both shapes.
pub(crate) fn measure(_options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    let received = sample.gzip_bytes() as f64;
    let stream = Transcode::new()?.compress(&sample.pings)? as f64 / received;
    let mut rows = Vec::new();
    for (shape, bar) in [(LARGE, 0.53), (TINY, 0.85)] {
        let mut maker = ChunkMaker::new()?;
        let mut stored = 0;
        for pings in sample.pings.chunks(shape) {
            stored += maker.seal(pings)?.len();
        }
        let partitions = sample.pings.len().div_ceil(shape);
        let work = format!("stored/received bytes, {partitions} x {shape} pings");
        let row = Row::figure(work, stored as f64 / received, "", Some(bar));
        rows.push(row.note(format!(
            "bodies alone in frames of 8 MiB over all partitions: {stream:.3}"
        )));
    }
    Ok(rows)
}

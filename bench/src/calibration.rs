//! Whether a run says anything: are the pings like real ones, and are there enough measurements?
//!
//! The generator's own tests hold it to the same figures, and closer.

use std::ops::RangeInclusive;

use aggregate_store::Batch;
use anyhow::Result;

use crate::aggregated::{Aggregated, histograms};
use crate::options::Options;
use crate::rows::{ChunkMaker, fold};
use crate::sample::Sample;
use crate::yardstick::one_stream;

/// Keys grow with pings, and dimensions too: both are looked at after so many.
pub(crate) const KEYS_PINGS: usize = 2_000;
/// In a full run, keys are looked at again after so many.
const MANY_PINGS: usize = 10_000;

/// Bytes of a mean body: that of recorded main pings.
const MEAN_BODY: RangeInclusive<f64> = 92_000.0..=102_000.0;
/// Body bytes by bytes of gzip level 6.
const GZIP_RATIO: RangeInclusive<f64> = 4.2..=4.6;
/// Body bytes by bytes of one zstd stream of level 3. Pings that are too much alike compress better.
const ZSTD_RATIO: RangeInclusive<f64> = 1.0..=9.2;
/// Histograms of a ping, each label of a keyed one counted by itself.
const HISTOGRAMS: RangeInclusive<f64> = 465.0..=485.0;
/// Combinations of dimensions among 2,000 pings.
const COMBINATIONS: RangeInclusive<f64> = 700.0..=800.0;
/// Dimensions, process, metric and label of histograms: different ones among 2,000 pings, and among 10,000.
const KEYS: RangeInclusive<f64> = 335_000.0..=355_000.0;
const MANY_KEYS: RangeInclusive<f64> = 950_000.0..=1_050_000.0;
/// With fewer pairs a median hides too little of the neighbours' noise.
const PAIRS_MIN: usize = 5;
/// With fewer pings the tables of a fold are nearly empty, and every sum meets a new cell.
const PINGS_MIN: usize = 200;

/// What the generated pings are like.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pings: usize,
    mean_body: f64,
    gzip_ratio: f64,
    zstd_ratio: f64,
    histograms: f64,
    combinations: usize,
    keys: u64,
    many_keys: Option<u64>,
}

impl Figures {
    /// Looks at the pings of a sample, and for keys and dimensions at as many as these need.
    pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Self> {
        let (pings, bytes) = (sample.pings.len(), sample.body_bytes() as f64);
        let bodies = || sample.pings.iter().map(|ping| ping.body.as_slice());
        let batch = folded(sample, KEYS_PINGS)?;
        let many = options.full.then(|| folded(sample, MANY_PINGS)).transpose()?;
        let keys = |batch| Aggregated::of(batch).map(|aggregated| aggregated.keys);
        Ok(Self {
            pings,
            mean_body: bytes / pings as f64,
            gzip_ratio: bytes / sample.gzip_bytes() as f64,
            zstd_ratio: bytes / one_stream(bodies())? as f64,
            histograms: histograms(&batch)? / sample.first_numbers(KEYS_PINGS).count() as f64,
            combinations: batch.dimension_sets.len(),
            keys: keys(&batch)?,
            many_keys: many.as_ref().map(keys).transpose()?,
        })
    }

    /// What the sample is like, line by line.
    pub(crate) fn describe(&self) -> Vec<String> {
        let first = format!(
            "{} generated pings, mean body {:.1} KB, gzip -6 ratio {:.2}, one zstd -3 stream {:.2}, {:.0} histograms and \
             labels a ping",
            self.pings,
            self.mean_body / 1_000.0,
            self.gzip_ratio,
            self.zstd_ratio,
            self.histograms
        );
        let mut second = format!(
            "{} keys of histograms in {} combinations of dimensions among {KEYS_PINGS} pings",
            self.keys, self.combinations
        );
        if let Some(keys) = self.many_keys {
            second.push_str(&format!("; {keys} keys among {MANY_PINGS}"));
        }
        vec![first, second]
    }
}

/// Why the figures of this run are void; empty when they are not.
pub(crate) fn faults(options: &Options, figures: &Figures) -> Vec<String> {
    let mut faults = Vec::new();
    let mut within = |what: &str, value: f64, range: &RangeInclusive<f64>| {
        if !range.contains(&value) {
            let (low, high) = (range.start(), range.end());
            faults.push(format!("{what}: {value:.2}, not {low} to {high}"));
        }
    };
    within("bytes of a mean body", figures.mean_body, &MEAN_BODY);
    within("gzip -6 ratio", figures.gzip_ratio, &GZIP_RATIO);
    within("ratio of one zstd -3 stream", figures.zstd_ratio, &ZSTD_RATIO);
    within("histograms and labels a ping", figures.histograms, &HISTOGRAMS);
    within(
        "combinations of dimensions among 2,000 pings",
        figures.combinations as f64,
        &COMBINATIONS,
    );
    within("keys among 2,000 pings", figures.keys as f64, &KEYS);
    if let Some(keys) = figures.many_keys {
        within("keys among 10,000 pings", keys as f64, &MANY_KEYS);
    }
    if options.pairs < PAIRS_MIN {
        faults.push(format!(
            "{} pairs are too few: take at least {PAIRS_MIN}",
            options.pairs
        ));
    }
    if figures.pings < PINGS_MIN {
        faults.push(format!(
            "{} pings are too few: take at least {PINGS_MIN}",
            figures.pings
        ));
    }
    faults
}

/// What a fold makes of the first pings of a sample.
fn folded(sample: &Sample, pings: usize) -> Result<Batch> {
    let mut maker = ChunkMaker::new()?;
    Ok(fold(&maker.write_owned(sample.firsts(pings))?)?.take())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        Figures {
            pings: 1_000,
            mean_body: 97_000.0,
            gzip_ratio: 4.4,
            zstd_ratio: 9.0,
            histograms: 475.0,
            combinations: 730,
            keys: 345_000,
            many_keys: Some(1_000_000),
        }
    }

    #[test]
    fn pings_that_are_like_real_ones_make_no_run_void() {
        let options = <Options as clap::Parser>::parse_from(["bench"]);
        assert_eq!(faults(&options, &figures()), Vec::<String>::new());
    }

    #[test]
    fn each_figure_that_is_out_makes_the_run_void_by_its_name() {
        type Change = fn(&mut Figures);
        let out: [(&str, Change); 8] = [
            ("mean body", |figures| figures.mean_body = 80_000.0),
            ("gzip", |figures| figures.gzip_ratio = 5.0),
            ("zstd", |figures| figures.zstd_ratio = 9.3),
            ("histograms", |figures| figures.histograms = 400.0),
            ("combinations", |figures| figures.combinations = 690),
            ("among 2,000", |figures| figures.keys = 300_000),
            ("among 10,000", |figures| figures.many_keys = Some(900_000)),
            ("too few", |figures| figures.pings = 199),
        ];
        let options = <Options as clap::Parser>::parse_from(["bench"]);
        for (name, change) in out {
            let mut figures = figures();
            change(&mut figures);
            let faults = faults(&options, &figures);
            assert!(
                matches!(faults.as_slice(), [fault] if fault.contains(name)),
                "{name}: {faults:?}"
            );
        }
        let options = <Options as clap::Parser>::parse_from(["bench", "--pairs", "4"]);
        assert_eq!(faults(&options, &figures()).len(), 1);
    }
}

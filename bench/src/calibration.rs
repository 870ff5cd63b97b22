//! Whether a run says anything: are the pings like real ones, and are there enough measurements?

use crate::options::Options;
use crate::sample::Sample;

/// Bytes of a mean body: that of recorded main pings.
const MEAN_BODY: std::ops::RangeInclusive<f64> = 92_000.0..=102_000.0;
/// Body bytes by bytes of gzip level 6.
const GZIP_RATIO: std::ops::RangeInclusive<f64> = 4.2..=4.6;
/// With fewer pairs a median hides too little of the neighbours' noise.
const PAIRS_MIN: usize = 5;
/// With fewer pings the tables of a fold are nearly empty, and every sum meets a new cell.
const PINGS_MIN: usize = 200;

/// Why the figures of this run are void; empty when they are not.
pub(crate) fn faults(options: &Options, sample: &Sample) -> Vec<String> {
    let mut faults = Vec::new();
    let mean = sample.body_bytes() as f64 / sample.pings.len() as f64;
    if !MEAN_BODY.contains(&mean) {
        faults.push(format!(
            "the mean body has {mean:.0} bytes, not 92,000 to 102,000"
        ));
    }
    let ratio = sample.body_bytes() as f64 / sample.gzip_bytes() as f64;
    if !GZIP_RATIO.contains(&ratio) {
        faults.push(format!(
            "gzip makes bodies {ratio:.2} times smaller, not 4.2 to 4.6"
        ));
    }
    if options.pairs < PAIRS_MIN {
        faults.push(format!(
            "{} pairs are too few: take at least {PAIRS_MIN}",
            options.pairs
        ));
    }
    if sample.pings.len() < PINGS_MIN {
        faults.push(format!(
            "{} pings are too few: take at least {PINGS_MIN}",
            sample.pings.len()
        ));
    }
    faults
}

/// What the sample is like, in one line.
pub(crate) fn describe(sample: &Sample) -> String {
    let pings = sample.pings.len();
    format!(
        "{pings} generated pings, mean body {:.1} KB, gzip -6 ratio {:.2}",
        sample.body_bytes() as f64 / pings as f64 / 1_000.0,
        sample.body_bytes() as f64 / sample.gzip_bytes() as f64
    )
}

//! What was aggregated of histograms, in three numbers that every engine can print and that must be equal.

use std::collections::BTreeSet;

use aggregate_store::Batch;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use sketch::Cell;

/// What the metric of a histogram of type count begins with: a ping's histogram is one sample of it.
const COUNT: &str = "[[COUNT]]_";
/// What metrics begin with that are single numbers, not histograms.
const SINGLE: [&str; 2] = ["SCALARS_", "SIMPLE_MEASURES_"];

/// Sums by dimensions, process, metric and label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Aggregated {
    /// Different keys.
    pub(crate) keys: u64,
    /// Samples in all bins, without those of histograms of type count.
    pub(crate) counts: u64,
    /// Bins that are not empty, without those of histograms of type count.
    pub(crate) bins: u64,
}

impl Aggregated {
    /// What a fold summed up of histograms.
    pub(crate) fn of(batch: &Batch) -> Result<Self> {
        let histograms: Vec<bool> = batch.metrics.iter().map(|name| is_histogram(name)).collect();
        let count = |name: &String| name.starts_with(COUNT);
        let of_type_count: Vec<bool> = batch.metrics.iter().map(count).collect();
        let (mut keys, mut counts, mut bins) = (0, 0, 0);
        for (address, bytes) in batch.cells.iter() {
            let metric = address.metric as usize;
            if !histograms[metric] {
                continue;
            }
            keys += 1;
            if !of_type_count[metric] {
                let cell = Cell::decode(bytes)?;
                counts += cell.bins().iter().map(|(_, samples)| samples).sum::<i128>();
                bins += cell.bins().len() as u64;
            }
        }
        let counts = u64::try_from(counts).context("more samples than 64 bits hold")?;
        Ok(Self { keys, counts, bins })
    }

    /// As JSON.
    pub(crate) fn to_json(self) -> Value {
        let Self { keys, counts, bins } = self;
        json!({"keys": keys, "counts": counts, "bins": bins})
    }

    /// From JSON.
    pub(crate) fn from_json(value: &Value) -> Result<Self> {
        let field = |name: &str| {
            value[name]
                .as_u64()
                .with_context(|| format!("no {name} in {value}"))
        };
        Ok(Self {
            keys: field("keys")?,
            counts: field("counts")?,
            bins: field("bins")?,
        })
    }
}

/// How many histograms and labels were summed up.
pub(crate) fn histograms(batch: &Batch) -> Result<f64> {
    let mut histograms = 0;
    for (address, bytes) in batch.cells.iter() {
        if is_histogram(&batch.metrics[address.metric as usize]) {
            histograms += Cell::decode(bytes)?.count();
        }
    }
    Ok(histograms as f64)
}

fn is_histogram(metric: &str) -> bool {
    !SINGLE.iter().any(|single| metric.starts_with(single))
}

/// The metrics of type count in a batch, as pings name them.
pub(crate) fn count_metrics(batch: &Batch) -> BTreeSet<&str> {
    let names = batch.metrics.iter();
    names.filter_map(|name| name.strip_prefix(COUNT)).collect()
}

//! Sums by names, in sorted maps.

use std::collections::BTreeMap;

use aggregate_store::{DimensionSet, Layer};
use sketch::{Cell, Layout};

/// Dimension set, metric, process, label, layout.
pub type Key = (DimensionSet, String, String, String, Layout);

/// Submissions, sum, samples by bin. Zero bins are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many histograms contributed.
    pub count: i128,
    /// The sum of their sums.
    pub sum: i128,
    /// Samples by the bin's lower bound.
    pub bins: BTreeMap<i64, i128>,
}

/// All that pings add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Sums by key, without zeros.
    pub cells: BTreeMap<Key, Sums>,
    /// Counted pings by dimension set, without zeros.
    pub pings: BTreeMap<DimensionSet, i128>,
    /// Refused parts by reason, without zeros.
    pub refused: BTreeMap<&'static str, i128>,
}

impl Sums {
    fn is_zero(&self) -> bool {
        self.count == 0 && self.sum == 0 && self.bins.is_empty()
    }

    fn add(&mut self, other: &Self, sign: i128) {
        self.count += sign * other.count;
        self.sum += sign * other.sum;
        for (bound, samples) in &other.bins {
            *self.bins.entry(*bound).or_default() += sign * samples;
        }
        self.bins.retain(|_, samples| *samples != 0);
    }

    /// The sums of a cell.
    pub fn of(cell: &Cell) -> Self {
        Self {
            count: cell.count().into(),
            sum: cell.sum(),
            bins: cell.bins().iter().copied().collect(),
        }
    }
}

impl Totals {
    /// Adds other totals `sign` times.
    pub fn add(&mut self, other: &Self, sign: i128) {
        for (key, sums) in &other.cells {
            self.cells.entry(key.clone()).or_default().add(sums, sign);
        }
        self.cells.retain(|_, sums| !sums.is_zero());
        for (set, pings) in &other.pings {
            *self.pings.entry(set.clone()).or_default() += sign * pings;
        }
        self.pings.retain(|_, pings| *pings != 0);
        for (reason, parts) in &other.refused {
            *self.refused.entry(reason).or_default() += sign * parts;
        }
        self.refused.retain(|_, parts| *parts != 0);
    }

    /// What a layer adds, in the oracle's form. Its refusals are not part of the layer and stay empty.
    pub fn of(layer: &Layer) -> Self {
        let mut totals = Self::default();
        for (set, pings) in &layer.sets {
            if *pings != 0 {
                totals.pings.insert(set.clone(), (*pings).into());
            }
        }
        for cell in &layer.cells {
            let key = (
                layer.sets[cell.set as usize].0.clone(),
                layer.metrics[cell.metric as usize].to_string(),
                layer.processes[cell.process as usize].to_string(),
                layer.labels[cell.label as usize].to_string(),
                layer.layouts[cell.layout as usize],
            );
            let twice = totals.cells.insert(key, Sums::of(&cell.cell));
            assert!(twice.is_none(), "a layer has each key once");
        }
        totals
    }
}

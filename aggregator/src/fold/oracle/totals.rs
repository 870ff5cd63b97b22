//! Sums by names, in sorted maps.

use std::collections::BTreeMap;

use aggregate_store::{Batch, DimensionSet};
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
    /// Refused parts by reason, without zeros.
    pub refused: BTreeMap<String, i128>,
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
        for (reason, parts) in &other.refused {
            *self.refused.entry(reason.clone()).or_default() += sign * parts;
        }
        self.refused.retain(|_, parts| *parts != 0);
    }

    /// What a batch adds, in the oracle's form.
    ///
    /// # Panics
    /// If the batch is not one that a fold makes: one cell for each address, no zeros.
    pub fn of(batch: &Batch) -> Self {
        let mut totals = Self::default();
        for (address, bytes) in batch.cells.iter() {
            let key = (
                batch.dimension_sets[address.dimension_set as usize].clone(),
                batch.metrics[address.metric as usize].clone(),
                batch.processes[address.process as usize].clone(),
                batch.labels[address.label as usize].clone(),
                batch.layouts[address.layout as usize],
            );
            let cell = Cell::decode(bytes).expect("a stored cell");
            let twice = totals.cells.insert(key, Sums::of(&cell));
            assert!(twice.is_none(), "a fold writes each cell once");
        }
        let refused = batch.refused_by_reason.iter();
        totals.refused = refused
            .map(|(reason, parts)| (reason.clone(), (*parts).into()))
            .collect();
        totals
    }
}

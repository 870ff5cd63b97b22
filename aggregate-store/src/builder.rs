//! Makes a batch from cells under their full names. Slower than a fold that keeps its own tables; for small writers
//! and for tests.

use std::collections::HashMap;
use std::hash::Hash;

use sketch::{Cell, Layout, UserSketch};

use crate::{Batch, CellAddress, CellKey, DimensionSet, USER_DIMENSIONS};

/// Gathers a [`Batch`]. What it has no method for is set in [`batch`](Self::batch) directly.
#[derive(Clone, Debug, Default)]
pub struct BatchBuilder {
    /// What was gathered so far. Its tables are for appending only.
    pub batch: Batch,
    dimension_sets: HashMap<DimensionSet, u32>,
    metrics: HashMap<String, u32>,
    processes: HashMap<String, u32>,
    labels: HashMap<String, u32>,
    layouts: HashMap<Layout, u32>,
}

impl BatchBuilder {
    /// A batch of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds to a cell.
    pub fn add_cell(&mut self, key: &CellKey, cell: &Cell) -> &mut Self {
        let CellKey {
            metric,
            dimensions,
            process,
            label,
            layout,
        } = key;
        let batch = &mut self.batch;
        let address = CellAddress {
            metric: position(&mut self.metrics, &mut batch.metrics, metric),
            dimension_set: position(&mut self.dimension_sets, &mut batch.dimension_sets, dimensions),
            process: position(&mut self.processes, &mut batch.processes, process),
            label: position(&mut self.labels, &mut batch.labels, label),
            layout: position(&mut self.layouts, &mut batch.layouts, layout),
        };
        batch.cells.push(address, cell);
        self
    }

    /// Adds users under the dimensions of a set by which users are kept.
    pub fn add_users(&mut self, set: &DimensionSet, users: UserSketch) -> &mut Self {
        self.batch.users.push((set.projected(&USER_DIMENSIONS), users));
        self
    }

    /// The batch.
    #[must_use]
    pub fn build(self) -> Batch {
        self.batch
    }
}

fn position<T: Clone + Eq + Hash>(known: &mut HashMap<T, u32>, table: &mut Vec<T>, item: &T) -> u32 {
    if let Some(&position) = known.get(item) {
        return position;
    }
    let position = u32::try_from(table.len()).expect("memory ends before four billion entries");
    table.push(item.clone());
    known.insert(item.clone(), position);
    position
}

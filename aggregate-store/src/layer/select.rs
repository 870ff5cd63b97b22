//! The held cells that a question for a series asks for. Pure.

use std::collections::HashMap;

use sketch::Cell;

use super::{CellName, Part};
use crate::{AggregateError, CellQuery, DimensionSet};

/// Held cells of one full name, as they are held: taken apart one after the other, they take far more room.
pub(crate) type HeldCells<'a> = Vec<&'a [u8]>;

/// The held cells that match, under their full names. One pass over the cells of each part: it compares numbers only.
pub(crate) fn matching<'a>(parts: &[&'a Part], query: &CellQuery) -> HashMap<CellName<'a>, HeldCells<'a>> {
    let mut found: HashMap<CellName<'a>, HeldCells<'a>> = HashMap::new();
    for part in parts {
        let wanted = Wanted::of(part, query);
        if !wanted.metrics.contains(&true) || !wanted.sets.contains(&true) {
            continue;
        }
        for (address, value) in part.batch().cells.iter() {
            if wanted.metrics[address.metric as usize]
                && wanted.sets[address.dimension_set as usize]
                && wanted.processes[address.process as usize]
                && wanted.labels[address.label as usize]
            {
                found.entry(part.name(address)).or_default().push(value);
            }
        }
    }
    found
}

/// Adds held cells of one name to a sum.
pub(crate) fn add_held(sum: &mut Cell, cells: &[&[u8]]) -> Result<(), AggregateError> {
    for value in cells {
        let cell = Cell::decode(value).map_err(|error| AggregateError::Damaged(error.to_string()))?;
        sum.add(&cell);
    }
    Ok(())
}

/// Which entries of a part's tables match.
struct Wanted {
    metrics: Vec<bool>,
    sets: Vec<bool>,
    processes: Vec<bool>,
    labels: Vec<bool>,
}

impl Wanted {
    fn of(part: &Part, query: &CellQuery) -> Self {
        let batch = part.batch();
        let CellQuery { label, processes, .. } = query;
        let of = |names: &[String], is: &dyn Fn(&String) -> bool| names.iter().map(is).collect();
        Self {
            metrics: of(&batch.metrics, &|name| *name == query.metric),
            sets: batch
                .dimension_sets
                .iter()
                .map(|set| is_wanted(set, query))
                .collect(),
            processes: of(&batch.processes, &|name| {
                processes.as_ref().is_none_or(|wanted| wanted.contains(name))
            }),
            labels: of(&batch.labels, &|name| {
                label.as_ref().is_none_or(|wanted| wanted == name)
            }),
        }
    }
}

fn is_wanted(set: &DimensionSet, query: &CellQuery) -> bool {
    *set.source() == query.source && query.filters.iter().all(|filter| filter.holds(set))
}

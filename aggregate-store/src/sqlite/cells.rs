//! Writes the cells of a batch, in the order of their keys, so that each page of the table is visited once.

use rusqlite::{Connection, params};

use super::dictionary::{Dictionary, SetIds};
use super::listing::Listing;
use super::merge::{CellMerges, Upserted};
use crate::{AggregateError, Batch};

/// Adds the cells of the batch to those stored; what became zero is removed, what is listed follows.
pub(super) fn write(
    connection: &Connection,
    dictionary: &mut Dictionary,
    merges: &CellMerges,
    batch: &Batch,
) -> Result<(), AggregateError> {
    let (keyed, sets) = resolve(connection, dictionary, batch)?;
    let mut upsert = connection.prepare_cached(
        "INSERT INTO cell (metric, dimension_set, process, label, layout, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET value = merge_cell(value, excluded.value)",
    )?;
    let mut remove = connection.prepare_cached(
        "DELETE FROM cell
         WHERE metric = ?1 AND dimension_set = ?2 AND process = ?3 AND label = ?4 AND layout = ?5",
    )?;
    let mut listing = Listing::default();
    for key in &keyed {
        let Key {
            metric,
            dimension_set,
            process,
            label,
            layout,
            position,
        } = *key;
        let (address, value) = batch.cells.get(position as usize);
        upsert.execute(params![metric, dimension_set, process, label, layout, value])?;
        let set = &sets[address.dimension_set as usize];
        match merges.take() {
            Upserted::Added => {}
            Upserted::New => listing.count(set, metric, process, 1),
            Upserted::Zero => {
                remove.execute(params![metric, dimension_set, process, label, layout])?;
                listing.count(set, metric, process, -1);
            }
        }
    }
    listing.write(connection)
}

/// The key of a stored cell in its order, and the cell's position in the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    metric: u32,
    dimension_set: u32,
    process: u32,
    label: u32,
    layout: u32,
    position: u32,
}

/// The keys of all cells, ascending, and the ids of the dimension sets by their positions in the batch.
fn resolve(
    connection: &Connection,
    dictionary: &mut Dictionary,
    batch: &Batch,
) -> Result<(Vec<Key>, Vec<SetIds>), AggregateError> {
    let mut metrics = Positions::new(&batch.metrics);
    let mut processes = Positions::new(&batch.processes);
    let mut labels = Positions::new(&batch.labels);
    let mut layouts = Positions::new(&batch.layouts);
    let mut sets = Positions::new(&batch.dimension_sets);
    let mut keyed = Vec::with_capacity(batch.cells.len());
    for (position, (address, _)) in batch.cells.iter().enumerate() {
        keyed.push(Key {
            metric: metrics.id(address.metric, |text| dictionary.string(connection, text))?,
            dimension_set: sets
                .id(address.dimension_set, |set| {
                    dictionary.dimension_set(connection, set)
                })?
                .id,
            process: processes.id(address.process, |text| dictionary.string(connection, text))?,
            label: labels.id(address.label, |text| dictionary.string(connection, text))?,
            layout: layouts.id(address.layout, |&layout| dictionary.layout(connection, layout))?,
            position: u32::try_from(position)
                .map_err(|_| AggregateError::Batch("it has four billion cells"))?,
        });
    }
    keyed.sort_unstable();
    Ok((keyed, sets.ids))
}

/// The ids of one table of the batch, as far as its cells name them.
struct Positions<'a, T, Id> {
    items: &'a [T],
    ids: Vec<Id>,
    known: Vec<bool>,
}

impl<'a, T, Id: Copy + Default> Positions<'a, T, Id> {
    fn new(items: &'a [T]) -> Self {
        Self {
            items,
            ids: vec![Id::default(); items.len()],
            known: vec![false; items.len()],
        }
    }

    fn id(
        &mut self,
        position: u32,
        find: impl FnOnce(&T) -> Result<Id, AggregateError>,
    ) -> Result<Id, AggregateError> {
        let position = position as usize;
        let item = self.items.get(position);
        let item = item.ok_or(AggregateError::Batch(
            "a cell names a position beyond a table's end",
        ))?;
        if !self.known[position] {
            self.ids[position] = find(item)?;
            self.known[position] = true;
        }
        Ok(self.ids[position])
    }
}

//! Writes the cells of a batch, in the order of their keys, so that each page of the table is visited once.

use std::sync::Arc;

use rusqlite::{Connection, params};
use sketch::Cell;

use super::decoded::{Change, Changes};
use super::dictionary::Dictionary;
use super::listing;
use super::merge::{CellMerges, Upserted};
use crate::listing::{Listing, SetIds};
use crate::{AggregateError, Batch};

/// Adds the cells of the batches to those stored, and notes them; what became zero is removed, what is listed follows.
pub(super) fn write(
    connection: &Connection,
    dictionary: &mut Dictionary,
    merges: &CellMerges,
    batches: &[&Batch],
    changes: &mut Changes,
) -> Result<(), AggregateError> {
    let Resolved { keyed, sets } = resolve(connection, dictionary, batches)?;
    let mut joined = Vec::new();
    let mut upsert = connection.prepare_cached(
        "INSERT INTO cell (metric, dimension_set, process, label, layout, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET value = merge_cell(value, excluded.value)",
    )?;
    let mut remove = connection.prepare_cached(
        "DELETE FROM cell
         WHERE metric = ?1 AND dimension_set = ?2 AND process = ?3 AND label = ?4 AND layout = ?5",
    )?;
    let mut listed = Listing::default();
    for same in keyed.chunk_by(|a, b| a.cell() == b.cell()) {
        let Key {
            metric,
            dimension_set,
            process,
            label,
            layout,
            position,
        } = same[0];
        let (batch, at) = sets.place(position);
        let (address, first) = batches[batch].cells.get(at);
        let value = match same {
            [_] => first,
            several => {
                if join(batches, &sets, several, &mut joined)? {
                    continue;
                }
                &joined
            }
        };
        upsert.execute(params![metric, dimension_set, process, label, layout, value])?;
        changes.note(metric, || Change {
            dimension_set,
            process,
            label,
            layout,
            added: value.into(),
        });
        let set = &sets.of_batches[batch].1[address.dimension_set as usize];
        match merges.take() {
            Upserted::Added => {}
            Upserted::New => listed.count(set, metric, process, 1),
            Upserted::Zero => {
                remove.execute(params![metric, dimension_set, process, label, layout])?;
                listed.count(set, metric, process, -1);
            }
        }
    }
    listing::write(listed, connection)
}

/// Adds up cells of one key into `sum`. Whether nothing is left of them.
fn join(batches: &[&Batch], sets: &Sets, keys: &[Key], sum: &mut Vec<u8>) -> Result<bool, AggregateError> {
    let mut cell = Cell::default();
    for key in keys {
        let (batch, at) = sets.place(key.position);
        let one = Cell::decode(batches[batch].cells.get(at).1);
        cell.add(&one.map_err(|_| AggregateError::Batch("a cell in it cannot be read"))?);
    }
    sum.clear();
    cell.encode_into(sum);
    Ok(cell.is_zero())
}

/// The key of a stored cell in its order, and the cell's position among those of all batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    metric: u32,
    dimension_set: u32,
    process: u32,
    label: u32,
    layout: u32,
    position: u32,
}

impl Key {
    const fn cell(&self) -> (u32, u32, u32, u32, u32) {
        (
            self.metric,
            self.dimension_set,
            self.process,
            self.label,
            self.layout,
        )
    }
}

/// The keys of all cells, ascending, and the dimension sets of the batches.
struct Resolved {
    keyed: Vec<Key>,
    sets: Sets,
}

/// For each batch: the position of its first cell, and the ids of its dimension sets.
struct Sets {
    of_batches: Vec<(u32, Vec<Arc<SetIds>>)>,
}

impl Sets {
    /// The batch of a cell, and the cell's position in it.
    fn place(&self, position: u32) -> (usize, usize) {
        let after = self.of_batches.partition_point(|(first, _)| *first <= position);
        // The first batch begins at 0, so some batch begins at or before any position.
        let batch = after - 1;
        (batch, (position - self.of_batches[batch].0) as usize)
    }
}

fn resolve(
    connection: &Connection,
    dictionary: &mut Dictionary,
    batches: &[&Batch],
) -> Result<Resolved, AggregateError> {
    let all: usize = batches.iter().map(|batch| batch.cells.len()).sum();
    if u32::try_from(all).is_err() {
        return Err(AggregateError::Batch("it has four billion cells"));
    }
    let mut keyed = Vec::with_capacity(all);
    let mut of_batches = Vec::with_capacity(batches.len());
    for batch in batches {
        // An empty one shares its beginning with the next, which is the one found.
        let first = u32::try_from(keyed.len()).expect("there are fewer than four billion cells");
        of_batches.push((
            first,
            resolve_batch(connection, dictionary, batch, first, &mut keyed)?,
        ));
    }
    keyed.sort_unstable();
    Ok(Resolved {
        keyed,
        sets: Sets { of_batches },
    })
}

/// Adds the keys of a batch whose first cell has this position. Answers the ids of its dimension sets.
fn resolve_batch(
    connection: &Connection,
    dictionary: &mut Dictionary,
    batch: &Batch,
    first: u32,
    keyed: &mut Vec<Key>,
) -> Result<Vec<Arc<SetIds>>, AggregateError> {
    let mut metrics = Positions::new(&batch.metrics);
    let mut processes = Positions::new(&batch.processes);
    let mut labels = Positions::new(&batch.labels);
    let mut layouts = Positions::new(&batch.layouts);
    let mut sets = Positions::new(&batch.dimension_sets);
    for (position, (address, _)) in (first..).zip(batch.cells.iter()) {
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
            position,
        });
    }
    Ok(sets.ids)
}

/// The ids of one table of the batch, as far as its cells name them.
struct Positions<'a, T, Id> {
    items: &'a [T],
    ids: Vec<Id>,
    known: Vec<bool>,
}

impl<'a, T, Id: Clone + Default> Positions<'a, T, Id> {
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
        Ok(self.ids[position].clone())
    }
}

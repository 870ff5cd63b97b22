//! Writes the cells of a batch, in the order of their keys: those stored are read, added to here, and written back where they lie.

use futures_util::future::try_join;
use postgres_connections::Failure;
use sketch::{Cell, merge_encoded};
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::dictionary::Tables;
use super::ids::{column, number};
use super::limits::ROWS;
use super::listing;
use super::place::{self, Place};
use crate::listing::Listing;
use crate::{AggregateError, Batch};

/// Keys are looked up one after the other: a plan that reads the whole table for some thousand of them takes as long as the table
/// is large. For the statements on cells alone.
const BY_KEY: &str = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off";
const BY_ANY: &str = "SET LOCAL enable_hashjoin TO DEFAULT; SET LOCAL enable_mergejoin TO DEFAULT";

/// Behind the gate nobody else changes cells, so that what is read stays so, and where it is.
const READ: &str = "SELECT k.number, c.ctid, c.value FROM unnest($1, $2, $3, $4, $5) \
     WITH ORDINALITY AS k (metric, dimension_set, process, label, layout, number) \
     JOIN highwater_aggregates.cell c USING (metric, dimension_set, process, label, layout)";
const ADD: &str = "INSERT INTO highwater_aggregates.cell (metric, dimension_set, process, label, layout, value) \
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6)";
const CHANGE: &str = "UPDATE highwater_aggregates.cell c SET value = k.value FROM unnest($1::TID[], $2) AS k (place, value) \
     WHERE c.ctid = k.place";
const REMOVE: &str = "DELETE FROM highwater_aggregates.cell WHERE ctid = ANY ($1::TID[])";

/// Adds the cells of the batch to those stored; what became zero is removed, what is listed follows.
pub(super) async fn write(client: &Client, batch: &Batch) -> Result<(), Failure> {
    if batch.cells.is_empty() {
        return Ok(());
    }
    let tables = Tables::of(client, batch).await?;
    let keyed = keyed(batch, &tables)?;
    let cells: Vec<&[Key]> = keyed.chunk_by(|a, b| a.columns == b.columns).collect();
    let mut listed = Listing::default();
    client.batch_execute(BY_KEY).await?;
    let mut slices = cells.chunks(ROWS);
    let mut next = slices.next();
    let mut stored = match next {
        Some(first) => read(client, first).await?,
        None => Vec::new(),
    };
    while let Some(slice) = next {
        next = slices.next();
        // The next ones are read while these are added up; both write and read other rows.
        let reading = async {
            match next {
                Some(next) => read(client, next).await,
                None => Ok(Vec::new()),
            }
        };
        let changing = async {
            let changes = Changes::of(batch, &tables, slice, stored, &mut listed)?;
            changes.write(client).await
        };
        stored = try_join(reading, changing).await?.0;
    }
    client.batch_execute(BY_ANY).await?;
    listing::write(client, listed).await
}

/// The key of a stored cell, in the order of the columns, and the cell's position in the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// Metric, dimension set, process, label, layout.
    columns: [i32; 5],
    position: u32,
}

fn keyed(batch: &Batch, tables: &Tables) -> Result<Vec<Key>, AggregateError> {
    if u32::try_from(batch.cells.len()).is_err() {
        return Err(AggregateError::Batch("it has four billion cells"));
    }
    let mut keyed = Vec::with_capacity(batch.cells.len());
    for (position, (address, _)) in (0..).zip(batch.cells.iter()) {
        let columns = [
            tables.metrics[address.metric as usize],
            column(tables.sets[address.dimension_set as usize].id)?,
            tables.processes[address.process as usize],
            tables.labels[address.label as usize],
            tables.layouts[address.layout as usize],
        ];
        keyed.push(Key { columns, position });
    }
    keyed.sort_unstable();
    Ok(keyed)
}

/// What becomes of a slice of cells.
#[derive(Debug, Default)]
struct Changes {
    added: Keys,
    added_values: Vec<Vec<u8>>,
    changed: Vec<Place>,
    changed_values: Vec<Vec<u8>>,
    gone: Vec<Place>,
}

impl Changes {
    fn of(
        batch: &Batch,
        tables: &Tables,
        cells: &[&[Key]],
        stored: Vec<Option<Stored>>,
        listed: &mut Listing,
    ) -> Result<Self, AggregateError> {
        let mut changes = Self::default();
        for (same, stored) in cells.iter().zip(stored) {
            let added = sum(batch, same)?;
            let value = match &stored {
                None => added.encode(),
                Some((_, stored)) => merge_encoded(stored, &added.encode())
                    .map_err(|error| AggregateError::Damaged(error.to_string()))?,
            };
            let is_zero = Cell::decode(&value)
                .map_err(|error| AggregateError::Damaged(error.to_string()))?
                .is_zero();
            let first = same[0];
            let change = i64::from(!is_zero) - i64::from(stored.is_some());
            match (stored, is_zero) {
                (None, true) => {}
                (None, false) => {
                    changes.added.push(first.columns);
                    changes.added_values.push(value);
                }
                (Some((place, _)), true) => changes.gone.push(place),
                (Some((place, _)), false) => {
                    changes.changed.push(place);
                    changes.changed_values.push(value);
                }
            }
            if change != 0 {
                let (address, _) = batch.cells.get(first.position as usize);
                let set = &tables.sets[address.dimension_set as usize];
                listed.count(set, number(first.columns[0])?, number(first.columns[2])?, change);
            }
        }
        Ok(changes)
    }

    async fn write(&self, client: &Client) -> Result<(), Failure> {
        if !self.changed.is_empty() {
            let given: [(&(dyn ToSql + Sync), Type); 2] = [
                (&place::list(&self.changed), Type::TEXT),
                (&self.changed_values, Type::BYTEA_ARRAY),
            ];
            let changed = client.execute_typed(CHANGE, &given).await?;
            all_were_there(changed, self.changed.len())?;
        }
        if !self.gone.is_empty() {
            let gone = client
                .execute_typed(REMOVE, &[(&place::list(&self.gone), Type::TEXT)])
                .await?;
            all_were_there(gone, self.gone.len())?;
        }
        if !self.added_values.is_empty() {
            let mut all = self.added.typed().to_vec();
            all.push((&self.added_values, Type::BYTEA_ARRAY));
            client.execute_typed(ADD, &all).await?;
        }
        Ok(())
    }
}

/// Only somebody who changes tables by hand is not kept out by the gate: then nothing is written.
fn all_were_there(rows: u64, wanted: usize) -> Result<(), Failure> {
    if usize::try_from(rows) == Ok(wanted) {
        return Ok(());
    }
    Err(Failure::of(format!(
        "of {wanted} cells that were read {rows} were there a moment later: somebody else changes the tables"
    )))
}

/// Where a cell lies, and what it is.
type Stored = (Place, Vec<u8>);

/// The stored cells of these keys.
async fn read(client: &Client, cells: &[&[Key]]) -> Result<Vec<Option<Stored>>, Failure> {
    let mut keys = Keys::default();
    for same in cells {
        keys.push(same[0].columns);
    }
    let mut stored = vec![None; cells.len()];
    for row in client.query_typed(READ, &keys.typed()).await? {
        let number: i64 = row.try_get(0)?;
        let at = usize::try_from(number - 1).ok();
        let place = at.and_then(|at| stored.get_mut(at));
        *place.ok_or_else(|| Failure::of(format!("it answered for cell {number} of {}", cells.len())))? =
            Some((row.try_get(1)?, row.try_get(2)?));
    }
    Ok(stored)
}

/// What the batch adds to one cell.
fn sum(batch: &Batch, same: &[Key]) -> Result<Cell, AggregateError> {
    let mut sum = Cell::default();
    for key in same {
        let cell = Cell::decode(batch.cells.get(key.position as usize).1);
        sum.add(&cell.map_err(|_| AggregateError::Batch("a cell in it cannot be read"))?);
    }
    Ok(sum)
}

/// Keys as columns of a statement.
#[derive(Debug, Default)]
struct Keys([Vec<i32>; 5]);

impl Keys {
    fn push(&mut self, columns: [i32; 5]) {
        for (column, value) in self.0.iter_mut().zip(columns) {
            column.push(value);
        }
    }

    fn typed(&self) -> [(&(dyn ToSql + Sync), Type); 5] {
        self.0
            .each_ref()
            .map(|column| (column as &(dyn ToSql + Sync), Type::INT4_ARRAY))
    }
}

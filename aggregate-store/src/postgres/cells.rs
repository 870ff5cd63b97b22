//! Writes the cells of a batch, in the order of their keys: those stored are read, added to here, and written back.

use postgres_connections::Failure;
use sketch::{Cell, merge_encoded};
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::dictionary::Tables;
use super::ids::{column, number};
use super::limits::ROWS;
use super::listing;
use crate::listing::Listing;
use crate::{AggregateError, Batch};

macro_rules! keys {
    () => {
        "unnest($1, $2, $3, $4, $5)"
    };
}

const READ: &str = concat!(
    "SELECT k.number, c.value FROM ",
    keys!(),
    " WITH ORDINALITY AS k (dimension_set, metric, process, label, layout, number) \
     JOIN highwater_aggregates.cell c USING (dimension_set, metric, process, label, layout) FOR UPDATE OF c"
);
const WRITE: &str = "INSERT INTO highwater_aggregates.cell AS c (dimension_set, metric, process, label, layout, value) \
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6) \
     ON CONFLICT (dimension_set, metric, process, label, layout) DO UPDATE SET value = excluded.value";
const REMOVE: &str = concat!(
    "DELETE FROM highwater_aggregates.cell c USING ",
    keys!(),
    " AS k (dimension_set, metric, process, label, layout) WHERE c.dimension_set = k.dimension_set \
     AND c.metric = k.metric AND c.process = k.process AND c.label = k.label AND c.layout = k.layout"
);

/// Adds the cells of the batch to those stored; what became zero is removed, what is listed follows.
pub(super) async fn write(client: &Client, batch: &Batch) -> Result<(), Failure> {
    if batch.cells.is_empty() {
        return Ok(());
    }
    let tables = Tables::of(client, batch).await?;
    let keyed = keyed(batch, &tables)?;
    let cells: Vec<&[Key]> = keyed.chunk_by(|a, b| a.columns == b.columns).collect();
    let mut listed = Listing::default();
    for slice in cells.chunks(ROWS) {
        write_slice(client, batch, &tables, slice, &mut listed).await?;
    }
    listing::write(client, listed).await
}

/// The key of a stored cell, in the order of the columns, and the cell's position in the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// Dimension set, metric, process, label, layout.
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
            column(tables.sets[address.dimension_set as usize].id)?,
            tables.metrics[address.metric as usize],
            tables.processes[address.process as usize],
            tables.labels[address.label as usize],
            tables.layouts[address.layout as usize],
        ];
        keyed.push(Key { columns, position });
    }
    keyed.sort_unstable();
    Ok(keyed)
}

async fn write_slice(
    client: &Client,
    batch: &Batch,
    tables: &Tables,
    cells: &[&[Key]],
    listed: &mut Listing,
) -> Result<(), Failure> {
    let mut stored = read(client, cells).await?;
    let (mut put, mut values, mut gone) = (Keys::default(), Vec::new(), Keys::default());
    for (same, stored) in cells.iter().zip(&mut stored) {
        let added = sum(batch, same)?;
        let first = same[0];
        let value = match stored.as_deref() {
            None => added.encode(),
            Some(stored) => merge_encoded(stored, &added.encode())
                .map_err(|error| AggregateError::Damaged(error.to_string()))?,
        };
        let is_zero = Cell::decode(&value)
            .map_err(|error| AggregateError::Damaged(error.to_string()))?
            .is_zero();
        match (stored.is_some(), is_zero) {
            (false, true) => continue,
            (true, true) => gone.push(first.columns),
            (_, false) => {
                put.push(first.columns);
                values.push(value);
            }
        }
        let change = i64::from(!is_zero) - i64::from(stored.is_some());
        if change != 0 {
            let (address, _) = batch.cells.get(first.position as usize);
            let set = &tables.sets[address.dimension_set as usize];
            listed.count(set, number(first.columns[1])?, number(first.columns[2])?, change);
        }
    }
    if !values.is_empty() {
        let mut all = put.typed().to_vec();
        all.push((&values, Type::BYTEA_ARRAY));
        client.execute_typed(WRITE, &all).await?;
    }
    if !gone.is_empty() {
        client.execute_typed(REMOVE, &gone.typed()).await?;
    }
    Ok(())
}

/// The stored cells of these keys.
async fn read(client: &Client, cells: &[&[Key]]) -> Result<Vec<Option<Vec<u8>>>, Failure> {
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
            Some(row.try_get(1)?);
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

    fn is_empty(&self) -> bool {
        self.0[0].is_empty()
    }

    fn typed(&self) -> [(&(dyn ToSql + Sync), Type); 5] {
        self.0
            .each_ref()
            .map(|column| (column as &(dyn ToSql + Sync), Type::INT4_ARRAY))
    }
}

//! Ids of layouts, for writing: those that are new get rows.

use postgres_connections::Failure;
use sketch::{HistogramKind, Layout};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::ids::in_order;
use super::limits::ROWS;
use crate::AggregateError;
use crate::stored::unstored;

const FIND: &str = "SELECT u.number, l.id FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS u (kind, min, max, bin_count, number) \
     JOIN highwater_aggregates.layout l ON l.kind = u.kind AND l.min = u.min AND l.max = u.max AND l.bin_count = u.bin_count";
const OF_IDS: &str =
    "SELECT id, kind, min, max, bin_count FROM highwater_aggregates.layout WHERE id = ANY ($1)";
const ADD: &str = "INSERT INTO highwater_aggregates.layout (kind, min, max, bin_count) SELECT * FROM unnest($1, $2, $3, $4) \
     ON CONFLICT DO NOTHING";

/// The layouts of these ids, as far as there are such. None is ever removed or changed.
pub(super) async fn of_ids(client: &Client, ids: &[i32]) -> Result<Vec<(i32, Layout)>, Failure> {
    let mut layouts = Vec::with_capacity(ids.len());
    for slice in ids.chunks(ROWS) {
        for row in client.query_typed(OF_IDS, &[(&slice, Type::INT4_ARRAY)]).await? {
            layouts.push((row.try_get(0)?, read(&row, 1)?));
        }
    }
    Ok(layouts)
}

/// The ids of these layouts, in their order.
pub(super) async fn ids(client: &Client, layouts: &[Layout]) -> Result<Vec<i32>, Failure> {
    let mut ids = Vec::with_capacity(layouts.len());
    for slice in layouts.chunks(ROWS) {
        let mut found = find(client, slice).await?;
        if found.contains(&None) {
            add(client, slice, &found).await?;
            found = find(client, slice).await?;
        }
        let all: Option<Vec<i32>> = found.into_iter().collect();
        ids.extend(
            all.ok_or_else(|| AggregateError::Damaged("a layout that was added is missing".to_owned()))?,
        );
    }
    Ok(ids)
}

/// Adds those that have no id.
async fn add(client: &Client, layouts: &[Layout], found: &[Option<i32>]) -> Result<(), Failure> {
    let new = layouts.iter().zip(found).filter(|(_, id)| id.is_none());
    let [kinds, mins, maxs, counts] = columns(new.map(|(layout, _)| layout));
    let all = [&kinds, &mins, &maxs, &counts];
    client.execute_typed(ADD, &all.map(typed)).await?;
    Ok(())
}

async fn find(client: &Client, layouts: &[Layout]) -> Result<Vec<Option<i32>>, Failure> {
    let [kinds, mins, maxs, counts] = columns(layouts.iter());
    let all = [&kinds, &mins, &maxs, &counts];
    in_order(&client.query_typed(FIND, &all.map(typed)).await?, layouts.len())
}

fn typed(column: &Vec<i64>) -> (&(dyn tokio_postgres::types::ToSql + Sync), Type) {
    (column, Type::INT8_ARRAY)
}

fn columns<'a>(layouts: impl Iterator<Item = &'a Layout>) -> [Vec<i64>; 4] {
    let mut columns: [Vec<i64>; 4] = Default::default();
    for layout in layouts {
        let Layout {
            kind,
            min,
            max,
            bin_count,
        } = *layout;
        let row = [i64::from(kind.code()), min, max, i64::from(bin_count)];
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    columns
}

/// Reads a layout from four columns, of which this is the first.
pub(super) fn read(row: &Row, first: usize) -> Result<Layout, Failure> {
    let number = |at: usize| row.try_get::<_, i64>(first + at);
    let kind = HistogramKind::stored(unstored::<u8>(number(0)?)?);
    Ok(Layout {
        kind: kind.map_err(|_| AggregateError::Damaged("a layout is of no known kind".to_owned()))?,
        min: number(1)?,
        max: number(2)?,
        bin_count: unstored(number(3)?)?,
    })
}

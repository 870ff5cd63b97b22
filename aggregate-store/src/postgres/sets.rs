//! Ids of dimension sets, for writing: those that are new get rows.

use postgres_connections::Failure;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::ids::{column, in_order};
use super::limits::ROWS;
use crate::AggregateError;
use crate::listing::SetIds;

/// The columns of a set beside its id, in the order of statements.
macro_rules! columns {
    () => {
        "channel, version, submission_date, build_date, application, architecture, os, os_version, e10s"
    };
}

const FIND: &str = concat!(
    "SELECT u.number, s.id FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) WITH ORDINALITY AS u (",
    columns!(),
    ", number) JOIN highwater_aggregates.dimension_set s USING (",
    columns!(),
    ")"
);
const ADD: &str = concat!(
    "INSERT INTO highwater_aggregates.dimension_set (",
    columns!(),
    ") SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)"
);

/// The columns of a set.
pub(super) fn columns(set: &SetIds) -> Result<[i32; 9], AggregateError> {
    Ok([
        column(set.channel)?,
        column(set.version)?,
        column(set.submission_date)?,
        column(set.build_date)?,
        column(set.application)?,
        column(set.architecture)?,
        column(set.os)?,
        column(set.os_version)?,
        column(set.e10s)?,
    ])
}

/// The ids of these sets, in their order; no set may be there twice.
pub(super) async fn ids(client: &Client, sets: &[[i32; 9]]) -> Result<Vec<i32>, Failure> {
    let mut ids = Vec::with_capacity(sets.len());
    for slice in sets.chunks(ROWS) {
        let mut found = find(client, slice).await?;
        if found.contains(&None) {
            let new = slice.iter().zip(&found).filter(|(_, id)| id.is_none());
            let new = transposed(new.map(|(set, _)| set));
            client.execute_typed(ADD, &new.each_ref().map(typed)).await?;
            found = find(client, slice).await?;
        }
        let all: Option<Vec<i32>> = found.into_iter().collect();
        ids.extend(all.ok_or_else(|| AggregateError::Damaged("a set that was added is missing".to_owned()))?);
    }
    Ok(ids)
}

async fn find(client: &Client, sets: &[[i32; 9]]) -> Result<Vec<Option<i32>>, Failure> {
    let columns = transposed(sets.iter());
    let rows = client.query_typed(FIND, &columns.each_ref().map(typed)).await?;
    in_order(&rows, sets.len())
}

fn transposed<'a>(sets: impl Iterator<Item = &'a [i32; 9]>) -> [Vec<i32>; 9] {
    let mut columns: [Vec<i32>; 9] = Default::default();
    for set in sets {
        for (column, value) in columns.iter_mut().zip(set) {
            column.push(*value);
        }
    }
    columns
}

fn typed(column: &Vec<i32>) -> (&(dyn ToSql + Sync), Type) {
    (column, Type::INT4_ARRAY)
}

//! Sums of one metric's cells: the database finds them, and they are added up here as they come.

use std::collections::BTreeMap;
use std::pin::pin;

use futures_util::TryStreamExt;
use ping::{SubmissionDate, UNKNOWN};
use postgres_connections::Failure;
use sketch::{Cell, Layout};
use tokio_postgres::{Client, Row};

use super::given::Given;
use super::listing::{text, utf8};
use super::{conditions, layouts};
use crate::bounds::Taken;
use crate::build_date::{BuildDate, Builds};
use crate::stored::date;
use crate::{AggregateError, Bounds, CellQuery, Dimension, SeriesRow};

/// The sums, ascending by group, label and layout.
pub(super) async fn read(
    client: &Client,
    query: &CellQuery,
    bounds: Bounds,
) -> Result<Vec<SeriesRow>, Failure> {
    let (sql, given) = statement(query)?;
    let rows = client.query_typed_raw(&sql, given.typed()).await?;
    let mut rows = pin!(rows);
    let mut taken = Taken::new(bounds);
    let mut sums: BTreeMap<Group, Sum> = BTreeMap::new();
    while let Some(row) = rows.try_next().await? {
        let Found {
            group,
            build,
            day,
            cell,
        } = read_row(&row, query)?;
        let sum = sums.entry(group).or_default();
        let before = sum.cell.bins().len();
        sum.cell.add(&cell);
        sum.builds.note(build, day, cell.count());
        let after = sum.cell.bins().len();
        taken.note(sums.len(), before, after).map_err(unfinished)?;
    }
    let sums = sums.into_iter().filter(|(_, sum)| !sum.cell.is_zero());
    Ok(sums.map(series_row).collect())
}

/// The values of each set are looked up once, and not once for each of its cells.
fn statement(query: &CellQuery) -> Result<(String, Given), AggregateError> {
    let mut given = Given::default();
    let build = conditions::value_or_unknown(&mut given, Dimension::BUILD_DATE);
    let mut by = Vec::with_capacity(query.group_by.len());
    for dimension in &query.group_by {
        by.push(conditions::value(&mut given, dimension.as_str()));
    }
    let sets = conditions::of_sets(&mut given, &query.source, &query.filters)?;
    let cells = conditions::of_cells(&mut given, query);
    let process = match query.by_process {
        true => "(SELECT bytes FROM highwater_aggregates.string WHERE id = c.process)",
        false => "NULL::BYTEA",
    };
    let sql = format!(
        "WITH wanted AS MATERIALIZED (SELECT s.id, s.submission_date, {build} AS build, ARRAY[{}]::BYTEA[] AS named \
             FROM highwater_aggregates.dimension_set s WHERE {sets}) \
         SELECT w.submission_date, w.build, w.named, label.bytes, l.kind, l.min, l.max, l.bin_count, c.value, {process} \
         FROM wanted w JOIN highwater_aggregates.cell c ON c.dimension_set = w.id \
         JOIN highwater_aggregates.string label ON label.id = c.label \
         JOIN highwater_aggregates.layout l ON l.id = c.layout WHERE {cells}",
        by.join(", ")
    );
    Ok((sql, given))
}

/// The rest of the answer is still coming: the connection is of no use any more.
fn unfinished(error: AggregateError) -> Failure {
    Failure::Unfinished(Box::new(error))
}

/// The values that are grouped by, label and layout.
type Group = (Vec<String>, String, Layout);

/// The sum of a group's cells, and what their builds say.
#[derive(Default)]
struct Sum {
    cell: Cell,
    builds: Builds,
}

/// A cell with what it is added up by.
struct Found {
    group: Group,
    build: BuildDate,
    day: SubmissionDate,
    cell: Cell,
}

fn read_row(row: &Row, query: &CellQuery) -> Result<Found, Failure> {
    let day = date(row.try_get::<_, i32>(0)?.into())?;
    let values: Vec<Option<Vec<u8>>> = row.try_get(2)?;
    let mut named = Vec::with_capacity(query.group_by.len() + 1);
    for (dimension, value) in query.group_by.iter().zip(values) {
        named.push(match value {
            _ if dimension.as_str() == Dimension::SUBMISSION_DATE => day.to_string(),
            Some(value) => utf8(value)?,
            None => UNKNOWN.to_owned(),
        });
    }
    if query.by_process {
        named.push(text(row, 9)?);
    }
    let cell = Cell::decode(row.try_get(8)?);
    Ok(Found {
        group: (named, text(row, 3)?, layouts::read(row, 4)?),
        build: BuildDate::of(&text(row, 1)?),
        day,
        cell: cell.map_err(|error| AggregateError::Damaged(error.to_string()))?,
    })
}

fn series_row((group, sum): (Group, Sum)) -> SeriesRow {
    let (group, label, layout) = group;
    SeriesRow {
        group,
        label,
        layout,
        plausible: sum.builds.plausible(),
        newest_build: sum.builds.newest(),
        cell: sum.cell,
    }
}

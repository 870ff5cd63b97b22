//! Which values have cells: how the table is written and asked. What it counts is told in [`crate::listing`].

use std::collections::BTreeSet;

use postgres_connections::Failure;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::conditions::{id, source_id};
use super::given::Given;
use super::ids::column;
use super::limits::ROWS;
use crate::listing::{Listing, METRIC, PROCESS, SUBMISSION_DATE};
use crate::stored::{self, date};
use crate::{AggregateError, DateClock, Dimension, FilterOptions, Listed, Source, VersionDate};

const ADD: &str = "INSERT INTO highwater_aggregates.listing AS l (source, channel, version, dimension, value, detail, cells) \
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (source, channel, version, dimension, value, detail) \
     DO UPDATE SET cells = l.cells + excluded.cells";
const REMOVE: &str = "DELETE FROM highwater_aggregates.listing WHERE cells = 0";

/// Writes all changes.
pub(super) async fn write(client: &Client, listing: Listing) -> Result<(), Failure> {
    let changes = listing.changes().into_iter().filter(|(_, change)| *change != 0);
    let changes: Vec<_> = changes.collect();
    for slice in changes.chunks(ROWS) {
        let (mut keys, mut cells): ([Vec<i32>; 6], Vec<i64>) = Default::default();
        for ((source, channel, version, dimension, value, detail), change) in slice {
            let dimension = i32::try_from(*dimension)
                .map_err(|_| AggregateError::Damaged(format!("the id {dimension} is out of its range")))?;
            let row = [
                column(*source)?,
                column(*channel)?,
                column(*version)?,
                dimension,
                column(*value)?,
                column(*detail)?,
            ];
            for (key, id) in keys.iter_mut().zip(row) {
                key.push(id);
            }
            cells.push(*change);
        }
        let keys = keys.each_ref();
        let mut all: Vec<(&(dyn ToSql + Sync), Type)> = Vec::new();
        all.extend(keys.map(|key| (key as &(dyn ToSql + Sync), Type::INT4_ARRAY)));
        all.push((&cells, Type::INT8_ARRAY));
        client.execute_typed(ADD, &all).await?;
    }
    if changes.iter().any(|(_, change)| *change < 0) {
        client.execute_typed(REMOVE, &[]).await?;
    }
    Ok(())
}

/// Channels that have cells, ascending; of more than `limit` those with the most.
pub(super) async fn channels(
    client: &Client,
    source: &Source,
    limit: usize,
) -> Result<Listed<String>, Failure> {
    let mut given = Given::default();
    let source = source_id(&mut given, source)?;
    let limit = given.add(stored::limit(limit), Type::INT8);
    let sql = format!(
        "SELECT s.bytes, c.total FROM (SELECT channel, count(*) OVER () AS total FROM highwater_aggregates.listing \
         WHERE source = {source} AND dimension = {METRIC} GROUP BY channel ORDER BY sum(cells) DESC, channel LIMIT {limit}) c \
         JOIN highwater_aggregates.string s ON s.id = c.channel ORDER BY s.bytes"
    );
    let rows = client.query_typed(&sql, &given.typed()).await?;
    let values = rows.iter().map(|row| text(row, 0)).collect::<Result<_, _>>()?;
    let left_out = left_out(&rows, 1)?;
    Ok(Listed { values, left_out })
}

/// How many rows there are beside these, as a column of each of them says of all.
pub(super) fn left_out(rows: &[Row], total: usize) -> Result<u64, Failure> {
    let Some(row) = rows.first() else { return Ok(0) };
    let total: i64 = row.try_get(total)?;
    Ok(u64::try_from(total)
        .unwrap_or(0)
        .saturating_sub(rows.len() as u64))
}

/// Versions and dates of a channel that have cells, ascending; of more than `limit` those with the most.
pub(super) async fn dates(
    client: &Client,
    source: &Source,
    clock: DateClock,
    channel: &str,
    limit: usize,
) -> Result<Listed<VersionDate>, Failure> {
    let mut given = Given::default();
    let (source, channel) = (source_id(&mut given, source)?, id(&mut given, channel));
    let dimension = match clock {
        DateClock::BuildDate => id(&mut given, Dimension::BUILD_DATE),
        DateClock::SubmissionDate => SUBMISSION_DATE.to_string(),
    };
    let limit = given.add(stored::limit(limit), Type::INT8);
    let sql = format!(
        "SELECT version.bytes, l.value, build.bytes, l.total FROM \
         (SELECT version, value, dimension, count(*) OVER () AS total FROM highwater_aggregates.listing \
         WHERE source = {source} AND channel = {channel} AND dimension = {dimension} \
         ORDER BY cells DESC, value DESC, version LIMIT {limit}) l \
         JOIN highwater_aggregates.string version ON version.id = l.version \
         LEFT JOIN highwater_aggregates.string build ON build.id = l.value AND l.dimension <> {SUBMISSION_DATE}"
    );
    let rows = client.query_typed(&sql, &given.typed()).await?;
    let mut values = Vec::new();
    for row in &rows {
        let day: i32 = row.try_get(1)?;
        values.push(VersionDate {
            version: text(row, 0)?,
            date: match clock {
                DateClock::BuildDate => text(row, 2)?,
                DateClock::SubmissionDate => date(day.into())?.to_string(),
            },
        });
    }
    values.sort();
    let left_out = left_out(&rows, 3)?;
    Ok(Listed { values, left_out })
}

/// Values that have cells in a channel and version, less dates; of each kind's more than `limit` those with the most.
pub(super) async fn filter_options(
    client: &Client,
    source: &Source,
    channel: &str,
    version: &str,
    limit: usize,
) -> Result<FilterOptions, Failure> {
    let at_most = stored::limit(limit);
    let mut given = Given::default();
    let source = source_id(&mut given, source)?;
    let (channel, version) = (id(&mut given, channel), id(&mut given, version));
    let build_date = id(&mut given, Dimension::BUILD_DATE);
    let limit = given.add(at_most, Type::INT8);
    let sql = format!(
        "SELECT l.dimension, name.bytes, value.bytes, detail.bytes, l.place, l.total FROM \
         (SELECT dimension, value, detail, count(*) OVER (PARTITION BY dimension) AS total, \
         row_number() OVER (PARTITION BY dimension ORDER BY cells DESC, value, detail) AS place \
         FROM highwater_aggregates.listing WHERE source = {source} AND channel = {channel} AND version = {version} \
         AND dimension <> {SUBMISSION_DATE} AND dimension IS DISTINCT FROM {build_date}) l \
         JOIN highwater_aggregates.string value ON value.id = l.value \
         LEFT JOIN highwater_aggregates.string name ON name.id = l.dimension \
         LEFT JOIN highwater_aggregates.string detail ON detail.id = l.detail WHERE l.place <= {limit}"
    );
    let rows = client.query_typed(&sql, &given.typed()).await?;
    let mut options = FilterOptions::default();
    let mut values = BTreeSet::new();
    for row in &rows {
        let dimension = i64::from(row.try_get::<_, i32>(0)?);
        let name = match dimension {
            METRIC | PROCESS => String::new(),
            _ => text(row, 1)?,
        };
        let detail: Option<Vec<u8>> = row.try_get(3)?;
        values.insert((dimension, name, text(row, 2)?, utf8(detail.unwrap_or_default())?));
        let (place, total): (i64, i64) = (row.try_get(4)?, row.try_get(5)?);
        if place == at_most {
            options.left_out += u64::try_from(total - at_most).unwrap_or(0);
        }
    }
    for (dimension, name, value, detail) in values {
        match dimension {
            METRIC => options.metrics.push(value),
            PROCESS => options.processes.push(value),
            _ if name == Dimension::OS => options.os.push((value, detail)),
            _ => options.others.entry(name).or_default().push(value),
        }
    }
    Ok(options)
}

/// Reads a text.
pub(super) fn text(row: &Row, column: usize) -> Result<String, Failure> {
    utf8(row.try_get(column)?)
}

/// The text of stored bytes.
pub(super) fn utf8(bytes: Vec<u8>) -> Result<String, Failure> {
    let text = String::from_utf8(bytes);
    text.map_err(|_| AggregateError::Damaged("a text is no UTF-8".to_owned()).into())
}

//! Which values have cells: how the table is written and asked. What it counts is told in [`crate::listing`].

use std::collections::BTreeSet;

use postgres_connections::Failure;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::ids::column;
use super::limits::ROWS;
use crate::listing::{
    APPLICATION, ARCHITECTURE, BUILD_DATE, E10S, Listing, METRIC, OS, PROCESS, SUBMISSION_DATE,
};
use crate::stored::{self, date};
use crate::{AggregateError, DateClock, FilterOptions, Listed, VersionDate};

const ADD: &str = "INSERT INTO highwater_aggregates.listing AS l (channel, version, kind, value, detail, cells) \
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6) ON CONFLICT (channel, version, kind, value, detail) \
     DO UPDATE SET cells = l.cells + excluded.cells";
const REMOVE: &str = "DELETE FROM highwater_aggregates.listing WHERE cells = 0";
const CHANNELS: &str = "SELECT s.bytes, c.total FROM (SELECT channel, count(*) OVER () AS total \
     FROM highwater_aggregates.listing WHERE kind = 1 GROUP BY channel ORDER BY sum(cells) DESC, channel LIMIT $1) c \
     JOIN highwater_aggregates.string s ON s.id = c.channel ORDER BY s.bytes";
const DATES: &str = "SELECT version.bytes, l.value, build.bytes, l.total FROM \
     (SELECT version, value, kind, count(*) OVER () AS total FROM highwater_aggregates.listing \
     WHERE kind = $2 AND channel = (SELECT id FROM highwater_aggregates.string WHERE sha256(bytes) = sha256($1)) \
     ORDER BY cells DESC, value DESC, version LIMIT $3) l \
     JOIN highwater_aggregates.string version ON version.id = l.version \
     LEFT JOIN highwater_aggregates.string build ON build.id = l.value AND l.kind = 7";
const VALUES: &str = "SELECT l.kind, value.bytes, detail.bytes, l.place, l.total FROM \
     (SELECT kind, value, detail, count(*) OVER (PARTITION BY kind) AS total, \
     row_number() OVER (PARTITION BY kind ORDER BY cells DESC, value, detail) AS place \
     FROM highwater_aggregates.listing WHERE kind <= 6 \
     AND channel = (SELECT id FROM highwater_aggregates.string WHERE sha256(bytes) = sha256($1)) \
     AND version = (SELECT id FROM highwater_aggregates.string WHERE sha256(bytes) = sha256($2))) l \
     JOIN highwater_aggregates.string value ON value.id = l.value \
     LEFT JOIN highwater_aggregates.string detail ON detail.id = l.detail WHERE l.place <= $3";

/// Writes all changes.
pub(super) async fn write(client: &Client, listing: Listing) -> Result<(), Failure> {
    let changes = listing.changes().into_iter().filter(|(_, change)| *change != 0);
    let changes: Vec<_> = changes.collect();
    for slice in changes.chunks(ROWS) {
        let (mut keys, mut cells): ([Vec<i32>; 5], Vec<i64>) = Default::default();
        for ((channel, version, kind, value, detail), change) in slice {
            let kind = u32::try_from(*kind).unwrap_or(0);
            let row = [*channel, *version, kind, *value, *detail];
            for (key, id) in keys.iter_mut().zip(row) {
                key.push(column(id)?);
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
pub(super) async fn channels(client: &Client, limit: usize) -> Result<Listed<String>, Failure> {
    let rows = client
        .query_typed(CHANNELS, &[(&stored::limit(limit), Type::INT8)])
        .await?;
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
    clock: DateClock,
    channel: &str,
    limit: usize,
) -> Result<Listed<VersionDate>, Failure> {
    let kind = match clock {
        DateClock::BuildDate => BUILD_DATE,
        DateClock::SubmissionDate => SUBMISSION_DATE,
    };
    let given: [(&(dyn ToSql + Sync), Type); 3] = [
        (&channel.as_bytes(), Type::BYTEA),
        (&kind, Type::INT8),
        (&stored::limit(limit), Type::INT8),
    ];
    let rows = client.query_typed(DATES, &given).await?;
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

/// Values that have cells in a channel and version; of each kind's more than `limit` those with the most.
pub(super) async fn filter_options(
    client: &Client,
    channel: &str,
    version: &str,
    limit: usize,
) -> Result<FilterOptions, Failure> {
    let at_most = stored::limit(limit);
    let given: [(&(dyn ToSql + Sync), Type); 3] = [
        (&channel.as_bytes(), Type::BYTEA),
        (&version.as_bytes(), Type::BYTEA),
        (&at_most, Type::INT8),
    ];
    let rows = client.query_typed(VALUES, &given).await?;
    let mut options = FilterOptions::default();
    let mut values = BTreeSet::new();
    for row in &rows {
        let kind: i32 = row.try_get(0)?;
        let detail = match i64::from(kind) {
            OS => text(row, 2)?,
            _ => String::new(),
        };
        values.insert((i64::from(kind), text(row, 1)?, detail));
        let (place, total): (i64, i64) = (row.try_get(3)?, row.try_get(4)?);
        if place == at_most {
            options.left_out += u64::try_from(total - at_most).unwrap_or(0);
        }
    }
    for (kind, value, detail) in values {
        match kind {
            METRIC => options.metrics.push(value),
            APPLICATION => options.applications.push(value),
            ARCHITECTURE => options.architectures.push(value),
            OS => options.os.push((value, detail)),
            PROCESS => options.processes.push(value),
            E10S => options.e10s.push(value),
            _ => {}
        }
    }
    Ok(options)
}

/// Reads a text.
pub(super) fn text(row: &Row, column: usize) -> Result<String, Failure> {
    let bytes: Vec<u8> = row.try_get(column)?;
    let text = String::from_utf8(bytes);
    text.map_err(|_| AggregateError::Damaged("a text is no UTF-8".to_owned()).into())
}

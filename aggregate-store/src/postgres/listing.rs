//! Which values have cells: how the table is written and asked. What it counts is told in [`crate::listing`].

use std::collections::BTreeSet;

use postgres_connections::Failure;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::dictionary::column;
use super::limits::ROWS;
use crate::listing::{
    APPLICATION, ARCHITECTURE, BUILD_DATE, E10S, Listing, METRIC, OS, PROCESS, SUBMISSION_DATE,
};
use crate::stored::date;
use crate::{AggregateError, DateClock, FilterOptions, VersionDate};

const ADD: &str = "INSERT INTO highwater_aggregates.listing AS l (channel, version, kind, value, detail, cells) \
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6) ON CONFLICT (channel, version, kind, value, detail) \
     DO UPDATE SET cells = l.cells + excluded.cells";
const REMOVE: &str = "DELETE FROM highwater_aggregates.listing WHERE cells = 0";
const CHANNELS: &str = "SELECT s.bytes FROM highwater_aggregates.string s WHERE EXISTS \
     (SELECT FROM highwater_aggregates.listing l WHERE l.channel = s.id) ORDER BY s.bytes";
const DATES: &str = "SELECT version.bytes, l.value, build.bytes FROM highwater_aggregates.listing l \
     JOIN highwater_aggregates.string version ON version.id = l.version \
     LEFT JOIN highwater_aggregates.string build ON build.id = l.value AND l.kind = 7 \
     WHERE l.kind = $2 AND l.channel = (SELECT id FROM highwater_aggregates.string WHERE sha256(bytes) = sha256($1))";
const VALUES: &str = "SELECT l.kind, value.bytes, detail.bytes FROM highwater_aggregates.listing l \
     JOIN highwater_aggregates.string value ON value.id = l.value \
     LEFT JOIN highwater_aggregates.string detail ON detail.id = l.detail WHERE l.kind <= 6 \
     AND l.channel = (SELECT id FROM highwater_aggregates.string WHERE sha256(bytes) = sha256($1)) \
     AND l.version = (SELECT id FROM highwater_aggregates.string WHERE sha256(bytes) = sha256($2))";

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

/// Channels that have cells, ascending.
pub(super) async fn channels(client: &Client) -> Result<Vec<String>, Failure> {
    let rows = client.query_typed(CHANNELS, &[]).await?;
    rows.iter().map(|row| text(row, 0)).collect()
}

/// Versions and dates of a channel that have cells, ascending.
pub(super) async fn dates(
    client: &Client,
    clock: DateClock,
    channel: &str,
) -> Result<Vec<VersionDate>, Failure> {
    let kind = match clock {
        DateClock::BuildDate => BUILD_DATE,
        DateClock::SubmissionDate => SUBMISSION_DATE,
    };
    let given: [(&(dyn ToSql + Sync), Type); 2] = [(&channel.as_bytes(), Type::BYTEA), (&kind, Type::INT8)];
    let rows = client.query_typed(DATES, &given).await?;
    let mut dates = Vec::new();
    for row in &rows {
        let day: i32 = row.try_get(1)?;
        dates.push(VersionDate {
            version: text(row, 0)?,
            date: match clock {
                DateClock::BuildDate => text(row, 2)?,
                DateClock::SubmissionDate => date(day.into())?.to_string(),
            },
        });
    }
    dates.sort();
    Ok(dates)
}

/// Values that have cells in a channel and version.
pub(super) async fn filter_options(
    client: &Client,
    channel: &str,
    version: &str,
) -> Result<FilterOptions, Failure> {
    let given: [(&(dyn ToSql + Sync), Type); 2] = [
        (&channel.as_bytes(), Type::BYTEA),
        (&version.as_bytes(), Type::BYTEA),
    ];
    let rows = client.query_typed(VALUES, &given).await?;
    let mut values = BTreeSet::new();
    for row in &rows {
        let kind: i32 = row.try_get(0)?;
        let detail = match i64::from(kind) {
            OS => text(row, 2)?,
            _ => String::new(),
        };
        values.insert((i64::from(kind), text(row, 1)?, detail));
    }
    let mut options = FilterOptions::default();
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

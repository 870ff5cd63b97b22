//! Everything that is aggregated, as lines of JSON in the order of names. The database sorts, by bytes; here only some rows
//! at a time are held.

use postgres_connections::{Failure, Transaction};
use sketch::Cell;
use tokio::sync::mpsc;
use tokio_postgres::{Client, Row};

use super::layouts;
use super::limits::FETCHED_ROWS;
use super::listing::text;
use crate::layer::CellName;
use crate::lines::{CellLine, UserLine, line_of};
use crate::stored::date;
use crate::{AggregateError, DimensionSet, UserKey};

const CELLS: &str = "DECLARE lines NO SCROLL CURSOR FOR \
     SELECT metric.bytes, s.submission_date, channel.bytes, version.bytes, build.bytes, application.bytes, architecture.bytes, \
     os.bytes, os_version.bytes, e10s.bytes, process.bytes, label.bytes, l.kind, l.min, l.max, l.bin_count, c.value \
     FROM highwater_aggregates.cell c JOIN highwater_aggregates.dimension_set s ON s.id = c.dimension_set \
     JOIN highwater_aggregates.layout l ON l.id = c.layout \
     JOIN highwater_aggregates.string metric ON metric.id = c.metric \
     JOIN highwater_aggregates.string channel ON channel.id = s.channel \
     JOIN highwater_aggregates.string version ON version.id = s.version \
     JOIN highwater_aggregates.string build ON build.id = s.build_date \
     JOIN highwater_aggregates.string application ON application.id = s.application \
     JOIN highwater_aggregates.string architecture ON architecture.id = s.architecture \
     JOIN highwater_aggregates.string os ON os.id = s.os \
     JOIN highwater_aggregates.string os_version ON os_version.id = s.os_version \
     JOIN highwater_aggregates.string e10s ON e10s.id = s.e10s \
     JOIN highwater_aggregates.string process ON process.id = c.process \
     JOIN highwater_aggregates.string label ON label.id = c.label \
     ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16";
const USERS: &str = "DECLARE lines NO SCROLL CURSOR FOR \
     SELECT u.submission_date, application.bytes, channel.bytes, version.bytes, os.bytes, u.image \
     FROM highwater_aggregates.users u \
     JOIN highwater_aggregates.string application ON application.id = u.application \
     JOIN highwater_aggregates.string channel ON channel.id = u.channel \
     JOIN highwater_aggregates.string version ON version.id = u.version \
     JOIN highwater_aggregates.string os ON os.id = u.os ORDER BY 1, 2, 3, 4, 5";

/// Sends all cells, then all user sketches, of one snapshot.
pub(super) async fn send(transaction: &Transaction<'_>, lines: &mpsc::Sender<String>) -> Result<(), Failure> {
    // All rows are fetched: the plan is to be quick at the end, not at the beginning.
    transaction
        .batch_execute("SET LOCAL cursor_tuple_fraction = 1")
        .await?;
    let client = transaction.client();
    if send_all(client, CELLS, cell_line, lines).await? {
        send_all(client, USERS, users_line, lines).await?;
    }
    Ok(())
}

/// Sends what a cursor reads; whether somebody receives.
async fn send_all(
    client: &Client,
    cursor: &str,
    line: fn(&Row) -> Result<String, Failure>,
    lines: &mpsc::Sender<String>,
) -> Result<bool, Failure> {
    client.batch_execute(cursor).await?;
    let fetch = format!("FETCH {FETCHED_ROWS} FROM lines");
    loop {
        let rows = client.query_typed(&fetch, &[]).await?;
        for row in &rows {
            if lines.send(line(row)?).await.is_err() {
                return Ok(false);
            }
        }
        if rows.is_empty() {
            break;
        }
    }
    client.batch_execute("CLOSE lines").await?;
    Ok(true)
}

fn cell_line(row: &Row) -> Result<String, Failure> {
    let day: i32 = row.try_get(1)?;
    let dimensions = DimensionSet {
        submission_date: date(day.into())?,
        channel: text(row, 2)?,
        version: text(row, 3)?,
        build_date: text(row, 4)?,
        application: text(row, 5)?,
        architecture: text(row, 6)?,
        os: text(row, 7)?,
        os_version: text(row, 8)?,
        e10s: text(row, 9)?,
    };
    let (metric, process, label) = (text(row, 0)?, text(row, 10)?, text(row, 11)?);
    let cell = Cell::decode(row.try_get(16)?);
    let cell = cell.map_err(|error| AggregateError::Damaged(error.to_string()))?;
    let name = CellName {
        metric: &metric,
        dimensions: &dimensions,
        process: &process,
        label: &label,
        layout: layouts::read(row, 12)?,
    };
    Ok(line_of(&CellLine::of(name, &cell))?)
}

fn users_line(row: &Row) -> Result<String, Failure> {
    let day: i32 = row.try_get(0)?;
    let mut line = UserLine::of(&UserKey {
        submission_date: date(day.into())?,
        application: text(row, 1)?,
        channel: text(row, 2)?,
        version: text(row, 3)?,
        os: text(row, 4)?,
    });
    line.image = hex::encode(row.try_get::<_, &[u8]>(5)?);
    Ok(line_of(&line)?)
}

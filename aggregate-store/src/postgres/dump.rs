//! Everything that is aggregated, as lines of JSON in the order of names. The database sorts, by bytes; here only some rows
//! at a time are held.

use ping::UNKNOWN;
use postgres_connections::{Failure, Transaction};
use sketch::Cell;
use tokio::sync::mpsc;
use tokio_postgres::{Client, Row};

use super::in_use::SourceDays;
use super::layouts;
use super::limits::FETCHED_ROWS;
use super::listing::{text, utf8};
use super::users::clients;
use super::{epochs, sources};
use crate::layer::CellName;
use crate::lines::{CellLine, UserLine, line_of};
use crate::stored::date;
use crate::{AggregateError, Dimension, DimensionSet, STANDARD_DIMENSIONS, Source};

/// The sets by their places, as [`DimensionSet`] is ordered: by the values of `telemetry/main`'s dimensions, stated or not, and then
/// by the list of what is stated. Pairs are put in order first, so that sets are compared by numbers. names and values are ascending
/// by name. Only what is in use is there: of each day of a source one epoch.
fn cursor(used: &SourceDays) -> String {
    let of_standard = |name: &str| {
        let unstated = format!("(SELECT place FROM placed WHERE pair IS NULL AND name = '{name}')");
        format!("COALESCE(MAX(p.place) FILTER (WHERE p.name = '{name}'), {unstated})")
    };
    format!(
        "DECLARE lines NO SCROLL CURSOR FOR WITH placed AS MATERIALIZED ( \
             SELECT pair, name, value, row_number() OVER (ORDER BY name, value) AS place FROM ( \
                 SELECT u.pair, name.bytes AS name, value.bytes AS value \
                 FROM (SELECT DISTINCT unnest(pairs) AS pair FROM highwater_aggregates.dimension_set) u \
                 JOIN highwater_aggregates.string name ON name.id = (u.pair >> 32)::INTEGER \
                 JOIN highwater_aggregates.string value ON value.id = (u.pair & 4294967295)::INTEGER \
                 UNION ALL SELECT NULL, name, '{UNKNOWN}' FROM unnest('{{{names}}}'::BYTEA[]) AS i (name) \
             ) all_pairs \
         ), named AS MATERIALIZED ( \
             SELECT s.id, s.source, s.submission_date, ARRAY[{standard}] AS standard, \
                 array_agg(p.place ORDER BY p.place) AS places, \
                 COALESCE(array_agg(p.name ORDER BY p.place) FILTER (WHERE p.pair IS NOT NULL), '{{}}') AS names, \
                 COALESCE(array_agg(p.value ORDER BY p.place) FILTER (WHERE p.pair IS NOT NULL), '{{}}') AS values \
             FROM highwater_aggregates.dimension_set s JOIN {used} AS d (source, first_day, last_day) \
             ON d.source = s.source AND s.submission_date BETWEEN d.first_day AND d.last_day LEFT JOIN LATERAL unnest(s.pairs) AS u (pair) ON TRUE \
             LEFT JOIN placed p ON p.pair = u.pair GROUP BY s.id \
         ), sets AS MATERIALIZED ( \
             SELECT n.id, o.name AS source, n.submission_date, n.standard, n.names, n.values, \
                 row_number() OVER (ORDER BY o.name, n.submission_date, n.standard, n.places) AS place \
             FROM named n JOIN highwater_aggregates.source o ON o.id = n.source \
         ) SELECT s.source, s.submission_date, s.names, s.values, ",
        used = used.literal(),
        names = STANDARD_DIMENSIONS.join(", "),
        standard = STANDARD_DIMENSIONS.map(of_standard).join(", "),
    )
}

const CELLS: &str = "metric.bytes, process.bytes, label.bytes, l.kind, l.min, l.max, l.bin_count, c.value \
     FROM highwater_aggregates.cell c JOIN sets s ON s.id = c.dimension_set \
     JOIN highwater_aggregates.layout l ON l.id = c.layout \
     JOIN highwater_aggregates.string metric ON metric.id = c.metric \
     JOIN highwater_aggregates.string process ON process.id = c.process \
     JOIN highwater_aggregates.string label ON label.id = c.label \
     ORDER BY metric.bytes, s.place, process.bytes, label.bytes, l.kind, l.min, l.max, l.bin_count";
const USERS: &str = concat!(
    "u.image FROM highwater_aggregates.union_value u JOIN sets s ON s.id = u.dimension_set WHERE ",
    clients!(),
    // Application, channel, version and os, as [`DimensionSet::users_order`] has them.
    " ORDER BY s.source, s.submission_date, s.standard[4], s.standard[1], s.standard[2], s.standard[6], s.place"
);

/// Sends all cells, then all user sketches, of one snapshot.
pub(super) async fn send(transaction: &Transaction<'_>, lines: &mpsc::Sender<String>) -> Result<(), Failure> {
    // All rows are fetched: the plan is to be quick at the end, not at the beginning.
    transaction
        .batch_execute("SET LOCAL cursor_tuple_fraction = 1")
        .await?;
    let client = transaction.client();
    let used = SourceDays::used(&epochs::all(client).await?, &sources::all(client).await?)?;
    let cursor = cursor(&used);
    if send_all(client, &(cursor.clone() + CELLS), cell_line, lines).await? {
        send_all(client, &(cursor + USERS), users_line, lines).await?;
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

/// The set of the first four columns.
fn set_of(row: &Row) -> Result<DimensionSet, Failure> {
    let (names, values): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (row.try_get(2)?, row.try_get(3)?);
    let mut stated = Vec::with_capacity(names.len());
    for (name, value) in names.into_iter().zip(values) {
        stated.push((Dimension::named(&utf8(name)?), utf8(value)?));
    }
    let day = date(row.try_get::<_, i32>(1)?.into())?;
    Ok(DimensionSet::new(Source::named(&text(row, 0)?), day, stated))
}

fn cell_line(row: &Row) -> Result<String, Failure> {
    let (metric, process, label) = (text(row, 4)?, text(row, 5)?, text(row, 6)?);
    let cell = Cell::decode(row.try_get(11)?);
    let cell = cell.map_err(|error| AggregateError::Damaged(error.to_string()))?;
    let name = CellName {
        metric: &metric,
        dimensions: &set_of(row)?,
        process: &process,
        label: &label,
        layout: layouts::read(row, 7)?,
    };
    Ok(line_of(&CellLine::of(name, &cell))?)
}

fn users_line(row: &Row) -> Result<String, Failure> {
    let line = UserLine {
        set: &set_of(row)?,
        image: hex::encode(row.try_get::<_, &[u8]>(4)?),
    };
    Ok(line_of(&line)?)
}

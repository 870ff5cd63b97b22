//! The pings that could not be folded.

use std::collections::{BTreeMap, BTreeSet};

use ping::{ChunkId, Incarnation, OTHER, RecordId};
use postgres_connections::Failure;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::chunks::{ChunkColumns, read_id};
use super::ids::column;
use super::limits::ROWS;
use super::listing::{text, utf8};
use super::slices::slices;
use super::sources;
use crate::stored::{date, sixteen, stored, unstored};
use crate::{AggregateError, Batch, ErroredRow, Source};

const FIND: &str = "SELECT incarnation, sequence FROM unnest($1, $2) AS r (incarnation, sequence) \
     JOIN highwater_aggregates.errored e USING (incarnation, sequence)";
const REMOVE: &str = "DELETE FROM highwater_aggregates.errored e USING unnest($1, $2) AS r (incarnation, sequence) \
     WHERE e.incarnation = r.incarnation AND e.sequence = r.sequence";
const PAGE: &str = "SELECT incarnation, sequence, submission_date, chunk_incarnation, chunk_boot, chunk_plan, position, reason, \
     o.name, o.epoch FROM highwater_aggregates.errored e LEFT JOIN highwater_aggregates.source o ON o.id = e.source \
     WHERE (incarnation, sequence) > ($1, $2) ORDER BY incarnation, sequence LIMIT $3";

/// Writes the errored pings of a batch, in place of those with the same record; of two rows of one record the later one is valid.
pub(super) async fn write(client: &Client, batch: &Batch) -> Result<(), Failure> {
    let write = statement(batch.rebuild);
    let last: BTreeMap<RecordId, &ErroredRow> = batch.errored.iter().map(|row| (row.record, row)).collect();
    let last: Vec<&ErroredRow> = last.into_values().collect();
    let counted = sources::counted(client, last.iter().map(|row| &row.source).collect()).await?;
    for slice in slices(&last, |row| row.reason.len()) {
        let mut chunks = ChunkColumns::default();
        let (mut incarnations, mut sequences, mut days) = (vec![], vec![], vec![]);
        let (mut positions, mut reasons, mut sources) = (vec![], vec![], vec![]);
        for row in slice {
            chunks.push(row.chunk)?;
            incarnations.push(&row.record.incarnation.as_bytes()[..]);
            sequences.push(stored(row.record.sequence)?);
            days.push(column(row.submission_date.as_yyyymmdd())?);
            positions.push(i64::from(row.position));
            reasons.push(row.reason.as_bytes());
            sources.push(counted[&row.source]);
        }
        let mut all = chunks.typed();
        all.push((&incarnations, Type::BYTEA_ARRAY));
        all.push((&sequences, Type::INT8_ARRAY));
        all.push((&days, Type::INT4_ARRAY));
        all.push((&positions, Type::INT8_ARRAY));
        all.push((&reasons, Type::BYTEA_ARRAY));
        all.push((&sources, Type::INT4_ARRAY));
        client.execute_typed(&write, &all).await?;
    }
    Ok(())
}

/// What a rebuild could not fold is in use with the rebuild.
fn statement(rebuild: Option<u32>) -> String {
    const COLUMNS: &str = "chunk_incarnation, chunk_boot, chunk_plan, incarnation, sequence, submission_date, position, \
         reason, source";
    let (table, epoch, key) = match rebuild {
        Some(epoch) => (
            format!("rebuilt_errored (epoch, {COLUMNS})"),
            format!("{epoch}, "),
            "epoch, ",
        ),
        None => (format!("errored ({COLUMNS})"), String::new(), ""),
    };
    format!(
        "INSERT INTO highwater_aggregates.{table} SELECT {epoch}u.* FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) AS u \
         ON CONFLICT ({key}incarnation, sequence) DO UPDATE SET submission_date = excluded.submission_date, \
         chunk_incarnation = excluded.chunk_incarnation, chunk_boot = excluded.chunk_boot, chunk_plan = excluded.chunk_plan, \
         position = excluded.position, reason = excluded.reason, source = excluded.source"
    )
}

/// The chunks of those replayed pings that are not there, or are named twice: somebody else replayed them.
pub(super) async fn absent(client: &Client, replayed: &[ErroredRow]) -> Result<BTreeSet<ChunkId>, Failure> {
    let mut absent = BTreeSet::new();
    let mut named: BTreeSet<RecordId> = BTreeSet::new();
    for slice in replayed.chunks(ROWS) {
        let (incarnations, sequences) = columns(slice)?;
        let given: [(&(dyn ToSql + Sync), Type); 2] =
            [(&incarnations, Type::BYTEA_ARRAY), (&sequences, Type::INT8_ARRAY)];
        let rows = client.query_typed(FIND, &given).await?;
        let found = rows.iter().map(read_record).collect::<Result<BTreeSet<_>, _>>()?;
        for row in slice {
            if !named.insert(row.record) || !found.contains(&row.record) {
                absent.insert(row.chunk);
            }
        }
    }
    Ok(absent)
}

/// Removes replayed pings.
pub(super) async fn remove(client: &Client, replayed: &[ErroredRow]) -> Result<(), Failure> {
    for slice in replayed.chunks(ROWS) {
        let (incarnations, sequences) = columns(slice)?;
        let given: [(&(dyn ToSql + Sync), Type); 2] =
            [(&incarnations, Type::BYTEA_ARRAY), (&sequences, Type::INT8_ARRAY)];
        client.execute_typed(REMOVE, &given).await?;
    }
    Ok(())
}

fn columns(rows: &[ErroredRow]) -> Result<(Vec<&[u8]>, Vec<i64>), AggregateError> {
    let (mut incarnations, mut sequences) = (Vec::new(), Vec::new());
    for row in rows {
        incarnations.push(&row.record.incarnation.as_bytes()[..]);
        sequences.push(stored(row.record.sequence)?);
    }
    Ok((incarnations, sequences))
}

/// Errored pings ascending by record.
pub(super) async fn page(
    client: &Client,
    after: Option<RecordId>,
    limit: usize,
) -> Result<Vec<ErroredRow>, Failure> {
    let (incarnation, sequence) = match &after {
        Some(after) => (&after.incarnation.as_bytes()[..], stored(after.sequence)?),
        None => (&[][..], 0),
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let given: [(&(dyn ToSql + Sync), Type); 3] = [
        (&incarnation, Type::BYTEA),
        (&sequence, Type::INT8),
        (&limit, Type::INT8),
    ];
    let rows = client.query_typed(PAGE, &given).await?;
    rows.iter().map(read).collect()
}

fn read_record(row: &Row) -> Result<RecordId, Failure> {
    Ok(RecordId {
        incarnation: Incarnation::from_bytes(sixteen(row.try_get(0)?)?),
        sequence: unstored(row.try_get(1)?)?,
    })
}

fn read(row: &Row) -> Result<ErroredRow, Failure> {
    let day: i32 = row.try_get(2)?;
    let name: Option<Vec<u8>> = row.try_get(8)?;
    let source = Source::named(&name.map_or_else(|| Ok(OTHER.to_owned()), utf8)?);
    let epoch: Option<i32> = row.try_get(9)?;
    Ok(ErroredRow {
        source: source.in_epoch(unstored(epoch.unwrap_or(0).into())?),
        record: read_record(row)?,
        submission_date: date(day.into())?,
        chunk: read_id(row, 3)?,
        position: unstored(row.try_get(6)?)?,
        reason: text(row, 7)?,
    })
}

//! The pings that could not be folded.

use std::collections::{BTreeMap, BTreeSet};

use ping::{ChunkId, Incarnation, RecordId};
use rusqlite::{Connection, Row, params};

use super::chunks;
use super::dictionary::Dictionary;
use crate::layer::Part;
use crate::stored::{date, sixteen, stored, unstored};
use crate::{AggregateError, ErroredRow};

/// Writes errored pings, in place of those with the same record.
pub(super) fn write(
    connection: &Connection,
    dictionary: &mut Dictionary,
    errored: &[ErroredRow],
) -> Result<(), AggregateError> {
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO errored (incarnation, sequence, submission_date, chunk, position, reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for row in errored {
        let ErroredRow {
            record,
            submission_date,
            chunk,
            position,
            reason,
        } = row;
        put.execute(params![
            record.incarnation.as_bytes(),
            stored(record.sequence)?,
            submission_date.as_yyyymmdd(),
            dictionary.chunk(connection, *chunk)?,
            position,
            reason,
        ])?;
    }
    Ok(())
}

/// Removes replayed pings. Those that were not there were replayed by somebody else: their chunks are answered.
pub(super) fn remove(
    connection: &Connection,
    replayed: &[ErroredRow],
) -> Result<BTreeSet<ChunkId>, AggregateError> {
    let mut remove =
        connection.prepare_cached("DELETE FROM errored WHERE incarnation = ?1 AND sequence = ?2")?;
    let mut absent = BTreeSet::new();
    for ErroredRow { record, chunk, .. } in replayed {
        if remove.execute(params![record.incarnation.as_bytes(), stored(record.sequence)?])? == 0 {
            absent.insert(*chunk);
        }
    }
    Ok(absent)
}

/// Errored pings ascending by record.
pub(super) fn page(
    connection: &Connection,
    held: &[&Part],
    after: Option<RecordId>,
    limit: usize,
) -> Result<Vec<ErroredRow>, AggregateError> {
    let stored = stored_page(connection, after, limit)?;
    let mut rows: BTreeMap<RecordId, ErroredRow> = stored.into_iter().map(|row| (row.record, row)).collect();
    for row in held.iter().flat_map(|part| &part.batch().errored) {
        if after.is_none_or(|after| row.record > after) {
            rows.insert(row.record, row.clone());
        }
    }
    Ok(rows.into_values().take(limit).collect())
}

fn stored_page(
    connection: &Connection,
    after: Option<RecordId>,
    limit: usize,
) -> Result<Vec<ErroredRow>, AggregateError> {
    let (incarnation, sequence) = match &after {
        Some(after) => (&after.incarnation.as_bytes()[..], stored(after.sequence)?),
        None => (&[][..], 0),
    };
    let mut statement = connection.prepare_cached(
        "SELECT errored.incarnation, sequence, submission_date, chunk.incarnation, boot, plan, position, reason
         FROM errored LEFT JOIN chunk ON chunk.id = errored.chunk
         WHERE (errored.incarnation, sequence) > (?1, ?2) ORDER BY errored.incarnation, sequence LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![incarnation, sequence, limit])?;
    let mut errored = Vec::new();
    while let Some(row) = rows.next()? {
        errored.push(read(row)?);
    }
    Ok(errored)
}

fn read(row: &Row<'_>) -> Result<ErroredRow, AggregateError> {
    let record: Vec<u8> = row.get(0)?;
    Ok(ErroredRow {
        record: RecordId {
            incarnation: Incarnation::from_bytes(sixteen(&record)?),
            sequence: unstored(row.get(1)?)?,
        },
        submission_date: date(row.get(2)?)?,
        chunk: chunks::named(row, 3)?,
        position: unstored(row.get(6)?)?,
        reason: row.get(7)?,
    })
}

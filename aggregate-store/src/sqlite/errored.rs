//! The pings that could not be folded.

use std::collections::{BTreeMap, BTreeSet};

use ping::{ChunkId, Incarnation, OTHER, RecordId};
use rusqlite::{Connection, Row, params};

use super::dictionary::Dictionary;
use super::{chunks, counts};
use crate::layer::Part;
use crate::stored::{date, sixteen, stored, unstored};
use crate::{AggregateError, Batch, ErroredRow, Source};

/// Writes errored pings, in place of those with the same record.
pub(super) fn write(
    connection: &Connection,
    dictionary: &mut Dictionary,
    batch: &Batch,
) -> Result<(), AggregateError> {
    const COLUMNS: &str = "incarnation, sequence, submission_date, chunk, position, reason, source";
    // What a rebuild could not fold is in use with the rebuild.
    let mut put = connection.prepare_cached(&match batch.rebuild {
        Some(epoch) => format!(
            "INSERT OR REPLACE INTO rebuilt_errored (epoch, {COLUMNS}) VALUES ({epoch}, ?1, ?2, ?3, ?4, ?5, ?6, ?7)"
        ),
        None => format!("INSERT OR REPLACE INTO errored ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
    })?;
    for row in &batch.errored {
        let ErroredRow {
            source,
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
            counts::counted(connection, dictionary, source)?,
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
        "SELECT errored.incarnation, sequence, submission_date, chunk.incarnation, boot, plan, position, reason, name, epoch
         FROM errored LEFT JOIN chunk ON chunk.id = errored.chunk LEFT JOIN source ON source.id = errored.source
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
    let name: Option<String> = row.get(8)?;
    let source = Source::named(name.as_deref().unwrap_or(OTHER));
    Ok(ErroredRow {
        source: source.in_epoch(row.get::<_, Option<u32>>(9)?.unwrap_or(0)),
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

//! The copies of documents.

use ping::{DocumentKey, Incarnation, RecordId, Timestamp};
use rusqlite::{Connection, Row, params};

use super::chunks;
use super::dictionary::Dictionary;
use crate::layer::Part;
use crate::stored::{sixteen, stored, unstored};
use crate::{AggregateError, SeenRow};

/// Writes copies, in place of those with the same document and record.
pub(super) fn write(
    connection: &Connection,
    dictionary: &mut Dictionary,
    seen: &[SeenRow],
) -> Result<(), AggregateError> {
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO seen
         (document, incarnation, sequence, received, submission_date, chunk, position, counted)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for row in seen {
        let SeenRow {
            key,
            received,
            record,
            chunk,
            position,
            counted,
        } = row;
        put.execute(params![
            key.as_bytes(),
            dictionary.incarnation(connection, record.incarnation)?,
            stored(record.sequence)?,
            received.as_micros(),
            received.submission_date().as_yyyymmdd(),
            dictionary.chunk(connection, *chunk)?,
            position,
            counted,
        ])?;
    }
    Ok(())
}

/// All copies of these documents, ascending by document, receive time and record.
pub(super) fn find(
    connection: &Connection,
    held: &[&Part],
    documents: &[DocumentKey],
) -> Result<Vec<SeenRow>, AggregateError> {
    let mut statement = connection.prepare_cached(
        "SELECT received, incarnation.bits, sequence, chunk.incarnation, boot, plan, position, counted
         FROM seen JOIN incarnation ON incarnation.id = seen.incarnation LEFT JOIN chunk ON chunk.id = seen.chunk
         WHERE document = ?1",
    )?;
    let mut documents = documents.to_vec();
    documents.sort_unstable();
    documents.dedup();
    let mut copies = Vec::new();
    for key in documents {
        let mut rows = statement.query(params![key.as_bytes()])?;
        let first = copies.len();
        while let Some(row) = rows.next()? {
            copies.push(read(key, row)?);
        }
        for row in held.iter().flat_map(|part| part.seen_of(&key)) {
            // A document has few copies. A later row of a copy stands in the place of the earlier one.
            match copies[first..].iter_mut().find(|copy| copy.record == row.record) {
                Some(copy) => *copy = row.clone(),
                None => copies.push(row.clone()),
            }
        }
    }
    copies.sort_by_key(|copy| (copy.key, copy.received, copy.record));
    Ok(copies)
}

fn read(key: DocumentKey, row: &Row<'_>) -> Result<SeenRow, AggregateError> {
    let record: Vec<u8> = row.get(1)?;
    Ok(SeenRow {
        key,
        received: Timestamp::from_micros(row.get(0)?),
        record: RecordId {
            incarnation: Incarnation::from_bytes(sixteen(&record)?),
            sequence: unstored(row.get(2)?)?,
        },
        chunk: chunks::named(row, 3)?,
        position: unstored(row.get(6)?)?,
        counted: row.get(7)?,
    })
}

//! The copies of documents.

use ping::{DocumentKey, Incarnation, RecordId, Timestamp};
use postgres_connections::Failure;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::chunks::{ChunkColumns, read_id};
use super::ids::column;
use super::limits::ROWS;
use crate::SeenRow;
use crate::stored::{sixteen, stored, unstored};

const WRITE: &str = "INSERT INTO highwater_aggregates.seen \
     (chunk_incarnation, chunk_boot, chunk_plan, document, incarnation, sequence, received, submission_date, position, counted) \
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (document, incarnation, sequence) \
     DO UPDATE SET received = excluded.received, submission_date = excluded.submission_date, \
     chunk_incarnation = excluded.chunk_incarnation, chunk_boot = excluded.chunk_boot, chunk_plan = excluded.chunk_plan, \
     position = excluded.position, counted = excluded.counted";
const FIND: &str = "SELECT document, received, incarnation, sequence, chunk_incarnation, chunk_boot, chunk_plan, \
     position, counted FROM highwater_aggregates.seen WHERE document = ANY ($1) \
     ORDER BY document, received, incarnation, sequence";

/// Writes copies, in place of those with the same document and record; of two rows of one copy the later one is valid.
pub(super) async fn write(client: &Client, seen: &[SeenRow]) -> Result<(), Failure> {
    for slice in last_of_each(seen).chunks(ROWS) {
        write_slice(client, slice).await?;
    }
    Ok(())
}

/// The rows ascending by document and record, of each only the last.
fn last_of_each(seen: &[SeenRow]) -> Vec<&SeenRow> {
    let mut rows: Vec<&SeenRow> = seen.iter().rev().collect();
    // Stable, so the last one comes first, and the others after it go.
    rows.sort_by_key(|row| (row.key, row.record));
    rows.dedup_by_key(|row| (row.key, row.record));
    rows
}

async fn write_slice(client: &Client, rows: &[&SeenRow]) -> Result<(), Failure> {
    let mut chunks = ChunkColumns::default();
    let (mut documents, mut incarnations, mut sequences) = (vec![], vec![], vec![]);
    let (mut received_at, mut days, mut positions, mut counts) = (vec![], vec![], vec![], vec![]);
    for row in rows {
        let SeenRow {
            key,
            received,
            record,
            chunk,
            position,
            counted,
        } = row;
        chunks.push(*chunk)?;
        documents.push(&key.as_bytes()[..]);
        incarnations.push(&record.incarnation.as_bytes()[..]);
        sequences.push(stored(record.sequence)?);
        received_at.push(received.as_micros());
        days.push(column(received.submission_date().as_yyyymmdd())?);
        positions.push(i64::from(*position));
        counts.push(*counted);
    }
    let mut all = chunks.typed();
    all.push((&documents, Type::BYTEA_ARRAY));
    all.push((&incarnations, Type::BYTEA_ARRAY));
    all.push((&sequences, Type::INT8_ARRAY));
    all.push((&received_at, Type::INT8_ARRAY));
    all.push((&days, Type::INT4_ARRAY));
    all.push((&positions, Type::INT8_ARRAY));
    all.push((&counts, Type::BOOL_ARRAY));
    client.execute_typed(WRITE, &all).await?;
    Ok(())
}

/// All copies of these documents, ascending by document, receive time and record.
pub(super) async fn find(client: &Client, documents: &[DocumentKey]) -> Result<Vec<SeenRow>, Failure> {
    let documents: Vec<&[u8]> = documents.iter().map(|key| &key.as_bytes()[..]).collect();
    let rows = client
        .query_typed(FIND, &[(&documents, Type::BYTEA_ARRAY)])
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<SeenRow, Failure> {
    Ok(SeenRow {
        key: DocumentKey::from_bytes(sixteen(row.try_get(0)?)?),
        received: Timestamp::from_micros(row.try_get(1)?),
        record: RecordId {
            incarnation: Incarnation::from_bytes(sixteen(row.try_get(2)?)?),
            sequence: unstored(row.try_get(3)?)?,
        },
        chunk: read_id(row, 4)?,
        position: unstored(row.try_get(7)?)?,
        counted: row.try_get(8)?,
    })
}

//! Which chunks a rebuild has folded.

use ping::ChunkId;
use rusqlite::{Connection, params};

use super::dictionary::Dictionary;
use crate::stored::stored;
use crate::{AggregateError, FoldedChunk};

/// Whether a rebuild has folded a chunk.
pub(super) fn is_rebuilt(
    connection: &Connection,
    epoch: u32,
    chunk: ChunkId,
) -> Result<bool, AggregateError> {
    let ChunkId {
        incarnation,
        boot,
        plan,
    } = chunk;
    let mut find = connection.prepare_cached(
        "SELECT 1 FROM chunk JOIN rebuilt ON rebuilt.chunk = chunk.id AND rebuilt.epoch = ?4
         WHERE incarnation = ?1 AND boot = ?2 AND plan = ?3",
    )?;
    Ok(find.exists(params![
        incarnation.as_bytes(),
        stored(boot)?,
        stored(plan)?,
        epoch
    ])?)
}

/// Notes that a rebuild has folded these chunks.
pub(super) fn write_chunks(
    connection: &Connection,
    dictionary: &mut Dictionary,
    epoch: u32,
    chunks: &[FoldedChunk],
) -> Result<(), AggregateError> {
    let mut add = connection.prepare_cached(
        "INSERT INTO rebuilt (epoch, chunk, key, submission_date, records) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
    )?;
    for chunk in chunks {
        let FoldedChunk {
            id,
            key,
            submission_date,
            records,
        } = chunk;
        let id = dictionary.chunk(connection, *id)?;
        let day = submission_date.as_yyyymmdd();
        if add.execute(params![epoch, id, key, day, stored(*records)?])? == 0 {
            return Err(AggregateError::Batch("a chunk is in it twice"));
        }
    }
    Ok(())
}

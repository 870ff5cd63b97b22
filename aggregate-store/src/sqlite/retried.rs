//! Chunks of errored pings whose bodies were tried again under a higher cap.

use ping::ChunkId;
use rusqlite::{Connection, OptionalExtension, params};

use super::dictionary::Dictionary;
use crate::stored::{stored, unstored};
use crate::{AggregateError, RetriedChunk};

/// Notes under which caps chunks were tried. Those of which another cap is known than the batch says are answered.
pub(super) fn write(
    connection: &Connection,
    dictionary: &mut Dictionary,
    retried: &[RetriedChunk],
) -> Result<Vec<ChunkId>, AggregateError> {
    let mut put = connection.prepare_cached(
        "INSERT INTO retried (chunk, inflated_bytes) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET inflated_bytes = excluded.inflated_bytes",
    )?;
    let mut others = Vec::new();
    for RetriedChunk { id, before, now } in retried {
        if find(connection, *id)? == *before {
            put.execute(params![dictionary.chunk(connection, *id)?, stored(*now)?])?;
        } else {
            others.push(*id);
        }
    }
    Ok(others)
}

/// The cap under which a chunk was tried; 0 if it never was.
pub(super) fn find(connection: &Connection, chunk: ChunkId) -> Result<u64, AggregateError> {
    let ChunkId {
        incarnation,
        boot,
        plan,
    } = chunk;
    let found: Option<i64> = connection
        .prepare_cached(
            "SELECT inflated_bytes FROM chunk JOIN retried ON retried.chunk = chunk.id
             WHERE incarnation = ?1 AND boot = ?2 AND plan = ?3",
        )?
        .query_row(
            params![incarnation.as_bytes(), stored(boot)?, stored(plan)?],
            |row| row.get(0),
        )
        .optional()?;
    found.map_or(Ok(0), unstored)
}

//! The set of folded chunks.

use std::collections::{BTreeSet, HashSet};

use ping::{ChunkId, Incarnation};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::dictionary::Dictionary;
use crate::layer::Part;
use crate::stored::{sixteen, stored, unstored};
use crate::{AggregateError, FoldedChunk};

/// Adds chunks, none of which may be folded.
pub(super) fn write(
    connection: &Connection,
    dictionary: &mut Dictionary,
    chunks: &[FoldedChunk],
) -> Result<(), AggregateError> {
    let mut add = connection.prepare_cached(
        "INSERT INTO folded (chunk, key, submission_date, records) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    )?;
    let mut here =
        connection.prepare_cached("UPDATE chunk SET gone = NULL WHERE id = ?1 AND gone IS NOT NULL")?;
    for chunk in chunks {
        let FoldedChunk {
            id,
            key,
            submission_date,
            records,
        } = chunk;
        let id = dictionary.chunk(connection, *id)?;
        let date = submission_date.as_yyyymmdd();
        if add.execute(params![id, key, date, stored(*records)?])? == 0 {
            return Err(AggregateError::Batch("a chunk is in it twice"));
        }
        here.execute([id])?;
    }
    Ok(())
}

/// The chunk that a row names, whose columns begin at `at`. A file of an older program may have rows whose number stands
/// for no chunk any more: they name one that nobody has.
pub(super) fn named(row: &Row<'_>, at: usize) -> Result<ChunkId, AggregateError> {
    let Some(incarnation) = row.get::<_, Option<Vec<u8>>>(at)? else {
        return Ok(ChunkId {
            incarnation: Incarnation::from_bytes([0; 16]),
            boot: 0,
            plan: 0,
        });
    };
    Ok(ChunkId {
        incarnation: Incarnation::from_bytes(sixteen(&incarnation)?),
        boot: unstored(row.get(at + 1)?)?,
        plan: unstored(row.get(at + 2)?)?,
    })
}

/// Which of these chunks are folded.
pub(super) fn are_folded(
    connection: &Connection,
    held: &[&Part],
    chunks: &[ChunkId],
) -> Result<Vec<bool>, AggregateError> {
    let held: HashSet<ChunkId> = held.iter().flat_map(|part| part.chunks()).collect();
    chunks
        .iter()
        .map(|chunk| Ok(held.contains(chunk) || is_folded(connection, *chunk)?))
        .collect()
}

/// Whether a chunk is folded.
pub(super) fn is_folded(connection: &Connection, chunk: ChunkId) -> Result<bool, AggregateError> {
    let ChunkId {
        incarnation,
        boot,
        plan,
    } = chunk;
    let found = connection
        .prepare_cached(
            "SELECT 1 FROM chunk JOIN folded ON folded.chunk = chunk.id
             WHERE incarnation = ?1 AND boot = ?2 AND plan = ?3",
        )?
        .query_row(
            params![incarnation.as_bytes(), stored(boot)?, stored(plan)?],
            |_| Ok(()),
        )
        .optional()?;
    Ok(found.is_some())
}

/// Folded chunks in ascending order.
pub(super) fn page(
    connection: &Connection,
    held: &[&Part],
    after: Option<ChunkId>,
    limit: usize,
) -> Result<Vec<ChunkId>, AggregateError> {
    let mut chunks: BTreeSet<ChunkId> = stored_page(connection, after, limit)?.into_iter().collect();
    let held = held.iter().flat_map(|part| part.chunks());
    chunks.extend(held.filter(|chunk| after.is_none_or(|after| *chunk > after)));
    Ok(chunks.into_iter().take(limit).collect())
}

fn stored_page(
    connection: &Connection,
    after: Option<ChunkId>,
    limit: usize,
) -> Result<Vec<ChunkId>, AggregateError> {
    let (incarnation, boot, plan) = match &after {
        Some(after) => (
            &after.incarnation.as_bytes()[..],
            stored(after.boot)?,
            stored(after.plan)?,
        ),
        None => (&[][..], 0, 0),
    };
    let mut statement = connection.prepare_cached(
        "SELECT incarnation, boot, plan FROM chunk CROSS JOIN folded ON folded.chunk = chunk.id
         WHERE (incarnation, boot, plan) > (?1, ?2, ?3) ORDER BY incarnation, boot, plan LIMIT ?4",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![incarnation, boot, plan, limit])?;
    let mut chunks = Vec::new();
    while let Some(row) = rows.next()? {
        chunks.push(named(row, 0)?);
    }
    Ok(chunks)
}

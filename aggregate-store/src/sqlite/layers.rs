//! Which layer of memory was written last.

use ping::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::AggregateError;
use crate::layer::{LayerStamp, LayerStatus, Part};
use crate::stored::{stored, unstored};

/// The number that a writer wrote last.
pub(super) fn newest(connection: &Connection, writer: [u8; 16]) -> Result<Option<u64>, AggregateError> {
    let number: Option<i64> = connection
        .prepare_cached("SELECT number FROM layer WHERE writer = ?1")?
        .query_row([&writer[..]], |row| row.get(0))
        .optional()?;
    number.map(unstored).transpose()
}

/// Notes that a layer is written.
pub(super) fn write(connection: &Connection, stamp: LayerStamp) -> Result<(), AggregateError> {
    let LayerStamp {
        writer,
        number,
        persisted_at,
    } = stamp;
    connection
        .prepare_cached(
            "INSERT INTO layer (writer, number, persisted_at) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET number = excluded.number, persisted_at = excluded.persisted_at",
        )?
        .execute(params![&writer[..], stored(number)?, persisted_at.as_micros()])?;
    Ok(())
}

/// What is held and not written, and when something was written last.
pub(super) fn status(connection: &Connection, held: &[&Part]) -> Result<LayerStatus, AggregateError> {
    let persisted_at: Option<i64> = connection
        .prepare_cached("SELECT max(persisted_at) FROM layer")?
        .query_row([], |row| row.get(0))?;
    let chunks = || held.iter().flat_map(|part| &part.batch().chunks);
    Ok(LayerStatus {
        chunks: chunks().count() as u64,
        pings: chunks().map(|chunk| chunk.records).sum(),
        bytes: held.iter().map(|part| part.bytes() as u64).sum(),
        persisted_at: persisted_at.map(Timestamp::from_micros),
    })
}

//! An index entry as a row, both ways.

use ping::{Dimension, Partition, Timestamp};
use prost::Message;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Result, Row, params};

use super::sql;
use crate::proto::EntryDetail;
use crate::select::kind_number;
use crate::stored::StoredEntry;
use crate::{ChunkKind, IndexEntry, PartitionCount};

/// Columns of an entry: what is selected behind them begins here.
pub(super) const COLUMNS: usize = 9;

/// Inserts an entry, unless its key or its id is there; answers whether it is new.
pub(super) fn insert(connection: &Connection, entry: &IndexEntry) -> Result<bool> {
    let IndexEntry {
        key,
        id,
        kind,
        partition,
        records,
        raw_bytes,
        stored_bytes,
        received_bytes,
        received_min,
        received_max,
        sealed,
        // These two are the detail.
        replaces: _,
        error_reasons: _,
    } = entry;
    let [date, name, version, doc_type, app, channel, app_version, build_id] =
        Dimension::ALL.map(|dimension| partition.get(dimension));
    let inserted = connection.prepare_cached(sql::INSERT_CHUNK)?.execute(params![
        id.to_string(),
        key,
        kind_number(*kind),
        date,
        name,
        version,
        doc_type,
        app,
        channel,
        app_version,
        build_id,
        integer(*records)?,
        integer(*raw_bytes)?,
        integer(*stored_bytes)?,
        integer(*received_bytes)?,
        received_min.as_micros(),
        received_max.as_micros(),
        sealed.as_micros(),
        EntryDetail::from(entry).encode_to_vec(),
        sql::STATE_LIVE,
    ])?;
    Ok(inserted == 1)
}

/// Reads the entry that a row begins with.
pub(super) fn read(row: &Row<'_>) -> Result<IndexEntry> {
    let time = |column| row.get(column).map(Timestamp::from_micros);
    let stored = StoredEntry {
        key: row.get(0)?,
        counts: [count(row, 1)?, count(row, 2)?, count(row, 3)?, count(row, 4)?],
        times: [time(5)?, time(6)?, time(7)?],
        detail: row.get_ref(8)?.as_blob()?,
    };
    stored
        .whole()
        .map_err(|damaged| Error::FromSqlConversionFailure(0, Type::Text, Box::new(damaged)))
}

/// Reads the sums of a partition.
pub(super) fn read_partition(row: &Row<'_>) -> Result<PartitionCount> {
    let mut values: [String; 8] = Default::default();
    for (at, value) in values.iter_mut().enumerate() {
        *value = row.get(1 + at)?;
    }
    Ok(PartitionCount {
        kind: kind(row, 0)?,
        partition: Partition::new(values),
        records: count(row, 9)?,
        stored_bytes: count(row, 10)?,
        chunks: count(row, 11)?,
    })
}

fn kind(row: &Row<'_>, column: usize) -> Result<ChunkKind> {
    let number: i64 = row.get(column)?;
    [ChunkKind::Pings, ChunkKind::Errors]
        .into_iter()
        .find(|known| kind_number(*known) == number)
        .ok_or(Error::IntegralValueOutOfRange(column, number))
}

/// A count as the database has it, which knows signed integers only.
pub(super) fn integer(count: u64) -> Result<i64> {
    i64::try_from(count).map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))
}

/// Reads a count.
pub(super) fn count(row: &Row<'_>, column: usize) -> Result<u64> {
    let value = row.get(column)?;
    u64::try_from(value).map_err(|_| Error::IntegralValueOutOfRange(column, value))
}

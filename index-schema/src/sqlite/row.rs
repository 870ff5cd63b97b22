//! An index entry as a row, both ways.

use ping::{Dimension, Partition};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Result, Row, ToSql};

use super::sql;
use crate::select::kind_number;
use crate::stored::{NUMBERS, StoredEntry, Uncountable, signed};
use crate::{ChunkKind, IndexEntry, PartitionCount};

/// Inserts an entry, unless its key or its id is there; answers whether it is new.
pub(super) fn insert(connection: &Connection, entry: &IndexEntry) -> Result<bool> {
    let StoredEntry { key, numbers, detail } = StoredEntry::of(entry).map_err(uncountable)?;
    let (id, kind) = (entry.id.to_string(), kind_number(entry.kind));
    let dimensions = Dimension::ALL.map(|dimension| entry.partition.get(dimension));
    let mut row: Vec<&dyn ToSql> = vec![&id, &key, &kind];
    row.extend(dimensions.iter().map(|value| value as &dyn ToSql));
    row.extend(numbers.iter().map(|number| number as &dyn ToSql));
    row.extend([&detail as &dyn ToSql, &sql::STATE_LIVE]);
    let inserted = connection
        .prepare_cached(sql::INSERT_CHUNK)?
        .execute(row.as_slice())?;
    Ok(inserted == 1)
}

/// Reads the entry that a row begins with.
pub(super) fn read(row: &Row<'_>) -> Result<IndexEntry> {
    let mut numbers = [0; NUMBERS];
    for (at, number) in numbers.iter_mut().enumerate() {
        *number = row.get(1 + at)?;
    }
    let stored = StoredEntry {
        key: row.get_ref(0)?.as_str()?.into(),
        numbers,
        detail: row.get_ref(1 + NUMBERS)?.as_blob()?.into(),
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
    signed(count).map_err(uncountable)
}

fn uncountable(error: Uncountable) -> Error {
    Error::ToSqlConversionFailure(Box::new(error))
}

/// Reads a count.
pub(super) fn count(row: &Row<'_>, column: usize) -> Result<u64> {
    let value = row.get(column)?;
    u64::try_from(value).map_err(|_| Error::IntegralValueOutOfRange(column, value))
}

//! Index entries as rows, both ways: many at once as arrays of columns, one at a time back.
//!
//! PostgreSQL's texts hold no NUL, and a client may send one as a value of a dimension. Such a value lies in its column as
//! `OTHER`, which every selection reads; the entry has it back from its key, where it is percent-encoded.

use std::borrow::Cow;

use ping::{ChunkId, Dimension, OTHER, Partition};
use postgres_connections::Failure;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::select::kind_number;
use crate::stored::{NUMBERS, StoredEntry, signed};
use crate::{ChunkKind, IndexEntry, PartitionCount};

/// Entries as columns, for one statement.
#[derive(Debug, Default)]
pub(super) struct Columns {
    ids: Vec<String>,
    keys: Vec<String>,
    kinds: Vec<i16>,
    dimensions: [Vec<String>; 8],
    numbers: [Vec<i64>; NUMBERS],
    details: Vec<Vec<u8>>,
    folds: Vec<bool>,
}

impl Columns {
    /// Adds an entry, and whether it is to be folded.
    pub(super) fn push(&mut self, entry: &IndexEntry, folds: bool) -> Result<(), Failure> {
        let StoredEntry { key, numbers, detail } =
            StoredEntry::of(entry).map_err(|error| Failure::of(error.to_string()))?;
        self.ids.push(entry.id.to_string());
        self.keys.push(text(&key).into_owned());
        self.kinds.push(kind_column(entry.kind));
        for (column, (_, value)) in self.dimensions.iter_mut().zip(entry.partition.iter()) {
            column.push(column_value(value).to_owned());
        }
        for (column, number) in self.numbers.iter_mut().zip(numbers) {
            column.push(number);
        }
        self.details.push(detail.into_owned());
        self.folds.push(folds);
        Ok(())
    }

    /// The arrays, in the order of the columns.
    pub(super) fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        let Self {
            ids,
            keys,
            kinds,
            dimensions,
            numbers,
            details,
            folds,
        } = self;
        let mut all: Vec<&(dyn ToSql + Sync)> = vec![ids, keys, kinds];
        all.extend(dimensions.iter().map(|column| column as &(dyn ToSql + Sync)));
        all.extend(numbers.iter().map(|column| column as &(dyn ToSql + Sync)));
        all.push(details);
        all.push(folds);
        all
    }
}

/// Reads the entry that a row begins with.
pub(super) fn read(row: &Row) -> Result<IndexEntry, Failure> {
    let mut numbers = [0; NUMBERS];
    for (at, number) in numbers.iter_mut().enumerate() {
        *number = row.try_get(1 + at)?;
    }
    let stored = StoredEntry {
        key: row.try_get::<_, &str>(0)?.into(),
        numbers,
        detail: row.try_get::<_, &[u8]>(1 + NUMBERS)?.into(),
    };
    stored.whole().map_err(|damaged| Failure::of(damaged.to_string()))
}

/// Reads the sums of a partition.
pub(super) fn read_partition(row: &Row) -> Result<PartitionCount, Failure> {
    Ok(PartitionCount {
        kind: kind(row.try_get(0)?)?,
        partition: partition(row, 1)?,
        records: count(row, 9)?,
        stored_bytes: count(row, 10)?,
        chunks: count(row, 11)?,
    })
}

fn partition(row: &Row, first: usize) -> Result<Partition, Failure> {
    let mut values: [String; 8] = Default::default();
    for (at, value) in values.iter_mut().enumerate() {
        *value = row.try_get(first + at)?;
    }
    Ok(Partition::new(values))
}

/// A value as its column has it.
fn column_value(value: &str) -> &str {
    if value.contains('\0') { OTHER } else { value }
}

/// A text as PostgreSQL can hold it.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The day that a key names; nothing where it names none, and so has no entry.
pub(super) fn day_of_key(key: &str) -> &str {
    let name = Dimension::SubmissionDate.name();
    let value = key
        .split('/')
        .find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    value.unwrap_or_default()
}

/// A count as the database has it, which knows signed integers only.
pub(super) fn integer(count: u64) -> Result<i64, Failure> {
    signed(count).map_err(|error| Failure::of(error.to_string()))
}

/// Reads a count.
pub(super) fn count(row: &Row, column: usize) -> Result<u64, Failure> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|_| damaged(row, &format!("a count of {value}")))
}

/// The number of a kind, as wide as its column.
pub(super) const fn kind_column(kind: ChunkKind) -> i16 {
    kind_number(kind) as i16
}

fn kind(number: i16) -> Result<ChunkKind, Failure> {
    [ChunkKind::Pings, ChunkKind::Errors]
        .into_iter()
        .find(|known| kind_column(*known) == number)
        .ok_or_else(|| {
            Failure::of(format!(
                "an entry of unknown kind {number}: use a newer highwater"
            ))
        })
}

pub(super) fn chunk_id(text: &str) -> Result<ChunkId, Failure> {
    text.parse()
        .map_err(|error: ping::ParseIdError| Failure::of(error.to_string()))
}

fn damaged(row: &Row, what: &str) -> Failure {
    let key: &str = row.try_get(0).unwrap_or("an entry");
    Failure::of(format!("the row of {key} is damaged: {what}"))
}

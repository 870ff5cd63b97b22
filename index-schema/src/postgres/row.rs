//! Index entries as rows, both ways: many at once as arrays of columns, one at a time back.
//!
//! PostgreSQL's texts hold no NUL, and a client may send one as a value of a dimension. Such a value lies in its column as
//! `OTHER`, which every selection reads; the entry has it back from its key, where it is percent-encoded.

use std::borrow::Cow;

use ping::{ChunkId, Dimension, OTHER, Partition, Timestamp};
use postgres_connections::Failure;
use prost::Message;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::proto::EntryDetail;
use crate::select::kind_number;
use crate::stored::StoredEntry;
use crate::{ChunkKind, IndexEntry, PartitionCount};

/// Columns of an entry: what is selected behind them begins here.
pub(super) const COLUMNS: usize = 9;

/// Entries as columns, for one statement.
#[derive(Debug, Default)]
pub(super) struct Columns {
    ids: Vec<String>,
    keys: Vec<String>,
    kinds: Vec<i16>,
    dimensions: [Vec<String>; 8],
    /// Records; raw, stored and received bytes; first and last receive time; time of the seal.
    numbers: [Vec<i64>; 7],
    details: Vec<Vec<u8>>,
    folds: Vec<bool>,
}

impl Columns {
    /// Adds an entry, and whether it is to be folded.
    pub(super) fn push(&mut self, entry: &IndexEntry, folds: bool) -> Result<(), Failure> {
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
        let numbers = [
            integer(*records)?,
            integer(*raw_bytes)?,
            integer(*stored_bytes)?,
            integer(*received_bytes)?,
            received_min.as_micros(),
            received_max.as_micros(),
            sealed.as_micros(),
        ];
        self.ids.push(id.to_string());
        self.keys.push(text(key).into_owned());
        self.kinds.push(kind_column(*kind));
        for (column, (_, value)) in self.dimensions.iter_mut().zip(partition.iter()) {
            column.push(column_value(value).to_owned());
        }
        for (column, number) in self.numbers.iter_mut().zip(numbers) {
            column.push(number);
        }
        self.details.push(EntryDetail::from(entry).encode_to_vec());
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
    let time = |column: usize| row.try_get(column).map(Timestamp::from_micros);
    let stored = StoredEntry {
        key: row.try_get(0)?,
        counts: [count(row, 1)?, count(row, 2)?, count(row, 3)?, count(row, 4)?],
        times: [time(5)?, time(6)?, time(7)?],
        detail: row.try_get(8)?,
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
    i64::try_from(count).map_err(|_| Failure::of(format!("{count} is more than the database can count")))
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

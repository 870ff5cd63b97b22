//! Dimension sets as they are stored: packed, and for each value the members that bear it. Not here: finding by value (`members.rs`).

use std::collections::BTreeMap;
use std::rc::Rc;

use ping::SubmissionDate;
use roaring::RoaringBitmap;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params};

use super::names::Names;
use crate::stored::{date, unstored};
use crate::{AggregateError, Dimension, DimensionSet, Epochs, Source};

/// In place of the id of a dimension's name: the day of submission, whose value is the number YYYYMMDD.
pub(super) const DAY: i64 = 0;

/// Ids of names and values, ascending.
pub(super) type Pairs = Vec<(u32, u32)>;

/// A set that was just made, or is to be deleted.
#[derive(Clone, Debug)]
pub(super) struct SetRow {
    pub(super) id: u32,
    pub(super) source: u32,
    pub(super) submission_date: u32,
    pub(super) pairs: Pairs,
}

impl SetRow {
    /// By names.
    pub(super) fn named(
        &self,
        connection: &Connection,
        names: &mut Names<'_>,
    ) -> Result<DimensionSet, AggregateError> {
        let source = source_of(connection, self.source)?;
        let stored = StoredSet {
            submission_date: date(self.submission_date.into())?,
            pairs: self.pairs.clone(),
        };
        stored.named(&source, names)
    }
}

/// The stored form: each number in groups of seven bits, the lowest first, the high bit set in all but the last.
pub(super) fn pack(pairs: &[(u32, u32)]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(pairs.len() * 4);
    for number in pairs.iter().flat_map(|&(dimension, value)| [dimension, value]) {
        let mut rest = number;
        while rest >= 0x80 {
            packed.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        packed.push(rest as u8);
    }
    packed
}

/// The pairs of a stored form.
pub(super) fn unpack(packed: &[u8]) -> Result<Pairs, AggregateError> {
    let damaged = || AggregateError::Damaged("a dimension set cannot be read".to_owned());
    let (mut numbers, mut number, mut shift) = (Vec::new(), 0_u64, 0);
    for byte in packed {
        number |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if shift > 35 {
            return Err(damaged());
        }
        if byte & 0x80 == 0 {
            numbers.push(u32::try_from(number).map_err(|_| damaged())?);
            (number, shift) = (0, 0);
        }
    }
    if shift != 0 || numbers.len() % 2 != 0 {
        return Err(damaged());
    }
    Ok(numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
}

/// Notes new sets among the members of their values.
pub(super) fn write_members(connection: &Connection, sets: &[SetRow]) -> Result<(), AggregateError> {
    let mut put = connection.prepare_cached(
        "INSERT INTO set_value (source, dimension, value, segment, members) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET members = merge_members(members, excluded.members)",
    )?;
    for ((source, dimension, value, segment), members) in by_value(sets) {
        put.execute(params![source, dimension, value, segment, bytes_of(&members)])?;
    }
    Ok(())
}

/// Takes deleted sets out of the members of their values.
pub(super) fn remove_members(connection: &Connection, sets: &[SetRow]) -> Result<(), AggregateError> {
    const KEY: &str = "source = ?1 AND dimension = ?2 AND value = ?3 AND segment = ?4";
    let mut find = connection.prepare_cached(&format!("SELECT members FROM set_value WHERE {KEY}"))?;
    let mut put = connection.prepare_cached(&format!("UPDATE set_value SET members = ?5 WHERE {KEY}"))?;
    let mut remove = connection.prepare_cached(&format!("DELETE FROM set_value WHERE {KEY}"))?;
    for ((source, dimension, value, segment), gone) in by_value(sets) {
        let key = params![source, dimension, value, segment];
        let stored: Option<Vec<u8>> = find.query_row(key, |row| row.get(0)).optional()?;
        let left = members_of(&stored.unwrap_or_default())? - gone;
        if left.is_empty() {
            remove.execute(key)?;
        } else {
            put.execute(params![source, dimension, value, segment, bytes_of(&left)])?;
        }
    }
    Ok(())
}

/// Source, dimension, value, segment: the upper half of the ids of sets.
type MembersKey = (u32, i64, u32, u32);

fn by_value(sets: &[SetRow]) -> BTreeMap<MembersKey, RoaringBitmap> {
    let mut members: BTreeMap<MembersKey, RoaringBitmap> = BTreeMap::new();
    for set in sets {
        let day = (DAY, set.submission_date);
        let pairs = set
            .pairs
            .iter()
            .map(|&(dimension, value)| (dimension.into(), value));
        for (dimension, value) in pairs.chain([day]) {
            let key = (set.source, dimension, value, set.id >> 16);
            members.entry(key).or_default().insert(set.id);
        }
    }
    members
}

/// Members as they are stored: the portable format of Roaring bitmaps.
pub(super) fn bytes_of(members: &RoaringBitmap) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(members.serialized_size());
    members
        .serialize_into(&mut bytes)
        .expect("a vector takes what is written");
    bytes
}

/// The members that are stored; none in no bytes.
pub(super) fn members_of(bytes: &[u8]) -> Result<RoaringBitmap, AggregateError> {
    if bytes.is_empty() {
        return Ok(RoaringBitmap::new());
    }
    RoaringBitmap::deserialize_from(bytes)
        .map_err(|error| AggregateError::Damaged(format!("members of a value: {error}")))
}

/// Ids of sets as a table-valued parameter.
pub(super) fn table_of(sets: &RoaringBitmap) -> Rc<Vec<Value>> {
    Rc::new(sets.iter().map(|set| Value::Integer(set.into())).collect())
}

/// The id of a source; `None` when nothing of it is stored.
pub(super) fn source_id(connection: &Connection, source: &Source) -> Result<Option<i64>, AggregateError> {
    let mut statement = connection.prepare_cached("SELECT id FROM source WHERE name = ?1 AND epoch = ?2")?;
    Ok(statement
        .query_row(params![source.as_str(), source.epoch()], |row| row.get(0))
        .optional()?)
}

/// The source of an id.
pub(super) fn source_of(connection: &Connection, id: u32) -> Result<Source, AggregateError> {
    let mut find = connection.prepare_cached("SELECT name, epoch FROM source WHERE id = ?1")?;
    let found = find.query_row([id], |row| {
        Ok(Source::named(row.get_ref(0)?.as_str()?).in_epoch(row.get(1)?))
    });
    found
        .optional()?
        .ok_or_else(|| AggregateError::Damaged(format!("source {id} is missing")))
}

/// A set by its ids, for reading: its day and its pairs.
#[derive(Clone, Debug)]
pub(super) struct StoredSet {
    pub(super) submission_date: SubmissionDate,
    pub(super) pairs: Pairs,
}

impl StoredSet {
    /// The set of this id.
    pub(super) fn find(connection: &Connection, id: i64) -> Result<Self, AggregateError> {
        let mut statement =
            connection.prepare_cached("SELECT submission_date, packed FROM dimension_set WHERE id = ?1")?;
        let mut rows = statement.query([id])?;
        let missing = || AggregateError::Damaged(format!("dimension set {id} is missing"));
        let row = rows.next()?.ok_or_else(missing)?;
        Ok(Self {
            submission_date: date(row.get(0)?)?,
            pairs: unpack(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?,
        })
    }

    /// The id of its value of a dimension; `None` where it states none.
    pub(super) fn value(&self, dimension: i64) -> Option<i64> {
        let found = self.pairs.iter().find(|(name, _)| i64::from(*name) == dimension);
        found.map(|(_, value)| (*value).into())
    }

    /// By names.
    pub(super) fn named(
        &self,
        source: &Source,
        names: &mut Names<'_>,
    ) -> Result<DimensionSet, AggregateError> {
        let values = self.pairs.iter().map(|&(dimension, value)| {
            let dimension = Dimension::named(&names.string(dimension.into())?);
            Ok((dimension, names.string(value.into())?.to_string()))
        });
        let values = values.collect::<Result<Vec<_>, AggregateError>>()?;
        Ok(DimensionSet::new(source.clone(), self.submission_date, values))
    }
}

/// All sources in their epochs, by their ids.
pub(super) fn sources(connection: &Connection) -> Result<Vec<(i64, Source)>, AggregateError> {
    let mut statement = connection.prepare_cached("SELECT id, name, epoch FROM source")?;
    let sources = statement.query_map([], |row| {
        let source = Source::named(row.get_ref(1)?.as_str()?);
        Ok((row.get(0)?, source.in_epoch(row.get(2)?)))
    })?;
    Ok(sources.collect::<Result<_, _>>()?)
}

/// All sets by their ids; those that are in use by names in the first epoch, whatever the epoch is.
pub(super) fn all_named(
    connection: &Connection,
    names: &mut Names<'_>,
    epochs: &Epochs,
) -> Result<BTreeMap<i64, Option<DimensionSet>>, AggregateError> {
    let sources: BTreeMap<i64, Source> = sources(connection)?.into_iter().collect();
    let mut statement =
        connection.prepare_cached("SELECT id, source, submission_date, packed FROM dimension_set")?;
    let mut rows = statement.query([])?;
    let mut sets = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let source: i64 = row.get(1)?;
        let missing = || AggregateError::Damaged(format!("source {source} is missing"));
        let source = sources.get(&source).ok_or_else(missing)?;
        let set = StoredSet {
            submission_date: date(row.get(2)?)?,
            pairs: unpack(row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?)?,
        };
        let named = match epochs.holds(source, set.submission_date) {
            true => Some(set.named(&source.in_epoch(0), names)?),
            false => None,
        };
        sets.insert(row.get(0)?, named);
    }
    Ok(sets)
}

/// The set of this id.
pub(super) fn find(connection: &Connection, id: i64) -> Result<SetRow, AggregateError> {
    let stored = StoredSet::find(connection, id)?;
    let mut source = connection.prepare_cached("SELECT source FROM dimension_set WHERE id = ?1")?;
    Ok(SetRow {
        id: unstored(id)?,
        source: unstored(source.query_row([id], |row| row.get(0))?)?,
        submission_date: stored.submission_date.as_yyyymmdd(),
        pairs: stored.pairs,
    })
}

/// Sets of days before this one, by id, as they are found for deletion.
pub(super) fn below(connection: &Connection, day: u32, limit: u32) -> Result<Vec<SetRow>, AggregateError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, source, submission_date, packed FROM dimension_set
         WHERE submission_date < ?1 ORDER BY submission_date, id LIMIT ?2",
    )?;
    rows_of(statement.query(params![day, limit])?)
}

/// Sets of a source and of days from one number to another, by no order, as they are found for deletion.
pub(super) fn of_days(
    connection: &Connection,
    source: i64,
    (first, last): (u32, u32),
    limit: u32,
) -> Result<Vec<SetRow>, AggregateError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, source, submission_date, packed FROM dimension_set
         WHERE source = ?1 AND submission_date BETWEEN ?2 AND ?3 LIMIT ?4",
    )?;
    rows_of(statement.query(params![source, first, last, limit])?)
}

fn rows_of(mut rows: rusqlite::Rows<'_>) -> Result<Vec<SetRow>, AggregateError> {
    let mut sets = Vec::new();
    while let Some(row) = rows.next()? {
        sets.push(SetRow {
            id: unstored(row.get(0)?)?,
            source: unstored(row.get(1)?)?,
            submission_date: unstored(row.get(2)?)?,
            pairs: unpack(row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?)?,
        });
    }
    Ok(sets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_packed_set_reads_back(pairs in prop::collection::vec((any::<u32>(), any::<u32>()), 0..20)) {
            prop_assert_eq!(unpack(&pack(&pairs)).expect("packed"), pairs);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = unpack(&bytes);
        }
    }
}

//! Values of a dimension that the sets of a source bear, with those that are held: the members of each value beside those that match.

use std::collections::BTreeMap;

use ping::UNKNOWN;
use roaring::RoaringBitmap;
use rusqlite::{Connection, params};

use super::members::Members;
use super::names::{Names, id_of};
use super::sets::{DAY, members_of, source_id};
use crate::layer::Part;
use crate::listing::cut;
use crate::stored::date;
use crate::{AggregateError, Dimension, Filter, Listed, Source};

/// The values, ascending; of more than `limit` those that most sets bear.
pub(super) fn read(
    connection: &Connection,
    held: &[&Part],
    source: &Source,
    dimension: &str,
    filters: &[Filter],
    limit: usize,
) -> Result<Listed<String>, AggregateError> {
    let mut values = stored(connection, source, dimension, filters)?;
    let sets = held.iter().flat_map(|part| part.sets()).map(|(set, _)| set);
    for set in sets.filter(|set| set.source() == source && filters.iter().all(|filter| filter.holds(set))) {
        *values.entry(set.any_value(dimension)).or_default() += 1;
    }
    let (values, left_out) = cut(values, limit);
    Ok(Listed {
        values: values.into_iter().collect(),
        left_out,
    })
}

/// How many stored sets bear each value.
fn stored(
    connection: &Connection,
    source: &Source,
    dimension: &str,
    filters: &[Filter],
) -> Result<BTreeMap<String, i64>, AggregateError> {
    let mut found = BTreeMap::new();
    let Some(id) = source_id(connection, source)? else {
        return Ok(found);
    };
    let matching = Members::matching(connection, source, filters)?;
    let is_day = dimension == Dimension::SUBMISSION_DATE;
    let name = match is_day {
        true => Some(DAY),
        false => id_of(connection, dimension)?,
    };
    let mut stating = RoaringBitmap::new();
    let mut names = Names::new(connection);
    let mut bearing = connection
        .prepare_cached("SELECT value, members FROM set_value WHERE source = ?1 AND dimension = ?2")?;
    let mut rows = bearing.query(params![id, name])?;
    while let Some(row) = rows.next()? {
        let members = members_of(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)? & &matching;
        if !members.is_empty() {
            let value = match is_day {
                true => date(row.get(0)?)?.to_string(),
                false => names.string(row.get(0)?)?.to_string(),
            };
            *found.entry(value).or_default() += number(&members);
            stating |= members;
        }
    }
    let silent = matching - stating;
    if !silent.is_empty() {
        found.insert(UNKNOWN.to_owned(), number(&silent));
    }
    Ok(found)
}

fn number(members: &RoaringBitmap) -> i64 {
    i64::try_from(members.len()).unwrap_or(i64::MAX)
}

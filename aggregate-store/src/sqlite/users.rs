//! User sketches by day and dimensions.

use std::collections::{BTreeMap, HashMap};

use ping::SubmissionDate;
use rusqlite::{Connection, params};
use sketch::UserSketch;

use super::dictionary::Dictionary;
use super::members::Members;
use super::names::Names;
use super::sets::{StoredSet, table_of};
use crate::bounds::Taken;
use crate::layer::Part;
use crate::{AggregateError, Batch, Bounds, DimensionSet, Listed, UserDay, UserQuery};

/// The kind of a union value that is a sketch of clients.
pub(super) const CLIENTS: i64 = 1;

/// The number of [`USER_DIMENSIONS`](crate::USER_DIMENSIONS) among the lists of dimensions under which users are kept.
pub(super) const USERS: i64 = 1;

/// In place of a metric's id: the value is of all pings.
pub(super) const NO_METRIC: i64 = 0;

/// Merges sketches into those stored, those of one set in all batches at once.
pub(super) fn write(
    connection: &Connection,
    dictionary: &mut Dictionary,
    batches: &[&Batch],
) -> Result<(), AggregateError> {
    if let [batch] = batches {
        let users = batch.users.iter().map(|(set, users)| (set, users));
        return write_each(connection, dictionary, users);
    }
    let mut united: BTreeMap<&DimensionSet, UserSketch> = BTreeMap::new();
    for (set, users) in batches.iter().flat_map(|batch| &batch.users) {
        united.entry(set).or_default().merge(users);
    }
    write_each(
        connection,
        dictionary,
        united.iter().map(|(set, users)| (*set, users)),
    )
}

fn write_each<'a>(
    connection: &Connection,
    dictionary: &mut Dictionary,
    users: impl Iterator<Item = (&'a DimensionSet, &'a UserSketch)>,
) -> Result<(), AggregateError> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO union_value (kind, projection, dimension_set, metric, image) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET image = merge_users(image, excluded.image)",
    )?;
    for (set, users) in users.filter(|(_, users)| !users.is_empty()) {
        let set = dictionary.dimension_set(connection, set)?.id;
        upsert.execute(params![CLIENTS, USERS, set, NO_METRIC, users.to_image()])?;
    }
    Ok(())
}

/// Users by day and group.
pub(super) fn read(
    connection: &Connection,
    held: &[&Part],
    query: &UserQuery,
    limit: usize,
) -> Result<Vec<UserDay>, AggregateError> {
    let mut taken = Taken::new(Bounds {
        rows: limit,
        ..Bounds::NONE
    });
    let mut days: BTreeMap<(SubmissionDate, bool, String), UserSketch> = BTreeMap::new();
    let day_of = |set: &DimensionSet| {
        let (is_rest, group) = query.group_of(query.value_of(set));
        (set.submission_date(), is_rest, group.to_owned())
    };
    each_stored(connection, query, |set, image| {
        let users = days.entry(day_of(set)).or_default();
        let merged = users.merge_image(image);
        merged.map_err(|error| AggregateError::Damaged(error.to_string()))?;
        taken.note(days.len(), 0, 0)
    })?;
    for (set, users) in held.iter().flat_map(|part| &part.batch().users) {
        if !users.is_empty() && query.holds(set) {
            days.entry(day_of(set)).or_default().merge(users);
            taken.note(days.len(), 0, 0)?;
        }
    }
    let days = days.into_iter().map(|((date, is_rest, group), users)| UserDay {
        date,
        group,
        is_rest,
        users,
    });
    Ok(days.collect())
}

/// The largest groups.
pub(super) fn groups(
    connection: &Connection,
    held: &[&Part],
    query: &UserQuery,
    limit: usize,
) -> Result<Listed<String>, AggregateError> {
    if query.group_by.is_none() {
        return Ok(Listed::default());
    }
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    each_stored(connection, query, |set, image| {
        *sizes.entry(query.value_of(set).to_owned()).or_default() += image.len();
        Ok(())
    })?;
    for (set, users) in held.iter().flat_map(|part| &part.batch().users) {
        if !users.is_empty() && query.holds(set) {
            *sizes.entry(query.value_of(set).to_owned()).or_default() += users.to_image().len();
        }
    }
    let mut largest: Vec<(String, usize)> = sizes.into_iter().collect();
    let left_out = largest.len().saturating_sub(limit) as u64;
    // Stable: of equal ones the first by name.
    largest.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    largest.truncate(limit);
    let mut values: Vec<String> = largest.into_iter().map(|(name, _)| name).collect();
    values.sort();
    Ok(Listed { values, left_out })
}

/// Hands on the images of the sets that are asked for.
fn each_stored(
    connection: &Connection,
    query: &UserQuery,
    mut take: impl FnMut(&DimensionSet, &[u8]) -> Result<(), AggregateError>,
) -> Result<(), AggregateError> {
    let Some(members) = Members::of(connection, &query.source)? else {
        return Ok(());
    };
    let mut sets = members.of_days(query.from, query.to)?;
    for filter in &query.filters {
        sets &= members.of_filter(filter)?;
    }
    let mut statement = connection.prepare_cached(
        "SELECT u.dimension_set, u.image FROM rarray(?1) AS wanted CROSS JOIN union_value AS u
         ON u.kind = ?2 AND u.projection = ?3 AND u.dimension_set = wanted.value AND u.metric = ?4",
    )?;
    let mut rows = statement.query(params![table_of(&sets), CLIENTS, USERS, NO_METRIC])?;
    let mut names = Names::new(connection);
    while let Some(row) = rows.next()? {
        let set = StoredSet::find(connection, row.get(0)?)?.named(&query.source, &mut names)?;
        take(&set, row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
    }
    Ok(())
}

/// The ids of all rows by their sets.
pub(super) fn rows_by_set(connection: &Connection) -> Result<HashMap<i64, i64>, AggregateError> {
    let mut statement = connection
        .prepare_cached("SELECT dimension_set, id FROM union_value WHERE kind = ?1 AND projection = ?2")?;
    let rows = statement.query_map(params![CLIENTS, USERS], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

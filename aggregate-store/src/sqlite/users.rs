//! User sketches by day and dimensions.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, params, params_from_iter};
use sketch::UserSketch;

use super::dictionary::Dictionary;
use super::listing::left_out;
use super::names::{Names, id_of};
use crate::bounds::Taken;
use crate::layer::Part;
use crate::stored::{self, date};
use crate::{AggregateError, Batch, Bounds, Listed, UserDay, UserDimension, UserFilters, UserKey, UserQuery};

/// Merges sketches into those stored, those of one key in all batches at once.
pub(super) fn write(
    connection: &Connection,
    dictionary: &mut Dictionary,
    batches: &[&Batch],
) -> Result<(), AggregateError> {
    if let [batch] = batches {
        let users = batch.users.iter().map(|(key, users)| (key, users));
        return write_each(connection, dictionary, users);
    }
    let mut united: BTreeMap<&UserKey, UserSketch> = BTreeMap::new();
    for (key, users) in batches.iter().flat_map(|batch| &batch.users) {
        united.entry(key).or_default().merge(users);
    }
    write_each(
        connection,
        dictionary,
        united.iter().map(|(key, users)| (*key, users)),
    )
}

fn write_each<'a>(
    connection: &Connection,
    dictionary: &mut Dictionary,
    users: impl Iterator<Item = (&'a UserKey, &'a UserSketch)>,
) -> Result<(), AggregateError> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO users (submission_date, application, channel, version, os, image)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET image = merge_users(image, excluded.image)",
    )?;
    for (key, users) in users.filter(|(_, users)| !users.is_empty()) {
        let UserKey {
            submission_date,
            application,
            channel,
            version,
            os,
        } = key;
        upsert.execute(params![
            submission_date.as_yyyymmdd(),
            dictionary.string(connection, application)?,
            dictionary.string(connection, channel)?,
            dictionary.string(connection, version)?,
            dictionary.string(connection, os)?,
            users.to_image(),
        ])?;
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
    let mut days = stored(connection, query, &mut taken)?;
    for (key, users) in held.iter().flat_map(|part| &part.batch().users) {
        if !users.is_empty() && is_asked(key, query) {
            let group = query.group_by.map_or("", |dimension| key.value(dimension));
            let (is_rest, group) = query.group_of(group);
            let day = (
                key.submission_date.as_yyyymmdd().into(),
                is_rest,
                Arc::from(group),
            );
            days.entry(day).or_default().merge(users);
            taken.note(days.len(), 0, 0)?;
        }
    }
    days.into_iter()
        .map(|((day, is_rest, group), users)| {
            Ok(UserDay {
                date: date(day)?,
                group: group.to_string(),
                is_rest,
                users,
            })
        })
        .collect()
}

fn is_asked(key: &UserKey, query: &UserQuery) -> bool {
    let UserFilters {
        application,
        channel,
        version,
        os,
    } = &query.filters;
    let is = |wanted: &Option<String>, value: &String| wanted.as_ref().is_none_or(|wanted| wanted == value);
    (query.from..=query.to).contains(&key.submission_date)
        && is(application, &key.application)
        && is(channel, &key.channel)
        && is(version, &key.version)
        && is(os, &key.os)
}

/// The largest groups. One that is held and stored, and not among the largest stored ones, is measured by what is held.
pub(super) fn groups(
    connection: &Connection,
    held: &[&Part],
    query: &UserQuery,
    limit: usize,
) -> Result<Listed<String>, AggregateError> {
    let Some(dimension) = query.group_by else {
        return Ok(Listed::default());
    };
    let (mut sizes, mut total) = stored_groups(connection, query, dimension, limit)?;
    for (name, bytes) in held_groups(held, query, dimension) {
        let is_stored = sizes.contains_key(name) || is_stored(connection, query, dimension, name)?;
        total += i64::from(!is_stored);
        *sizes.entry(name.to_owned()).or_default() += bytes;
    }
    let mut largest: Vec<(String, i64)> = sizes.into_iter().collect();
    // Stable: of equal ones the first by name.
    largest.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    largest.truncate(limit);
    let mut values: Vec<String> = largest.into_iter().map(|(name, _)| name).collect();
    values.sort();
    Ok(Listed {
        left_out: left_out(total, values.len()),
        values,
    })
}

/// The largest groups that are stored, with the bytes of their sketches, and how many there are.
fn stored_groups(
    connection: &Connection,
    query: &UserQuery,
    dimension: UserDimension,
    limit: usize,
) -> Result<(BTreeMap<String, i64>, i64), AggregateError> {
    let (mut sizes, mut total) = (BTreeMap::new(), 0);
    let Some((condition, values)) = condition(connection, query)? else {
        return Ok((sizes, total));
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, SUM(length(image)), COUNT(*) OVER () FROM users WHERE {condition}
         GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?{}",
        column(dimension),
        values.len() + 1
    ))?;
    let mut rows = statement.query(params_from_iter(values.iter().chain([&stored::limit(limit)])))?;
    let mut names = Names::new(connection);
    while let Some(row) = rows.next()? {
        sizes.insert(names.string(row.get(0)?)?.to_string(), row.get(1)?);
        total = row.get(2)?;
    }
    Ok((sizes, total))
}

fn is_stored(
    connection: &Connection,
    query: &UserQuery,
    dimension: UserDimension,
    name: &str,
) -> Result<bool, AggregateError> {
    let (Some(id), Some((condition, values))) = (id_of(connection, name)?, condition(connection, query)?)
    else {
        return Ok(false);
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT 1 FROM users WHERE {condition} AND {} = ?{}",
        column(dimension),
        values.len() + 1
    ))?;
    Ok(statement.exists(params_from_iter(values.iter().chain([&id])))?)
}

/// The groups of what is held, with the bytes of their sketches.
fn held_groups<'a>(held: &[&'a Part], query: &UserQuery, dimension: UserDimension) -> BTreeMap<&'a str, i64> {
    let mut sizes = BTreeMap::new();
    for (key, users) in held.iter().flat_map(|part| &part.batch().users) {
        if !users.is_empty() && is_asked(key, query) {
            let bytes = i64::try_from(users.to_image().len()).unwrap_or(i64::MAX);
            *sizes.entry(key.value(dimension)).or_default() += bytes;
        }
    }
    sizes
}

/// Day, whether it is all other groups, and group.
type Days = BTreeMap<(i64, bool, Arc<str>), UserSketch>;

fn stored(connection: &Connection, query: &UserQuery, taken: &mut Taken) -> Result<Days, AggregateError> {
    let group = query.group_by.map_or("NULL", column);
    let Some((condition, values)) = condition(connection, query)? else {
        return Ok(Days::new());
    };
    let sql = format!("SELECT submission_date, {group}, image FROM users WHERE {condition}");
    unite(connection, &sql, &values, query, taken)
}

/// What rows are asked for; `None` when none can be, since a name is not known.
fn condition(
    connection: &Connection,
    query: &UserQuery,
) -> Result<Option<(String, Vec<i64>)>, AggregateError> {
    let UserQuery {
        from,
        to,
        filters,
        group_by: _,
        own_groups: _,
    } = query;
    let UserFilters {
        application,
        channel,
        version,
        os,
    } = filters;
    let mut sql = "submission_date BETWEEN ?1 AND ?2".to_owned();
    let mut values: Vec<i64> = vec![from.as_yyyymmdd().into(), to.as_yyyymmdd().into()];
    for (dimension, wanted) in [
        (UserDimension::Application, application),
        (UserDimension::Channel, channel),
        (UserDimension::Version, version),
        (UserDimension::Os, os),
    ] {
        let Some(wanted) = wanted else { continue };
        let Some(id) = id_of(connection, wanted)? else {
            return Ok(None);
        };
        values.push(id);
        sql.push_str(&format!(" AND {} = ?{}", column(dimension), values.len()));
    }
    Ok(Some((sql, values)))
}

fn column(dimension: UserDimension) -> &'static str {
    match dimension {
        UserDimension::Application => "application",
        UserDimension::Channel => "channel",
        UserDimension::Version => "version",
        UserDimension::Os => "os",
    }
}

/// Unites the images of each day and group.
fn unite(
    connection: &Connection,
    sql: &str,
    values: &[i64],
    query: &UserQuery,
    taken: &mut Taken,
) -> Result<Days, AggregateError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut names = Names::new(connection);
    let mut days = Days::new();
    while let Some(row) = rows.next()? {
        let group = match row.get(1)? {
            Some(id) => names.string(id)?,
            None => Arc::from(""),
        };
        let (is_rest, group) = query.group_of(group);
        let image = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        days.entry((row.get(0)?, is_rest, group))
            .or_default()
            .merge_image(image)
            .map_err(|error| AggregateError::Damaged(error.to_string()))?;
        taken.note(days.len(), 0, 0)?;
    }
    Ok(days)
}

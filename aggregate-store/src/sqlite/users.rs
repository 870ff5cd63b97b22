//! User sketches by day and dimensions.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, ToSql, params};
use sketch::UserSketch;

use super::dictionary::Dictionary;
use super::names::{Names, id_of};
use crate::bounds::Taken;
use crate::layer::Part;
use crate::stored::date;
use crate::{AggregateError, Batch, Bounds, UserDay, UserDimension, UserFilters, UserKey, UserQuery};

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
            let day = (key.submission_date.as_yyyymmdd().into(), Arc::from(group));
            days.entry(day).or_default().merge(users);
            taken.note(days.len(), 0, 0)?;
        }
    }
    days.into_iter()
        .map(|((day, group), users)| {
            Ok(UserDay {
                date: date(day)?,
                group: group.to_string(),
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

/// Day and group.
type Days = BTreeMap<(i64, Arc<str>), UserSketch>;

fn stored(connection: &Connection, query: &UserQuery, taken: &mut Taken) -> Result<Days, AggregateError> {
    let UserQuery {
        from,
        to,
        filters,
        group_by,
    } = query;
    let UserFilters {
        application,
        channel,
        version,
        os,
    } = filters;
    let group = group_by.map_or("NULL", column);
    let mut sql =
        format!("SELECT submission_date, {group}, image FROM users WHERE submission_date BETWEEN ?1 AND ?2");
    let mut values: Vec<i64> = vec![from.as_yyyymmdd().into(), to.as_yyyymmdd().into()];
    for (dimension, wanted) in [
        (UserDimension::Application, application),
        (UserDimension::Channel, channel),
        (UserDimension::Version, version),
        (UserDimension::Os, os),
    ] {
        let Some(wanted) = wanted else { continue };
        let Some(id) = id_of(connection, wanted)? else {
            return Ok(Days::new());
        };
        values.push(id);
        sql.push_str(&format!(" AND {} = ?{}", column(dimension), values.len()));
    }
    unite(connection, &sql, &values, taken)
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
    taken: &mut Taken,
) -> Result<Days, AggregateError> {
    let mut statement = connection.prepare_cached(sql)?;
    let values: Vec<&dyn ToSql> = values.iter().map(|value| value as &dyn ToSql).collect();
    let mut rows = statement.query(&values[..])?;
    let mut names = Names::new(connection);
    let mut days = Days::new();
    while let Some(row) = rows.next()? {
        let group = match row.get(1)? {
            Some(id) => names.string(id)?,
            None => Arc::from(""),
        };
        let image = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        days.entry((row.get(0)?, group))
            .or_default()
            .merge_image(image)
            .map_err(|error| AggregateError::Damaged(error.to_string()))?;
        taken.note(days.len(), 0, 0)?;
    }
    Ok(days)
}

//! User sketches by day and dimensions.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use futures_util::TryStreamExt;
use postgres_connections::Failure;
use sketch::UserSketch;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::dictionary::Texts;
use super::ids::column;
use super::limits::BYTES;
use super::listing::text;
use crate::bounds::Taken;
use crate::stored::{self, date};
use crate::{AggregateError, Batch, Bounds, Listed, UserDay, UserDimension, UserFilters, UserKey, UserQuery};

/// What an image takes at most, about: so many of them are merged at a time.
const IMAGE_BYTES: usize = 4 << 10;

const READ: &str = "SELECT k.number, u.image FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY \
     AS k (submission_date, application, channel, version, os, number) \
     JOIN highwater_aggregates.users u USING (submission_date, application, channel, version, os) FOR UPDATE OF u";
const WRITE: &str = "INSERT INTO highwater_aggregates.users (submission_date, application, channel, version, os, image) \
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6) \
     ON CONFLICT (submission_date, application, channel, version, os) DO UPDATE SET image = excluded.image";

/// Merges sketches into those stored.
pub(super) async fn write(client: &Client, batch: &Batch) -> Result<(), Failure> {
    let mut by_key: BTreeMap<&UserKey, Vec<&UserSketch>> = BTreeMap::new();
    for (key, users) in batch.users.iter().filter(|(_, users)| !users.is_empty()) {
        by_key.entry(key).or_default().push(users);
    }
    if by_key.is_empty() {
        return Ok(());
    }
    let texts: BTreeSet<&str> = by_key
        .keys()
        .flat_map(|key| [&key.application, &key.channel, &key.version, &key.os].map(String::as_str))
        .collect();
    let texts = Texts::of(client, texts).await?;
    let all: Vec<_> = by_key.into_iter().collect();
    for slice in all.chunks(BYTES / IMAGE_BYTES) {
        write_slice(client, &texts, slice).await?;
    }
    Ok(())
}

async fn write_slice(
    client: &Client,
    texts: &Texts<'_>,
    slice: &[(&UserKey, Vec<&UserSketch>)],
) -> Result<(), Failure> {
    let mut keys: [Vec<i32>; 5] = Default::default();
    for (key, _) in slice {
        let row = [
            column(key.submission_date.as_yyyymmdd())?,
            texts.id(&key.application)?,
            texts.id(&key.channel)?,
            texts.id(&key.version)?,
            texts.id(&key.os)?,
        ];
        for (column, value) in keys.iter_mut().zip(row) {
            column.push(value);
        }
    }
    let typed = keys
        .each_ref()
        .map(|key| (key as &(dyn ToSql + Sync), Type::INT4_ARRAY));
    let mut merged: Vec<UserSketch> = Vec::with_capacity(slice.len());
    for (_, added) in slice {
        let mut users = UserSketch::new();
        added.iter().for_each(|added| users.merge(added));
        merged.push(users);
    }
    for row in client.query_typed(READ, &typed).await? {
        let number: i64 = row.try_get(0)?;
        let at = usize::try_from(number - 1).ok();
        let place = at.and_then(|at| merged.get_mut(at));
        let users =
            place.ok_or_else(|| Failure::of(format!("it answered for users {number} of {}", slice.len())))?;
        merge_image(users, row.try_get(1)?)?;
    }
    let images: Vec<Vec<u8>> = merged.iter().map(UserSketch::to_image).collect();
    let mut typed = typed.to_vec();
    typed.push((&images, Type::BYTEA_ARRAY));
    client.execute_typed(WRITE, &typed).await?;
    Ok(())
}

fn merge_image(users: &mut UserSketch, image: &[u8]) -> Result<(), AggregateError> {
    let merged = users.merge_image(image);
    merged.map_err(|error| AggregateError::Damaged(error.to_string()))
}

/// Which rows are asked for: their days, and the values of their dimensions.
struct Asked<'a> {
    days: [i32; 2],
    values: Vec<(&'static str, &'a [u8])>,
}

impl<'a> Asked<'a> {
    fn by(query: &'a UserQuery) -> Result<Self, Failure> {
        let UserFilters {
            application,
            channel,
            version,
            os,
        } = &query.filters;
        let values = [
            ("application", application),
            ("channel", channel),
            ("version", version),
            ("os", os),
        ];
        let given =
            |(name, wanted): (&'static str, &'a Option<String>)| Some((name, wanted.as_ref()?.as_bytes()));
        Ok(Self {
            days: [column(query.from.as_yyyymmdd())?, column(query.to.as_yyyymmdd())?],
            values: values.into_iter().filter_map(given).collect(),
        })
    }

    /// The condition, and what is given for it.
    fn condition(&self) -> (String, Vec<(&(dyn ToSql + Sync), Type)>) {
        let mut sql = "submission_date BETWEEN $1 AND $2".to_owned();
        let mut given: Vec<(&(dyn ToSql + Sync), Type)> =
            vec![(&self.days[0], Type::INT4), (&self.days[1], Type::INT4)];
        for (name, bytes) in &self.values {
            given.push((bytes, Type::BYTEA));
            sql.push_str(&format!(
                " AND {name} = (SELECT id FROM highwater_aggregates.string WHERE sha256(bytes) = sha256(${}))",
                given.len()
            ));
        }
        (sql, given)
    }
}

const fn name_of(dimension: UserDimension) -> &'static str {
    match dimension {
        UserDimension::Application => "application",
        UserDimension::Channel => "channel",
        UserDimension::Version => "version",
        UserDimension::Os => "os",
    }
}

/// The largest groups.
pub(super) async fn groups(
    client: &Client,
    query: &UserQuery,
    limit: usize,
) -> Result<Listed<String>, Failure> {
    let Some(dimension) = query.group_by else {
        return Ok(Listed::default());
    };
    let asked = Asked::by(query)?;
    let (condition, mut given) = asked.condition();
    let limit = stored::limit(limit);
    given.push((&limit, Type::INT8));
    let sql = format!(
        "SELECT (SELECT bytes FROM highwater_aggregates.string WHERE id = g.id), g.total FROM \
         (SELECT {} AS id, COUNT(*) OVER () AS total FROM highwater_aggregates.users WHERE {condition} \
         GROUP BY 1 ORDER BY SUM(octet_length(image)) DESC, 1 LIMIT ${}) g",
        name_of(dimension),
        given.len()
    );
    let rows = client.query_typed(&sql, &given).await?;
    let mut total = 0;
    let mut values = Vec::with_capacity(rows.len());
    for row in &rows {
        values.push(text(row, 0)?);
        total = row.try_get::<_, i64>(1)?;
    }
    values.sort();
    let left_out = u64::try_from(total)
        .unwrap_or(0)
        .saturating_sub(values.len() as u64);
    Ok(Listed { values, left_out })
}

/// Users by day and group.
pub(super) async fn read(client: &Client, query: &UserQuery, limit: usize) -> Result<Vec<UserDay>, Failure> {
    let group = query.group_by.map_or_else(
        || "''::BYTEA".to_owned(),
        |dimension| {
            let id = name_of(dimension);
            format!("(SELECT bytes FROM highwater_aggregates.string WHERE id = {id})")
        },
    );
    let asked = Asked::by(query)?;
    let (condition, given) = asked.condition();
    let sql =
        format!("SELECT submission_date, {group}, image FROM highwater_aggregates.users WHERE {condition}");
    let mut days: BTreeMap<(i32, bool, String), UserSketch> = BTreeMap::new();
    let mut taken = Taken::new(Bounds {
        rows: limit,
        ..Bounds::NONE
    });
    let rows = client.query_typed_raw(&sql, given).await?;
    let mut rows = pin!(rows);
    while let Some(row) = rows.try_next().await? {
        let (is_rest, group) = query.group_of(text(&row, 1)?);
        let users = days.entry((row.try_get(0)?, is_rest, group)).or_default();
        merge_image(users, row.try_get(2)?)?;
        let is_within = taken.note(days.len(), 0, 0);
        is_within.map_err(|error| Failure::Unfinished(Box::new(error)))?;
    }
    let day = |((day, is_rest, group), users): ((i32, bool, String), UserSketch)| {
        Ok(UserDay {
            date: date(day.into())?,
            group,
            is_rest,
            users,
        })
    };
    days.into_iter().map(day).collect()
}

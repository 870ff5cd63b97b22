//! User sketches by day and dimensions.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use futures_util::TryStreamExt;
use postgres_connections::Failure;
use sketch::UserSketch;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::dictionary::{Texts, column};
use super::limits::BYTES;
use super::listing::text;
use crate::bounds::Taken;
use crate::stored::date;
use crate::{AggregateError, Batch, Bounds, UserDay, UserDimension, UserFilters, UserKey, UserQuery};

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

/// Users by day and group.
pub(super) async fn read(client: &Client, query: &UserQuery, limit: usize) -> Result<Vec<UserDay>, Failure> {
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
    let (from, to) = (column(from.as_yyyymmdd())?, column(to.as_yyyymmdd())?);
    let group = group_by.map_or("''::BYTEA", |dimension| match dimension {
        UserDimension::Application => {
            "(SELECT bytes FROM highwater_aggregates.string WHERE id = application)"
        }
        UserDimension::Channel => "(SELECT bytes FROM highwater_aggregates.string WHERE id = channel)",
        UserDimension::Version => "(SELECT bytes FROM highwater_aggregates.string WHERE id = version)",
        UserDimension::Os => "(SELECT bytes FROM highwater_aggregates.string WHERE id = os)",
    });
    let mut sql = format!(
        "SELECT submission_date, {group}, image FROM highwater_aggregates.users WHERE submission_date BETWEEN $1 AND $2"
    );
    let mut given: Vec<(&(dyn ToSql + Sync), Type)> = vec![(&from, Type::INT4), (&to, Type::INT4)];
    let wanted: Vec<(&str, &[u8])> = [
        ("application", application),
        ("channel", channel),
        ("version", version),
        ("os", os),
    ]
    .into_iter()
    .filter_map(|(name, wanted)| Some((name, wanted.as_ref()?.as_bytes())))
    .collect();
    for (name, bytes) in &wanted {
        given.push((bytes, Type::BYTEA));
        sql.push_str(&format!(
            " AND {name} = (SELECT id FROM highwater_aggregates.string WHERE sha256(bytes) = sha256(${}))",
            given.len()
        ));
    }
    let mut days: BTreeMap<(i32, String), UserSketch> = BTreeMap::new();
    let mut taken = Taken::new(Bounds {
        rows: limit,
        ..Bounds::NONE
    });
    let rows = client.query_typed_raw(&sql, given).await?;
    let mut rows = pin!(rows);
    while let Some(row) = rows.try_next().await? {
        let users = days.entry((row.try_get(0)?, text(&row, 1)?)).or_default();
        merge_image(users, row.try_get(2)?)?;
        let is_within = taken.note(days.len(), 0, 0);
        is_within.map_err(|error| Failure::Unfinished(Box::new(error)))?;
    }
    let day = |((day, group), users): ((i32, String), UserSketch)| {
        Ok(UserDay {
            date: date(day.into())?,
            group,
            users,
        })
    };
    days.into_iter().map(day).collect()
}

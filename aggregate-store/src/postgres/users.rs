//! User sketches by day and dimensions.

use std::collections::BTreeMap;
use std::pin::pin;

use futures_util::TryStreamExt;
use postgres_connections::Failure;
use sketch::UserSketch;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::conditions;
use super::dictionary;
use super::given::Given;
use super::ids::column;
use super::limits::BYTES;
use super::listing::text;
use crate::bounds::Taken;
use crate::stored::{self, date};
use crate::{AggregateError, Batch, Bounds, DimensionSet, Listed, UserDay, UserQuery};

/// What an image takes at most, about: so many of them are merged at a time.
const IMAGE_BYTES: usize = 4 << 10;

/// The kind of a union value that is a sketch of clients, the number of [`USER_DIMENSIONS`](crate::USER_DIMENSIONS) among the
/// lists of dimensions under which such are kept, and what stands for a metric where a value is of all pings.
macro_rules! clients {
    () => {
        "u.kind = 1 AND u.projection = 1 AND u.metric = 0"
    };
}
pub(super) use clients;

const READ: &str = concat!(
    "SELECT k.number, u.image FROM unnest($1) WITH ORDINALITY AS k (dimension_set, number) \
     JOIN highwater_aggregates.union_value u USING (dimension_set) WHERE ",
    clients!(),
    " FOR UPDATE OF u"
);
const WRITE: &str = "INSERT INTO highwater_aggregates.union_value (kind, projection, dimension_set, metric, image) \
     SELECT 1, 1, k.dimension_set, 0, k.image FROM unnest($1, $2) AS k (dimension_set, image) \
     ON CONFLICT (dimension_set, kind, projection, metric) DO UPDATE SET image = excluded.image";

/// Merges sketches into those stored, in the order of their sets.
pub(super) async fn write(client: &Client, batch: &Batch) -> Result<(), Failure> {
    let mut by_set: BTreeMap<&DimensionSet, Vec<&UserSketch>> = BTreeMap::new();
    for (set, users) in batch.users.iter().filter(|(_, users)| !users.is_empty()) {
        by_set.entry(set).or_default().push(users);
    }
    if by_set.is_empty() {
        return Ok(());
    }
    let sets: Vec<&DimensionSet> = by_set.keys().copied().collect();
    let ids = dictionary::set_ids(client, &sets).await?;
    let mut all = Vec::with_capacity(ids.len());
    for (set, users) in ids.iter().zip(by_set.into_values()) {
        all.push((column(set.id)?, users));
    }
    all.sort_by_key(|(set, _)| *set);
    for slice in all.chunks(BYTES / IMAGE_BYTES) {
        write_slice(client, slice).await?;
    }
    Ok(())
}

async fn write_slice(client: &Client, slice: &[(i32, Vec<&UserSketch>)]) -> Result<(), Failure> {
    let sets: Vec<i32> = slice.iter().map(|(set, _)| *set).collect();
    let sets: (&(dyn ToSql + Sync), Type) = (&sets, Type::INT4_ARRAY);
    let mut merged: Vec<UserSketch> = Vec::with_capacity(slice.len());
    for (_, added) in slice {
        let mut users = UserSketch::new();
        added.iter().for_each(|added| users.merge(added));
        merged.push(users);
    }
    for row in client.query_typed(READ, std::slice::from_ref(&sets)).await? {
        let number: i64 = row.try_get(0)?;
        let at = usize::try_from(number - 1).ok();
        let place = at.and_then(|at| merged.get_mut(at));
        let users =
            place.ok_or_else(|| Failure::of(format!("it answered for users {number} of {}", slice.len())))?;
        merge_image(users, row.try_get(1)?)?;
    }
    let images: Vec<Vec<u8>> = merged.iter().map(UserSketch::to_image).collect();
    client
        .execute_typed(WRITE, &[sets, (&images, Type::BYTEA_ARRAY)])
        .await?;
    Ok(())
}

fn merge_image(users: &mut UserSketch, image: &[u8]) -> Result<(), AggregateError> {
    let merged = users.merge_image(image);
    merged.map_err(|error| AggregateError::Damaged(error.to_string()))
}

/// The rows that are asked for, from `FROM` on.
fn rows_of(given: &mut Given, query: &UserQuery) -> Result<String, AggregateError> {
    let sets = conditions::of_sets(given, &query.source, &query.filters)?;
    let from = given.add(column(query.from.as_yyyymmdd())?, Type::INT4);
    let to = given.add(column(query.to.as_yyyymmdd())?, Type::INT4);
    Ok(format!(
        "FROM highwater_aggregates.dimension_set s \
         JOIN highwater_aggregates.union_value u ON u.dimension_set = s.id AND {} \
         WHERE {sets} AND s.submission_date BETWEEN {from} AND {to}",
        clients!()
    ))
}

/// The largest groups; of equal ones the first by name.
pub(super) async fn groups(
    client: &Client,
    query: &UserQuery,
    limit: usize,
) -> Result<Listed<String>, Failure> {
    let Some(dimension) = &query.group_by else {
        return Ok(Listed::default());
    };
    let mut given = Given::default();
    let group = conditions::value_or_unknown(&mut given, dimension.as_str());
    let rows = rows_of(&mut given, query)?;
    let limit = given.add(stored::limit(limit), Type::INT8);
    let sql = format!(
        "SELECT g.name, count(*) OVER () FROM (SELECT {group} AS name, octet_length(u.image) AS bytes {rows}) g \
         GROUP BY g.name ORDER BY sum(g.bytes) DESC, g.name LIMIT {limit}"
    );
    let rows = client.query_typed(&sql, &given.typed()).await?;
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
    let mut given = Given::default();
    let group = match &query.group_by {
        Some(dimension) => conditions::value_or_unknown(&mut given, dimension.as_str()),
        None => "''::BYTEA".to_owned(),
    };
    let rows = rows_of(&mut given, query)?;
    let sql = format!("SELECT s.submission_date, {group}, u.image {rows}");
    let mut days: BTreeMap<(i32, bool, String), UserSketch> = BTreeMap::new();
    let mut taken = Taken::new(Bounds {
        rows: limit,
        ..Bounds::NONE
    });
    let rows = client.query_typed_raw(&sql, given.typed()).await?;
    let mut rows = pin!(rows);
    while let Some(row) = rows.try_next().await? {
        let value = text(&row, 1)?;
        let (is_rest, group) = query.group_of(&value);
        let day = (row.try_get(0)?, is_rest, group.to_owned());
        merge_image(days.entry(day).or_default(), row.try_get(2)?)?;
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

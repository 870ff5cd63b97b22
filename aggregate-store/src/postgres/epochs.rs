//! The epochs in use, and the rules of sources that have their own.

use std::collections::BTreeMap;

use postgres_connections::Failure;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::ids::column;
use super::known::{Tables, tables};
use super::listing::{text, utf8};
use crate::stored::{stored, unstored};
use crate::{Batch, Epochs, Source};

/// The number stands in each row, also where no epoch is named.
macro_rules! epochs {
    ($($more:tt)*) => {
        concat!(
            "SELECT a.epochs_number, e.source, e.first_day, e.epoch",
            $($more)*,
            " FROM highwater_aggregates.about a LEFT JOIN highwater_aggregates.epoch e ON "
        )
    };
}
/// Of a source, and of all others.
macro_rules! of_one {
    () => {
        "sha256(e.source) = ANY (ARRAY[sha256($1), sha256(''::BYTEA)])"
    };
}

const ALL: &str = concat!(epochs!(""), "TRUE");
const OF_ONE: &str = concat!(epochs!(""), of_one!());
const OF_ONE_AND_TABLES: &str = concat!(epochs!(tables!()), of_one!());
const CLEAR: &str = "DELETE FROM highwater_aggregates.epoch";
const ADD: &str =
    "INSERT INTO highwater_aggregates.epoch (source, first_day, epoch) SELECT * FROM unnest($1, $2, $3)";
const PUT_NUMBER: &str = "UPDATE highwater_aggregates.about SET epochs_number = $1";
/// Whether the number is this one, and the rebuild, if there is one, under way.
const ARE_OF: &str = "SELECT a.epochs_number = $1 AND ($2::INTEGER IS NULL \
     OR EXISTS (SELECT FROM highwater_aggregates.rebuild r WHERE r.epoch = $2)) FROM highwater_aggregates.about a";
const RULES: &str = "SELECT source, rules FROM highwater_aggregates.source_rules";
const REMOVE_RULES: &str = "DELETE FROM highwater_aggregates.source_rules WHERE sha256(source) = sha256($1)";
const ADD_RULES: &str = "INSERT INTO highwater_aggregates.source_rules (source, rules) VALUES ($1, $2)";
/// Whether a source has rules, or was counted, or nobody can tell.
const IS_KNOWN: &str = "SELECT NOT a.counted_by_source \
     OR EXISTS (SELECT FROM highwater_aggregates.source_rules r WHERE sha256(r.source) = sha256($1)) \
     OR EXISTS (SELECT FROM highwater_aggregates.source s JOIN highwater_aggregates.count_by_day c ON c.source = s.id \
         WHERE sha256(s.name) = sha256($1)) FROM highwater_aggregates.about a";
const IS_COUNTED_BY_SOURCE: &str = "SELECT counted_by_source FROM highwater_aggregates.about";
const COUNT_BY_SOURCE: &str = "UPDATE highwater_aggregates.about SET counted_by_source = TRUE";

/// Those of all sources.
pub(super) async fn all(client: &Client) -> Result<Epochs, Failure> {
    read(&client.query_typed(ALL, &[]).await?)
}

/// The same, as far as they say anything of one source.
pub(super) async fn of(client: &Client, source: &Source) -> Result<Epochs, Failure> {
    let given: [(&(dyn ToSql + Sync), Type); 1] = [(&source.as_str().as_bytes(), Type::BYTEA)];
    read(&client.query_typed(OF_ONE, &given).await?)
}

/// Those of one source, and which tables say so.
pub(super) async fn of_and_tables(client: &Client, source: &Source) -> Result<(Epochs, Tables), Failure> {
    let given: [(&(dyn ToSql + Sync), Type); 1] = [(&source.as_str().as_bytes(), Type::BYTEA)];
    let rows = client.query_typed(OF_ONE_AND_TABLES, &given).await?;
    Ok((read(&rows)?, Tables::read(first(&rows)?, 4)?))
}

fn first(rows: &[Row]) -> Result<&Row, Failure> {
    rows.first()
        .ok_or_else(|| Failure::of("the number of their epochs is missing"))
}

fn read(rows: &[Row]) -> Result<Epochs, Failure> {
    let first = first(rows)?;
    let number = unstored(first.try_get(0)?)?;
    let mut stored = Vec::new();
    for row in rows {
        if let Some(source) = row.try_get::<_, Option<Vec<u8>>>(1)? {
            let (day, epoch): (i32, i32) = (row.try_get(2)?, row.try_get(3)?);
            stored.push((utf8(source)?, unstored(day.into())?, unstored(epoch.into())?));
        }
    }
    Ok(Epochs::stored(number, stored))
}

/// Puts these in the place of those in use.
pub(super) async fn write(client: &Client, epochs: &Epochs) -> Result<(), Failure> {
    client.execute_typed(CLEAR, &[]).await?;
    let rows = epochs.rows();
    let (mut sources, mut days, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    for (source, day, epoch) in &rows {
        sources.push(source.as_bytes());
        days.push(column(*day)?);
        numbers.push(column(*epoch)?);
    }
    let given: [(&(dyn ToSql + Sync), Type); 3] = [
        (&sources, Type::BYTEA_ARRAY),
        (&days, Type::INT4_ARRAY),
        (&numbers, Type::INT4_ARRAY),
    ];
    client.execute_typed(ADD, &given).await?;
    write_number(client, epochs.number).await
}

async fn write_number(client: &Client, number: u64) -> Result<(), Failure> {
    let given: [(&(dyn ToSql + Sync), Type); 1] = [(&stored(number)?, Type::INT8)];
    client.execute_typed(PUT_NUMBER, &given).await?;
    Ok(())
}

/// Whether a batch was folded under the epochs in use, and for a rebuild that is under way, if for any.
pub(super) async fn are_of(client: &Client, batch: &Batch) -> Result<bool, Failure> {
    let rebuild = batch.rebuild.map(column).transpose()?;
    let given: [(&(dyn ToSql + Sync), Type); 2] =
        [(&stored(batch.epochs)?, Type::INT8), (&rebuild, Type::INT4)];
    Ok(client.query_typed_one(ARE_OF, &given).await?.try_get(0)?)
}

/// The rules of sources that have their own.
pub(super) async fn source_rules(client: &Client) -> Result<BTreeMap<String, String>, Failure> {
    let rows = client.query_typed(RULES, &[]).await?;
    rows.iter()
        .map(|row| Ok((text(row, 0)?, text(row, 1)?)))
        .collect()
}

/// Puts rules of a source in the place of those it had; none take them away.
pub(super) async fn write_rules(client: &Client, source: &str, rules: Option<&str>) -> Result<(), Failure> {
    let source: (&(dyn ToSql + Sync), Type) = (&source.as_bytes(), Type::BYTEA);
    client
        .execute_typed(REMOVE_RULES, std::slice::from_ref(&source))
        .await?;
    if let Some(rules) = rules {
        let rules = (&rules.as_bytes() as &(dyn ToSql + Sync), Type::BYTEA);
        client.execute_typed(ADD_RULES, &[source, rules]).await?;
    }
    Ok(())
}

/// Gives a source its first rules, if nothing of it was counted.
pub(super) async fn adopt_rules(client: &Client, source: &Source, rules: &str) -> Result<bool, Failure> {
    let given: [(&(dyn ToSql + Sync), Type); 1] = [(&source.as_str().as_bytes(), Type::BYTEA)];
    if client.query_typed_one(IS_KNOWN, &given).await?.try_get(0)? {
        return Ok(false);
    }
    write_rules(client, source.as_str(), Some(rules)).await?;
    let epochs = of(client, source).await?;
    write_number(client, epochs.number + 1).await?;
    Ok(true)
}

/// Whether all that is counted is counted by source, too.
pub(super) async fn are_counted_by_source(client: &Client) -> Result<bool, Failure> {
    let row = client.query_typed_one(IS_COUNTED_BY_SOURCE, &[]).await?;
    Ok(row.try_get(0)?)
}

/// From now on it is.
pub(super) async fn count_by_source(client: &Client) -> Result<(), Failure> {
    client.execute_typed(COUNT_BY_SOURCE, &[]).await?;
    Ok(())
}

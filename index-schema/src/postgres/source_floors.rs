//! Floors of sources: how they are raised and lowered, each inside a transaction of the caller.

use std::collections::{BTreeMap, BTreeSet};

use ping::SubmissionDate;
use postgres_connections::{ClientWrapper, Failure, Transaction};

use super::floors::{all_floors, day, floor_text};
use super::retain_work::stop_waiting_below;
use super::{retain_sql as sql, row};
use crate::source_floor::key_parts;
use crate::{RaisedSources, SOURCE_FLOORS_MAX, SeenSources, SourceFloor, SourceFloors, StoredDay};

/// Raises floors, if nothing goes of a day that was not seen; what waits below them stops waiting.
pub(super) async fn raise(
    transaction: &Transaction<'_>,
    to: &SourceFloors,
    seen: Option<&SeenSources>,
) -> Result<RaisedSources, Failure> {
    let before = all_floors(transaction).await?.sources;
    let raised = before.raised(to);
    if raised.len() > SOURCE_FLOORS_MAX {
        return Ok(RaisedSources::TooMany);
    }
    if let Some(seen) = seen {
        for (source, floor) in raised.iter() {
            if let Some(day) = unseen(transaction, source, [before.get(source), *floor], seen).await? {
                return Ok(RaisedSources::Unseen(source.to_owned(), day));
            }
        }
    }
    for (source, floor) in raised.iter() {
        let old = before.get(source);
        if let Some(chunks) = old.chunks.filter(|_| old.chunks != floor.chunks) {
            let [name, kind] = key_parts(source);
            let week = chunks.plus_days(-7).to_string();
            transaction
                .execute(sql::FORGET_REMOVED_OF_SOURCE, &[&week, &name, &kind])
                .await?;
        }
        set(transaction, source, floor).await?;
    }
    stop_waiting_below(transaction).await?;
    Ok(RaisedSources::To(raised))
}

/// A day of chunks of a source that would go, and that was not seen.
async fn unseen(
    transaction: &Transaction<'_>,
    source: &str,
    [before, now]: [SourceFloor; 2],
    seen: &SeenSources,
) -> Result<Option<SubmissionDate>, Failure> {
    if before.chunks == now.chunks {
        return Ok(None);
    }
    let nothing = BTreeSet::new();
    let seen = seen.get(source).unwrap_or(&nothing);
    let (name, kind) = named(source);
    let (from, to) = (floor_text(before.chunks), floor_text(now.chunks));
    let days = transaction
        .query(sql::SOURCE_DAYS_BETWEEN, &[&name, &kind, &from, &to])
        .await?;
    for row in days {
        let day = day(row.try_get(0)?)?;
        if !seen.contains(&day) {
            return Ok(Some(day));
        }
    }
    Ok(None)
}

/// Lowers floors to a day; whether there are chunks in the index that one of them kept from being folded.
pub(super) async fn lower(transaction: &Transaction<'_>, to: SubmissionDate) -> Result<bool, Failure> {
    let mut may_be_missing = false;
    for (source, before) in all_floors(transaction).await?.sources.iter() {
        let now = before.lowered(to);
        set(transaction, source, &now).await?;
        let (name, kind) = named(source);
        let chunks = [before.chunks, now.chunks].map(floor_text);
        let aggregates = [before.aggregates, now.aggregates].map(floor_text);
        let found = transaction
            .query_one(
                sql::SOURCE_CHUNKS_BETWEEN,
                &[
                    &name,
                    &kind,
                    &chunks[0],
                    &chunks[1],
                    &aggregates[0],
                    &aggregates[1],
                ],
            )
            .await?;
        may_be_missing |= found.try_get::<_, bool>(0)?;
    }
    Ok(may_be_missing)
}

async fn set(transaction: &Transaction<'_>, source: &str, floor: &SourceFloor) -> Result<(), Failure> {
    let (namespace, document_type) = named(source);
    let [name_part, type_part] = key_parts(source);
    let (chunks, aggregates) = (floor_text(floor.chunks), floor_text(floor.aggregates));
    transaction
        .execute(
            sql::SET_SOURCE_FLOOR,
            &[
                &namespace,
                &document_type,
                &chunks,
                &aggregates,
                &name_part,
                &type_part,
            ],
        )
        .await?;
    Ok(())
}

/// What chunks of these sources take by day.
pub(super) async fn days(
    client: &ClientWrapper,
    sources: &[String],
) -> Result<BTreeMap<String, Vec<StoredDay>>, Failure> {
    let mut by_source: BTreeMap<String, Vec<StoredDay>> = sources
        .iter()
        .map(|source| (source.clone(), Vec::new()))
        .collect();
    let (names, kinds): (Vec<&str>, Vec<&str>) = by_source.keys().map(|source| named(source)).unzip();
    let rows = client.query(sql::DAYS_OF_SOURCES, &[&names, &kinds]).await?;
    for row in &rows {
        let [namespace, document_type]: [&str; 2] = [row.try_get(0)?, row.try_get(1)?];
        let days = by_source
            .entry(format!("{namespace}/{document_type}"))
            .or_default();
        days.push(StoredDay {
            date: day(row.try_get(2)?)?,
            chunks: row::count(row, 3)?,
            records: row::count(row, 4)?,
            stored_bytes: row::count(row, 5)?,
        });
    }
    Ok(by_source)
}

fn named(source: &str) -> (&str, &str) {
    source.split_once('/').unwrap_or((source, ""))
}

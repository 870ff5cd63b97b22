//! Floors of sources: how they are raised and lowered, each inside a transaction of the caller.

use std::collections::{BTreeMap, BTreeSet};

use ping::SubmissionDate;
use rusqlite::{Connection, Result, Transaction, params};

use super::floors::{date, source_floors, text};
use super::retain_work::stop_waiting_below;
use super::{retain_sql as sql, row};
use crate::source_floor::key_parts;
use crate::{RaisedSources, SOURCE_FLOORS_MAX, SeenSources, SourceFloor, SourceFloors, StoredDay};

/// Raises floors, if nothing goes of a day that was not seen; what waits below them stops waiting.
pub(super) fn raise(
    transaction: &Transaction<'_>,
    to: &SourceFloors,
    seen: Option<&SeenSources>,
) -> Result<RaisedSources> {
    let before = source_floors(transaction)?;
    let raised = before.raised(to);
    if raised.len() > SOURCE_FLOORS_MAX {
        return Ok(RaisedSources::TooMany);
    }
    if let Some(seen) = seen {
        for (source, floor) in raised.iter() {
            if let Some(day) = unseen(transaction, source, [before.get(source), *floor], seen)? {
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
                .prepare_cached(sql::FORGET_REMOVED_OF_SOURCE)?
                .execute([week, name, kind])?;
        }
        set(transaction, source, floor)?;
    }
    stop_waiting_below(transaction)?;
    Ok(RaisedSources::To(raised))
}

/// A day of chunks of a source that would go, and that was not seen.
fn unseen(
    transaction: &Transaction<'_>,
    source: &str,
    [before, now]: [SourceFloor; 2],
    seen: &SeenSources,
) -> Result<Option<SubmissionDate>> {
    if before.chunks == now.chunks {
        return Ok(None);
    }
    let nothing = BTreeSet::new();
    let seen = seen.get(source).unwrap_or(&nothing);
    let (name, kind) = named(source);
    let mut days = transaction.prepare_cached(sql::SOURCE_DAYS_BETWEEN)?;
    let mut days = days.query(params![name, kind, text(before.chunks), text(now.chunks)])?;
    while let Some(row) = days.next()? {
        let day = date(0, &row.get::<_, String>(0)?)?;
        if !seen.contains(&day) {
            return Ok(Some(day));
        }
    }
    Ok(None)
}

/// Lowers floors to a day; whether there are chunks in the index that one of them kept from being folded.
pub(super) fn lower(transaction: &Transaction<'_>, to: SubmissionDate) -> Result<bool> {
    let mut may_be_missing = false;
    for (source, before) in source_floors(transaction)?.iter() {
        let now = before.lowered(to);
        set(transaction, source, &now)?;
        let (name, kind) = named(source);
        may_be_missing |= transaction
            .prepare_cached(sql::SOURCE_CHUNKS_BETWEEN)?
            .exists(params![
                name,
                kind,
                text(before.chunks),
                text(now.chunks),
                text(before.aggregates),
                text(now.aggregates)
            ])?;
    }
    Ok(may_be_missing)
}

fn set(transaction: &Transaction<'_>, source: &str, floor: &SourceFloor) -> Result<()> {
    let (namespace, document_type) = named(source);
    let [name_part, type_part] = key_parts(source);
    transaction
        .prepare_cached(sql::SET_SOURCE_FLOOR)?
        .execute(params![
            namespace,
            document_type,
            text(floor.chunks),
            text(floor.aggregates),
            name_part,
            type_part
        ])?;
    Ok(())
}

/// What chunks of these sources take by day.
pub(super) fn days(connection: &Connection, sources: &[String]) -> Result<BTreeMap<String, Vec<StoredDay>>> {
    let mut by_source: BTreeMap<String, Vec<StoredDay>> = sources
        .iter()
        .map(|source| (source.clone(), Vec::new()))
        .collect();
    let mut statement = connection.prepare_cached(sql::DAYS_BY_SOURCE)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let source = format!("{}/{}", row.get::<_, String>(0)?, row.get::<_, String>(1)?);
        if let Some(days) = by_source.get_mut(&source) {
            days.push(StoredDay {
                date: date(2, &row.get::<_, String>(2)?)?,
                chunks: row::count(row, 3)?,
                records: row::count(row, 4)?,
                stored_bytes: row::count(row, 5)?,
            });
        }
    }
    Ok(by_source)
}

fn named(source: &str) -> (&str, &str) {
    source.split_once('/').unwrap_or((source, ""))
}

//! What takes several statements, each inside a transaction that the caller opened.

use ping::{ChunkId, Dimension};
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension, ToSql, Transaction, params, params_from_iter};

use super::floors::all_floors;
use super::path::Path;
use super::{retain_work, row, sql};
use crate::door::FAILURES_MAX;
use crate::paging::Paging;
use crate::select::{self, Mark, Page, Query, Value};
use crate::{IndexEntry, Inserted, Selection};

/// Inserts entries, each with its pending row and its share of the sums.
pub(super) fn insert(transaction: &Transaction<'_>, entries: &[IndexEntry]) -> rusqlite::Result<Inserted> {
    let mut inserted = Inserted::default();
    let floors_of_all = all_floors(transaction)?;
    for entry in entries {
        let floors = floors_of_all.of(&entry.partition);
        transaction
            .prepare_cached(sql::FORGET_UNREADABLE)?
            .execute([&entry.key])?;
        if retain_work::refuses(transaction, &floors, entry)? {
            inserted.refused += 1;
            continue;
        }
        if !row::insert(transaction, entry)? {
            let is_back = retain_work::bring_back(transaction, &floors, entry)?;
            inserted.added += u64::from(is_back);
            inserted.known += u64::from(!is_back);
            continue;
        }
        inserted.added += 1;
        let [name, doc_type, app] = [Dimension::SourceName, Dimension::DocType, Dimension::AppName]
            .map(|dimension| entry.partition.get(dimension));
        retain_work::make_pending(transaction, &floors, entry)?;
        transaction.prepare_cached(sql::ADD_TO_TOTALS)?.execute(params![
            1,
            row::integer(entry.records)?,
            row::integer(entry.stored_bytes)?,
            row::integer(entry.received_bytes)?
        ])?;
        let records = row::integer(entry.records)?;
        retain_work::add_to_product(transaction, records, [name, doc_type, app])?;
    }
    Ok(inserted)
}

/// Puts a pending row back for every chunk; answers how many there are.
pub(super) fn make_all_pending(transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
    transaction.execute(sql::FORGET_FAILURES, [])?;
    transaction.execute(sql::FORGET_SET_ASIDE, [])?;
    transaction.execute(sql::MAKE_ALL_PENDING, [])?;
    retain_work::count_unfolded_anew(transaction)?;
    transaction.query_row(sql::COUNT_PENDING, [], |row| row::count(row, 0))
}

/// Puts a pending row back for these chunks; answers for how many of them.
pub(super) fn make_pending(transaction: &Transaction<'_>, chunks: &[ChunkId]) -> rusqlite::Result<u64> {
    let mut pending = 0;
    for chunk in chunks {
        let id = chunk.to_string();
        transaction
            .prepare_cached(sql::FORGET_FAILURES_OF)?
            .execute([&id])?;
        transaction
            .prepare_cached(sql::SETTLE_SET_ASIDE)?
            .execute([&id])?;
        transaction.prepare_cached(sql::MAKE_PENDING)?.execute([&id])?;
        pending += u64::from(transaction.prepare_cached(sql::IS_PENDING)?.exists([&id])?);
    }
    Ok(pending)
}

/// Notes a failure; sets the chunk aside when it is one too many.
pub(super) fn fail(transaction: &Transaction<'_>, id: &str, reason: &str) -> rusqlite::Result<u32> {
    let failures: Option<u32> = transaction
        .prepare_cached(sql::FAIL)?
        .query_row([reason, id], |row| row.get(0))
        .optional()?;
    let Some(failures) = failures else {
        let before = transaction
            .prepare_cached(sql::FAILURES_SET_ASIDE)?
            .query_row([id], |row| row.get(0))
            .optional()?;
        return Ok(before.unwrap_or(0));
    };
    if failures >= FAILURES_MAX {
        transaction.prepare_cached(sql::SET_ASIDE)?.execute([id])?;
        transaction.prepare_cached(sql::SETTLE_PENDING)?.execute([id])?;
    }
    Ok(failures)
}

/// Runs the SQL of a selection until `limit` of the rows it finds can match, or there are no more.
pub(super) fn select(
    connection: &Connection,
    selection: &Selection,
    after: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Vec<IndexEntry>> {
    let mut paging = Paging::new(selection, after, limit);
    while let Some(page) = paging.next() {
        let rows = run(connection, selection, page)?;
        paging.take(rows);
    }
    Ok(paging.answer())
}

fn run(connection: &Connection, selection: &Selection, page: Page<'_>) -> rusqlite::Result<Vec<IndexEntry>> {
    let query = query(selection, page);
    let mut statement = connection.prepare_cached(&query.text)?;
    let rows = statement.query_map(params_from_iter(query.values), row::read)?;
    rows.collect()
}

fn query(selection: &Selection, page: Page<'_>) -> Query {
    let Path { hint, selection } = Path::of(selection);
    let head = [sql::SELECT, hint, sql::SELECT_WHERE].concat();
    select::query(Mark::Question, &head, &selection, page)
}

/// The plan of a selection's first page.
pub(super) fn explain(
    connection: &Connection,
    selection: &Selection,
    limit: usize,
) -> rusqlite::Result<String> {
    let query = query(selection, Page::first(limit));
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", query.text))?;
    let lines = statement.query_map(params_from_iter(query.values), |row| row.get::<_, String>(3))?;
    Ok(lines.collect::<rusqlite::Result<Vec<_>>>()?.join("\n"))
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Text(text) => text.to_sql(),
            Self::Number(number) => number.to_sql(),
        }
    }
}

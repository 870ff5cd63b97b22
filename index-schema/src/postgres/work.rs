//! What takes several statements, each inside a transaction that the caller opened.

use std::pin::pin;

use futures_util::TryStreamExt;
use ping::ChunkId;
use postgres_connections::{ClientWrapper, Failure, Transaction};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, RowStream};

use super::row::{self, text};
use super::{retain_work, sql};
use crate::door::FAILURES_MAX;
use crate::paging::Paging;
use crate::select::{self, Mark, Page, Query, Value};
use crate::stored::COLUMNS;
use crate::{
    ChunkKey, IndexEntry, IndexTotals, PendingChunk, ProductCount, ProductList, Selection, SetAside,
};

/// Ids as the database has them.
pub(super) fn texts(chunks: &[ChunkId]) -> Vec<String> {
    chunks.iter().map(ChunkId::to_string).collect()
}

/// Which objects have entries.
pub(super) async fn contains(client: &ClientWrapper, keys: &[String]) -> Result<Vec<bool>, Failure> {
    let (days, keys) = retain_work::days_and_keys(keys);
    let statement = client.prepare_cached(sql::CONTAINS).await?;
    let rows = client.query(&statement, &[&keys, &days]).await?;
    let known: Result<_, _> = rows.iter().map(|row| row.try_get(0)).collect();
    Ok(known?)
}

/// What waits to be folded.
pub(super) async fn pending(client: &ClientWrapper, limit: i64) -> Result<Vec<PendingChunk>, Failure> {
    let statement = client.prepare_cached(sql::PENDING).await?;
    let rows = client.query(&statement, &[&limit]).await?;
    let read = |row: &Row| -> Result<_, Failure> {
        Ok(PendingChunk {
            entry: row::read(row)?,
            failures: failures(row, COLUMNS)?,
        })
    };
    rows.iter().map(read).collect()
}

/// An entry by its chunk.
pub(super) async fn entry(client: &ClientWrapper, id: &str) -> Result<Option<IndexEntry>, Failure> {
    let statement = client.prepare_cached(sql::ENTRY).await?;
    let row = client.query_opt(&statement, &[&id]).await?;
    row.as_ref().map(row::read).transpose()
}

/// What is set aside, and why.
pub(super) async fn list_set_aside(client: &ClientWrapper) -> Result<Vec<SetAside>, Failure> {
    let rows = client.query(sql::LIST_SET_ASIDE, &[]).await?;
    let read = |row: &Row| -> Result<_, Failure> {
        Ok(SetAside {
            key: row.try_get(0)?,
            reason: row.try_get(1)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Records by product.
pub(super) async fn products(client: &ClientWrapper, limit: usize) -> Result<ProductList, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = client.query(sql::PRODUCTS, &[&limit]).await?;
    let mut found = ProductList::default();
    for row in &rows {
        found.products.push(ProductCount {
            namespace: row.try_get(0)?,
            doc_type: row.try_get(1)?,
            app_name: row.try_get(2)?,
            records: row::count(row, 3)?,
        });
        found.left_out = row::count(row, 4)?.saturating_sub(found.products.len() as u64);
    }
    Ok(found)
}

/// Notes an object that cannot be read; whether that is new.
pub(super) async fn note_unreadable(
    transaction: &Transaction<'_>,
    key: &str,
    reason: &str,
) -> Result<bool, Failure> {
    let date = ChunkKey::parse(key).ok().map(|_| row::day_of_key(key));
    let statement = transaction.prepare_cached(sql::NOTE_UNREADABLE).await?;
    let changed = transaction
        .execute(&statement, &[&text(key), &date, &text(reason)])
        .await?;
    Ok(changed > 0)
}

/// Removes pending rows of folded chunks.
pub(super) async fn settle(transaction: &Transaction<'_>, ids: &[String]) -> Result<(), Failure> {
    for statement in [sql::SETTLE_PENDING, sql::SETTLE_SET_ASIDE] {
        let statement = transaction.prepare_cached(statement).await?;
        transaction.execute(&statement, &[&ids]).await?;
    }
    Ok(())
}

/// Puts a pending row back for every chunk; answers how many there are.
pub(super) async fn make_all_pending(transaction: &Transaction<'_>) -> Result<u64, Failure> {
    transaction.execute(sql::FORGET_FAILURES, &[]).await?;
    transaction.execute(sql::FORGET_SET_ASIDE, &[]).await?;
    transaction.execute(sql::MAKE_ALL_PENDING, &[]).await?;
    retain_work::count_unfolded_anew(transaction).await?;
    row::count(&transaction.query_one(sql::COUNT_PENDING, &[]).await?, 0)
}

/// Puts a pending row back for these chunks; answers for how many of them.
pub(super) async fn make_pending(transaction: &Transaction<'_>, ids: &[String]) -> Result<u64, Failure> {
    transaction.execute(sql::FORGET_FAILURES_OF, &[&ids]).await?;
    transaction.execute(sql::SETTLE_SET_ASIDE, &[&ids]).await?;
    transaction.execute(sql::MAKE_PENDING, &[&ids]).await?;
    row::count(&transaction.query_one(sql::COUNT_PENDING_OF, &[&ids]).await?, 0)
}

/// Notes a failure; sets the chunk aside when it is one too many.
pub(super) async fn fail(transaction: &Transaction<'_>, id: &str, reason: &str) -> Result<u32, Failure> {
    let failed = transaction.query_opt(sql::FAIL, &[&text(reason), &id]).await?;
    let Some(failed) = failed else {
        let before = transaction.query_opt(sql::FAILURES_SET_ASIDE, &[&id]).await?;
        return before.map_or(Ok(0), |row| failures(&row, 0));
    };
    let failures = failures(&failed, 0)?;
    if failures >= FAILURES_MAX {
        transaction.execute(sql::SET_ASIDE, &[&id]).await?;
        transaction
            .execute(sql::SETTLE_PENDING, &[&[id].as_slice()])
            .await?;
    }
    Ok(failures)
}

/// Reads how often a chunk failed.
pub(super) fn failures(row: &Row, column: usize) -> Result<u32, Failure> {
    let failures: i32 = row.try_get(column)?;
    Ok(u32::try_from(failures).unwrap_or(0))
}

/// Runs the SQL of a selection until `limit` of the rows it finds can match, or there are no more. It is planned anew
/// each time, with its values, for a day or a version tells more about the plan than the shape of the question.
pub(super) async fn select(
    client: &ClientWrapper,
    selection: &Selection,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<IndexEntry>, Failure> {
    let mut paging = Paging::new(selection, after, limit);
    while let Some(page) = paging.next() {
        let rows = entries(client, selection, page).await?;
        paging.take(rows);
    }
    Ok(paging.answer())
}

async fn entries(
    client: &ClientWrapper,
    selection: &Selection,
    page: Page<'_>,
) -> Result<Vec<IndexEntry>, Failure> {
    let query = select::query(Mark::Dollar, sql::SELECT, selection, page);
    let mut rows = pin!(run(client, query).await?);
    let mut entries = Vec::new();
    // Each is read while the server finds the next ones.
    while let Some(row) = rows.try_next().await? {
        entries.push(row::read(&row)?);
    }
    Ok(entries)
}

/// The plan of a selection's first page.
pub(super) async fn explain(
    client: &ClientWrapper,
    selection: &Selection,
    limit: usize,
) -> Result<String, Failure> {
    let mut query = select::query(Mark::Dollar, sql::SELECT, selection, Page::first(limit));
    query.text.insert_str(0, "EXPLAIN (ANALYZE, BUFFERS) ");
    let rows: Vec<Row> = run(client, query).await?.try_collect().await?;
    let lines: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
    Ok(lines?.join("\n"))
}

/// Runs a selection. A value with a NUL lies in no column as it is, but as one that every selection finds.
async fn run(client: &ClientWrapper, query: Query) -> Result<RowStream, Failure> {
    let values: Vec<Value> = query.values.into_iter().map(holdable).collect();
    Ok(client
        .query_typed_raw(&query.text, values.iter().map(bind))
        .await?)
}

fn holdable(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(row::text(&text).into_owned()),
        number @ Value::Number(_) => number,
    }
}

fn bind(value: &Value) -> (&(dyn ToSql + Sync), Type) {
    match value {
        Value::Text(text) => (text, Type::TEXT),
        Value::Number(number) => (number, Type::INT8),
    }
}

/// Reads the sums over the whole index.
pub(super) async fn totals(client: &ClientWrapper) -> Result<IndexTotals, Failure> {
    let statement = client.prepare_cached(sql::TOTALS).await?;
    let row = client.query_one(&statement, &[]).await?;
    let count = |column| row::count(&row, column);
    Ok(IndexTotals {
        chunks: count(0)?,
        records: count(1)?,
        stored_bytes: count(2)?,
        received_bytes: count(3)?,
        pending_chunks: count(4)?,
        set_aside: count(5)?,
        removed_chunks: count(6)?,
        removed_records: count(7)?,
        removed_stored_bytes: count(8)?,
        refused_chunks: count(9)?,
        refused_records: count(10)?,
        unfolded_records: count(11)?,
        rebuild_wanted: row.try_get(12)?,
    })
}

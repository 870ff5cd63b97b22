//! What takes several statements, each inside a transaction that the caller opened.

use deadpool_postgres::{ClientWrapper, Transaction};
use ping::ChunkId;
use tokio_postgres::types::{ToSql, Type};

use super::failure::Failure;
use super::row::{self, text};
use super::{retain_work, sql};
use crate::door::FAILURES_MAX;
use crate::select::{self, Value};
use crate::{IndexEntry, IndexTotals, Selection};

/// Ids as the database has them.
pub(super) fn texts(chunks: &[ChunkId]) -> Vec<String> {
    chunks.iter().map(ChunkId::to_string).collect()
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
pub(super) fn failures(row: &tokio_postgres::Row, column: usize) -> Result<u32, Failure> {
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
    let mut found = Vec::new();
    let mut after = after.map(str::to_owned);
    while found.len() < limit {
        let asked = limit - found.len();
        let query = select::query(sql::SELECT, selection, after.as_deref(), asked);
        let values: Vec<_> = query.values.iter().map(bind).collect();
        let rows = client.query_typed(&query.text, &values).await?;
        let rows = rows.iter().map(row::read).collect::<Result<Vec<_>, _>>()?;
        let is_last = rows.len() < asked;
        after = rows.last().map(|entry| entry.key.clone());
        found.extend(rows.into_iter().filter(|entry| selection.can_match(entry)));
        if is_last {
            break;
        }
    }
    Ok(found)
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

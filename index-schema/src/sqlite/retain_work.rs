//! What takes several statements about floors, tombstones and deletion, each inside a transaction of the caller.

use ping::{Dimension, SubmissionDate, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Result, Row, Transaction, params};

use super::{retain_sql as sql, row, sql as base};
use crate::select::kind_number;
use crate::{ChunkKey, ChunkKind, Expired, Floors, Forgotten, IndexEntry, StoredDay};

/// The floors now.
pub(super) fn floors(connection: &Connection) -> Result<Floors> {
    connection.prepare_cached(sql::FLOORS)?.query_row([], |row| {
        let floor = |column| date_or_none(column, &row.get::<_, String>(column)?);
        Ok(Floors {
            pings: floor(0)?,
            errors: floor(1)?,
            aggregates: floor(2)?,
        })
    })
}

fn date_or_none(column: usize, text: &str) -> Result<Option<SubmissionDate>> {
    if text.is_empty() {
        return Ok(None);
    }
    let date = text
        .parse()
        .map_err(|error| Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))?;
    Ok(Some(date))
}

/// Raises floors; what waits below them stops waiting.
pub(super) fn raise(transaction: &Transaction<'_>, to: &Floors) -> Result<Floors> {
    let raised = floors(transaction)?.raised(to);
    let text = |date: Option<SubmissionDate>| date.map(|date| date.to_string()).unwrap_or_default();
    transaction.prepare_cached(sql::SET_FLOORS)?.execute(params![
        text(raised.pings),
        text(raised.errors),
        text(raised.aggregates)
    ])?;
    let waiting = {
        let mut statement = transaction.prepare_cached(sql::WAITING_BELOW)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<Result<Vec<(String, i64)>>>()?
    };
    for (id, records) in waiting {
        stop_waiting(transaction, &id, records)?;
    }
    transaction.execute(sql::TOMBSTONES_BELOW, [])?;
    Ok(raised)
}

/// A chunk that is never folded.
fn stop_waiting(transaction: &Transaction<'_>, id: &str, records: i64) -> Result<()> {
    transaction.prepare_cached(base::SETTLE_PENDING)?.execute([id])?;
    transaction
        .prepare_cached(base::SETTLE_SET_ASIDE)?
        .execute([id])?;
    transaction
        .prepare_cached(sql::ADD_UNFOLDED)?
        .execute([records])?;
    Ok(())
}

/// The day that a chunk's key names.
fn day_of(entry: &IndexEntry) -> SubmissionDate {
    let date = entry.partition.get(Dimension::SubmissionDate).parse();
    date.unwrap_or_else(|_| entry.submission_date())
}

/// Whether an entry may not be inserted; below the floor that is counted once for its key.
pub(super) fn refuses(transaction: &Transaction<'_>, floors: &Floors, entry: &IndexEntry) -> Result<bool> {
    if !floors.admit(entry.kind, day_of(entry)) {
        let records = row::integer(entry.records)?;
        let date = entry.partition.get(Dimension::SubmissionDate);
        let known = transaction.prepare_cached(base::HAS_ROW)?.exists([&entry.key])?;
        let mut refuse = transaction.prepare_cached(sql::REFUSE)?;
        if !known && refuse.execute(params![entry.key, date, records])? == 1 {
            transaction.prepare_cached(sql::ADD_REFUSED)?.execute([records])?;
        }
        return Ok(true);
    }
    transaction
        .prepare_cached(sql::IS_FORGOTTEN)?
        .exists(params![entry.key, entry.id.to_string()])
}

/// Gives an entry its pending row; one that may not be folded counts as unfolded instead.
pub(super) fn make_pending(transaction: &Transaction<'_>, floors: &Floors, entry: &IndexEntry) -> Result<()> {
    let date = entry.partition.get(Dimension::SubmissionDate);
    if floors.fold(entry.kind, day_of(entry)) {
        let mut insert = transaction.prepare_cached(base::INSERT_PENDING)?;
        insert.execute(params![entry.id.to_string(), date])?;
    } else {
        let mut add = transaction.prepare_cached(sql::ADD_UNFOLDED)?;
        add.execute([row::integer(entry.records)?])?;
    }
    Ok(())
}

/// An entry that is there: if its object was gone it is back, and is folded as if it were new.
pub(super) fn bring_back(transaction: &Transaction<'_>, floors: &Floors, entry: &IndexEntry) -> Result<bool> {
    let mut back = transaction.prepare_cached(sql::BRING_BACK)?;
    if back.execute(params![entry.key, entry.id.to_string()])? == 0 {
        return Ok(false);
    }
    let records = row::integer(entry.records)?;
    transaction
        .prepare_cached(sql::ADD_UNFOLDED)?
        .execute([-records])?;
    make_pending(transaction, floors, entry)?;
    Ok(true)
}

/// Clears what was set aside or unreadable and is gone.
pub(super) fn clear_gone(transaction: &Transaction<'_>, keys: &[String]) -> Result<u64> {
    let mut cleared = 0;
    for key in keys {
        let unreadable = transaction
            .prepare_cached(base::FORGET_UNREADABLE)?
            .execute([key])?;
        let gone = transaction
            .prepare_cached(sql::MARK_GONE)?
            .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((id, records)) = &gone {
            let id: &String = id;
            stop_waiting(transaction, id, *records)?;
        }
        cleared += u64::from(unreadable > 0) + u64::from(gone.is_some());
    }
    Ok(cleared)
}

/// The aggregates in use were folded from what is indexed now: all else is not in them.
pub(super) fn count_unfolded_anew(transaction: &Transaction<'_>) -> Result<()> {
    transaction.execute(sql::COUNT_UNFOLDED_ANEW, [])?;
    Ok(())
}

/// What chunks of one kind take by day.
pub(super) fn days(connection: &Connection, kind: ChunkKind) -> Result<Vec<StoredDay>> {
    let mut statement = connection.prepare_cached(sql::DAYS)?;
    let rows = statement.query_map([kind_number(kind)], |row| {
        let date: String = row.get(0)?;
        let date = date
            .parse()
            .map_err(|error| Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))?;
        Ok(StoredDay {
            date,
            chunks: row::count(row, 1)?,
            records: row::count(row, 2)?,
            stored_bytes: row::count(row, 3)?,
        })
    })?;
    rows.collect()
}

/// What is to be deleted.
pub(super) fn expired(connection: &Connection, limit: i64) -> Result<Vec<Expired>> {
    let mut statement = connection.prepare_cached(sql::EXPIRED)?;
    let read = |row: &Row<'_>| {
        Ok(Expired {
            key: row.get(0)?,
            records: row::count(row, 1)?,
            stored_bytes: row::count(row, 2)?,
        })
    };
    statement.query_map([limit], read)?.collect()
}

/// Removes the rows of deleted objects.
pub(super) fn remove(transaction: &Transaction<'_>, keys: &[String]) -> Result<()> {
    for key in keys {
        let removed: Option<(String, [i64; 3])> = transaction
            .prepare_cached(sql::REMOVE_CHUNK)?
            .query_row([key], |row| {
                Ok((row.get(0)?, [row.get(1)?, row.get(2)?, row.get(3)?]))
            })
            .optional()?;
        if let Some((id, sums)) = removed {
            transaction.prepare_cached(base::SETTLE_PENDING)?.execute([&id])?;
            transaction
                .prepare_cached(base::SETTLE_SET_ASIDE)?
                .execute([&id])?;
            transaction.prepare_cached(sql::ADD_REMOVED)?.execute(sums)?;
        }
        transaction
            .prepare_cached(sql::REMOVE_UNREADABLE)?
            .execute([key])?;
        transaction.prepare_cached(sql::TOMBSTONE_DONE)?.execute([key])?;
    }
    transaction.execute(sql::TOMBSTONES_BELOW, [])?;
    Ok(())
}

/// Puts up a tombstone; what waits to be folded stops waiting.
pub(super) fn forget(
    transaction: &Transaction<'_>,
    key: &ChunkKey,
    why: &str,
    now: Timestamp,
) -> Result<Forgotten> {
    let (text, id) = (key.to_string(), key.id.to_string());
    let date = key.partition.get(Dimension::SubmissionDate);
    let kind = kind_number(key.kind);
    let mut put_up = transaction.prepare_cached(sql::FORGET)?;
    if put_up.execute(params![text, id, kind, date, why, now.as_micros()])? == 0 {
        return Ok(Forgotten::Before);
    }
    let records: Option<i64> = transaction
        .prepare_cached(sql::HAS_CHUNK)?
        .query_row([&text], |row| row.get(0))
        .optional()?;
    let Some(records) = records else {
        return Ok(Forgotten::Unknown);
    };
    if transaction.prepare_cached(sql::WAITS)?.exists([&id])? {
        stop_waiting(transaction, &id, records)?;
        return Ok(Forgotten::Indexed);
    }
    let below = floors(transaction)?
        .aggregates
        .is_some_and(|floor| *date < *floor.to_string());
    if below {
        return Ok(Forgotten::Indexed);
    }
    transaction.execute(sql::WANT_REBUILD, [])?;
    Ok(Forgotten::Folded)
}

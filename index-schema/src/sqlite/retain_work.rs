//! What takes several statements about floors, tombstones and deletion, each inside a transaction of the caller.

use ping::{Dimension, OTHER, SubmissionDate, Timestamp};
use rusqlite::{Connection, OptionalExtension, Result, Row, Transaction, params};

use super::floors::{all_floors, date, floors, text};
use super::{retain_sql as sql, row, sql as base};
use crate::door::PRODUCTS_MAX;
use crate::expired::Part;
use crate::select::kind_number;
use crate::{
    ChunkKey, ChunkKind, Expired, ExpiredSlice, Floors, Forgotten, IndexEntry, Lowered, Raised, SeenDays,
    StoredDay, Swap,
};

/// Raises floors, if nothing goes of a day that was not seen; what waits below them stops waiting.
pub(super) fn raise(transaction: &Transaction<'_>, to: &Floors, seen: Option<&SeenDays>) -> Result<Raised> {
    let before = floors(transaction)?;
    let raised = before.raised(to);
    if let Some(seen) = seen {
        for kind in [ChunkKind::Pings, ChunkKind::Errors] {
            let (from, to) = (text(before.of(kind)), text(raised.of(kind)));
            let mut statement = transaction.prepare_cached(sql::DAYS_BETWEEN)?;
            let mut days = statement.query(params![kind_number(kind), from, to])?;
            while let Some(row) = days.next()? {
                let day = date(0, &row.get::<_, String>(0)?)?;
                if !seen.of(kind).contains(&day) {
                    return Ok(Raised::Unseen(kind, day));
                }
            }
        }
    }
    if (raised.pings, raised.errors) != (before.pings, before.errors) {
        let week = before.a_week_lower();
        transaction.execute(sql::FORGET_REMOVED, params![text(week.pings), text(week.errors)])?;
    }
    set_floors(transaction, &raised)?;
    stop_waiting_below(transaction)?;
    Ok(Raised::To(raised))
}

/// What waits below the floors stops waiting, and tombstones below them go.
pub(super) fn stop_waiting_below(transaction: &Transaction<'_>) -> Result<()> {
    let waiting = {
        let mut statement = transaction.prepare_cached(sql::WAITING_BELOW)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<Result<Vec<(String, i64)>>>()?
    };
    for (id, records) in waiting {
        stop_waiting(transaction, &id, records)?;
    }
    transaction.execute(sql::TOMBSTONES_BELOW, [])?;
    Ok(())
}

/// Lowers floors; what was refused and is not below any more can be indexed. Those of sources are lowered already, which may have
/// chunks in the index that were kept from being folded.
pub(super) fn lower(transaction: &Transaction<'_>, to: SubmissionDate, of_sources: bool) -> Result<Lowered> {
    let before = floors(transaction)?;
    let now = before.lowered(to);
    set_floors(transaction, &now)?;
    let admitted = {
        let mut statement = transaction.prepare_cached(sql::ADMIT_REFUSED)?;
        let rows = statement.query_map([], |row| row.get(0))?;
        rows.collect::<Result<Vec<i64>>>()?
    };
    let chunks = admitted.iter().filter(|records| **records > 0).count() as u64;
    let records: i64 = admitted.iter().sum();
    transaction
        .prepare_cached(sql::TAKE_FROM_REFUSED)?
        .execute(params![row::integer(chunks)?, records])?;
    let of_all = transaction.prepare_cached(sql::CHUNKS_BETWEEN)?.exists(params![
        text(before.pings),
        text(now.pings),
        text(before.errors),
        text(now.errors),
        text(before.aggregates),
        text(now.aggregates)
    ])?;
    let rebuild_wanted = of_all || of_sources;
    if rebuild_wanted {
        transaction.execute(sql::WANT_REBUILD, [])?;
    }
    Ok(Lowered {
        floors: now,
        admitted: chunks,
        rebuild_wanted,
    })
}

fn set_floors(transaction: &Transaction<'_>, to: &Floors) -> Result<()> {
    transaction.prepare_cached(sql::SET_FLOORS)?.execute(params![
        text(to.pings),
        text(to.errors),
        text(to.aggregates)
    ])?;
    Ok(())
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

/// Puts other aggregates into use, if the index still is as the swap knows it.
pub(super) fn swap(transaction: &Transaction<'_>, swap: &Swap) -> Result<bool> {
    let removed = transaction.query_row(sql::REMOVED_RECORDS, [], |row| row::count(row, 0))?;
    if removed != swap.removed_records || all_floors(transaction)? != swap.floors {
        return Ok(false);
    }
    transaction
        .prepare_cached(base::SET_GENERATION)?
        .execute([row::integer(swap.generation)?])?;
    if swap.gone_records == 0 {
        count_unfolded_anew(transaction)?;
    } else {
        let wanted: bool = transaction.query_row(sql::IS_REBUILD_WANTED, [], |row| row.get(0))?;
        count_unfolded_anew(transaction)?;
        transaction.execute(sql::ADD_UNFOLDED, [-row::integer(swap.gone_records)?])?;
        if wanted {
            transaction.execute(sql::WANT_REBUILD, [])?;
        }
    }
    Ok(true)
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
        Ok(StoredDay {
            date: date(0, &row.get::<_, String>(0)?)?,
            chunks: row::count(row, 1)?,
            records: row::count(row, 2)?,
            stored_bytes: row::count(row, 3)?,
        })
    })?;
    rows.collect()
}

/// The next of what is to be deleted.
pub(super) fn expired(connection: &Connection, from: &Part, limit: usize) -> Result<ExpiredSlice> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let read = |row: &Row<'_>| {
        Ok(Expired {
            key: row.get(0)?,
            records: row::count(row, 1)?,
            stored_bytes: row::count(row, 2)?,
        })
    };
    let rows: Vec<_> = match from {
        Part::Chunks([day, channel, version, key]) => connection
            .prepare_cached(sql::EXPIRED_CHUNKS)?
            .query_map(params![day, channel, version, key, most], |row| {
                let expired = read(row)?;
                let place = Part::Chunks([row.get(3)?, row.get(4)?, row.get(5)?, expired.key.clone()]);
                Ok((expired, place))
            })?
            .collect::<Result<_>>()?,
        Part::Unreadable(key) => connection
            .prepare_cached(sql::EXPIRED_UNREADABLE)?
            .query_map(params![key, most], read)?
            .map(|expired| expired.map(|expired| (expired.clone(), Part::Unreadable(expired.key))))
            .collect::<Result<_>>()?,
        Part::Forgotten(key) => connection
            .prepare_cached(sql::EXPIRED_FORGOTTEN)?
            .query_map(params![key, most], read)?
            .map(|expired| expired.map(|expired| (expired.clone(), Part::Forgotten(expired.key))))
            .collect::<Result<_>>()?,
    };
    Ok(ExpiredSlice::of(from, rows, limit))
}

/// Removes the rows of deleted objects.
pub(super) fn remove(transaction: &Transaction<'_>, keys: &[String]) -> Result<()> {
    for key in keys {
        transaction
            .prepare_cached(sql::REMEMBER_REMOVED)?
            .execute([key])?;
        let removed: Option<(String, [i64; 3], [String; 3])> = transaction
            .prepare_cached(sql::REMOVE_CHUNK)?
            .query_row([key], |row| {
                let sums = [row.get(1)?, row.get(2)?, row.get(3)?];
                Ok((row.get(0)?, sums, [row.get(4)?, row.get(5)?, row.get(6)?]))
            })
            .optional()?;
        if let Some((id, sums, product)) = removed {
            take_from_product(transaction, sums[0], &product)?;
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
    transaction.execute(sql::PRODUCTS_GONE, [])?;
    Ok(())
}

/// Takes records out of their product, or of what those count as that were too many.
fn take_from_product(transaction: &Transaction<'_>, records: i64, product: &[String; 3]) -> Result<()> {
    let mut take = transaction.prepare_cached(sql::TAKE_FROM_PRODUCT)?;
    let [name, doc_type, app] = product;
    if take.execute(params![records, name, doc_type, app])? == 0 {
        take.execute(params![records, OTHER, OTHER, OTHER])?;
    }
    Ok(())
}

/// Adds records to their product; to one named `OTHER` when there are as many products as are told apart.
pub(super) fn add_to_product(transaction: &Transaction<'_>, records: i64, product: [&str; 3]) -> Result<()> {
    let is_known = transaction
        .prepare_cached(base::HAS_PRODUCT)?
        .exists(params![product[0], product[1], product[2]])?;
    let may_be_added = is_known || {
        let mut count = transaction.prepare_cached(base::COUNT_PRODUCTS)?;
        count.query_row([], |row| row::count(row, 0))? < PRODUCTS_MAX
    };
    let [name, doc_type, app] = if may_be_added { product } else { [OTHER; 3] };
    transaction
        .prepare_cached(base::ADD_TO_PRODUCT)?
        .execute(params![name, doc_type, app, records])?;
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
    let below = all_floors(transaction)?
        .of(&key.partition)
        .aggregates
        .is_some_and(|floor| *date < *floor.to_string());
    if below {
        return Ok(Forgotten::Indexed);
    }
    transaction.execute(sql::WANT_REBUILD, [])?;
    Ok(Forgotten::Folded)
}

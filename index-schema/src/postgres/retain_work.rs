//! What takes several statements about floors, tombstones and deletion, each inside a transaction of the caller.

use std::borrow::Cow;

use ping::{Dimension, SubmissionDate, Timestamp};
use postgres_connections::{ClientWrapper, Failure, Transaction};
use tokio_postgres::Row;

use super::floors::{all_floors, day, floor_text, floors};
use super::row::{self, day_of_key, text};
use super::{retain_sql as sql, sql as base};
use crate::expired::Part;
use crate::{
    ChunkKey, ChunkKind, Expired, ExpiredSlice, Floors, Forgotten, Lowered, Raised, SeenDays, StoredDay,
    Swap, Tombstone,
};

/// Raises floors, if nothing goes of a day that was not seen; what waits below them stops waiting.
pub(super) async fn raise(
    transaction: &Transaction<'_>,
    to: &Floors,
    seen: Option<&SeenDays>,
) -> Result<Raised, Failure> {
    let before = floors(transaction).await?;
    let raised = before.raised(to);
    if let Some(seen) = seen {
        for kind in [ChunkKind::Pings, ChunkKind::Errors] {
            let (from, to) = (floor_text(before.of(kind)), floor_text(raised.of(kind)));
            let days = transaction
                .query(sql::DAYS_BETWEEN, &[&row::kind_column(kind), &from, &to])
                .await?;
            for row in days {
                let day = day(row.try_get(0)?)?;
                if !seen.of(kind).contains(&day) {
                    return Ok(Raised::Unseen(kind, day));
                }
            }
        }
    }
    if (raised.pings, raised.errors) != (before.pings, before.errors) {
        let week = before.a_week_lower();
        let (pings, errors) = (floor_text(week.pings), floor_text(week.errors));
        transaction
            .execute(sql::FORGET_REMOVED, &[&pings, &errors])
            .await?;
    }
    set_floors(transaction, &raised).await?;
    stop_waiting_below(transaction).await?;
    Ok(Raised::To(raised))
}

/// What waits below the floors stops waiting, and tombstones below them go.
pub(super) async fn stop_waiting_below(transaction: &Transaction<'_>) -> Result<(), Failure> {
    transaction.execute(sql::STOP_WAITING_BELOW, &[]).await?;
    transaction.execute(sql::TOMBSTONES_BELOW, &[]).await?;
    Ok(())
}

/// Lowers floors; what was refused and is not below any more can be indexed. Those of sources are lowered already, which may have
/// chunks in the index that were kept from being folded.
pub(super) async fn lower(
    transaction: &Transaction<'_>,
    to: SubmissionDate,
    of_sources: bool,
) -> Result<Lowered, Failure> {
    let before = floors(transaction).await?;
    let now = before.lowered(to);
    set_floors(transaction, &now).await?;
    let admitted = transaction.query_one(sql::ADMIT_REFUSED, &[]).await?;
    let of_all: bool = transaction
        .query_one(
            sql::CHUNKS_BETWEEN,
            &[
                &floor_text(before.pings),
                &floor_text(now.pings),
                &floor_text(before.errors),
                &floor_text(now.errors),
                &floor_text(before.aggregates),
                &floor_text(now.aggregates),
            ],
        )
        .await?
        .try_get(0)?;
    let rebuild_wanted = of_all || of_sources;
    if rebuild_wanted {
        transaction.execute(sql::WANT_REBUILD, &[]).await?;
    }
    Ok(Lowered {
        floors: now,
        admitted: row::count(&admitted, 0)?,
        rebuild_wanted,
    })
}

async fn set_floors(transaction: &Transaction<'_>, to: &Floors) -> Result<(), Failure> {
    let (pings, errors, aggregates) = (
        floor_text(to.pings),
        floor_text(to.errors),
        floor_text(to.aggregates),
    );
    transaction
        .execute(sql::SET_FLOORS, &[&pings, &errors, &aggregates])
        .await?;
    Ok(())
}

/// Clears what was set aside or unreadable and is gone.
pub(super) async fn clear_gone(transaction: &Transaction<'_>, keys: &[String]) -> Result<u64, Failure> {
    let (days, keys) = days_and_keys(keys);
    let unreadable = transaction.execute(base::FORGET_UNREADABLE, &[&keys]).await?;
    let gone = transaction.query(sql::MARK_GONE, &[&days, &keys]).await?;
    if gone.is_empty() {
        return Ok(unreadable);
    }
    let (mut ids, mut records) = (Vec::new(), 0);
    for row in &gone {
        ids.push(row.try_get::<_, String>(0)?);
        records += row.try_get::<_, i64>(1)?;
    }
    transaction.query_one(sql::STOP_WAITING, &[&ids]).await?;
    transaction.execute(base::ADD_UNFOLDED, &[&records]).await?;
    Ok(unreadable + gone.len() as u64)
}

/// Keys, with the days that they name, which tell their partitions.
pub(super) fn days_and_keys(keys: &[String]) -> (Vec<&str>, Vec<Cow<'_, str>>) {
    keys.iter().map(|key| (day_of_key(key), text(key))).unzip()
}

/// Puts other aggregates into use, if the index still is as the swap knows it.
pub(super) async fn swap(transaction: &Transaction<'_>, swap: &Swap) -> Result<bool, Failure> {
    let totals = transaction.query_one(sql::REMOVED_AND_WANTED, &[]).await?;
    if row::count(&totals, 0)? != swap.removed_records || all_floors(transaction).await? != swap.floors {
        return Ok(false);
    }
    let generation = row::integer(swap.generation)?;
    transaction.execute(base::SET_GENERATION, &[&generation]).await?;
    count_unfolded_anew(transaction).await?;
    if swap.gone_records > 0 {
        let gone = -row::integer(swap.gone_records)?;
        transaction.execute(base::ADD_UNFOLDED, &[&gone]).await?;
        if totals.try_get::<_, bool>(1)? {
            transaction.execute(sql::WANT_REBUILD, &[]).await?;
        }
    }
    Ok(true)
}

/// The aggregates in use were folded from what is indexed now: all else is not in them.
pub(super) async fn count_unfolded_anew(transaction: &Transaction<'_>) -> Result<(), Failure> {
    transaction.execute(sql::COUNT_UNFOLDED_ANEW, &[]).await?;
    Ok(())
}

/// What chunks of one kind take by day.
pub(super) async fn days(client: &ClientWrapper, kind: ChunkKind) -> Result<Vec<StoredDay>, Failure> {
    let rows = client.query(sql::DAYS, &[&row::kind_column(kind)]).await?;
    let read = |row: &Row| -> Result<_, Failure> {
        Ok(StoredDay {
            date: day(row.try_get(0)?)?,
            chunks: row::count(row, 1)?,
            records: row::count(row, 2)?,
            stored_bytes: row::count(row, 3)?,
        })
    };
    rows.iter().map(read).collect()
}

/// The next of what is to be deleted.
pub(super) async fn expired(
    client: &ClientWrapper,
    from: &Part,
    limit: usize,
) -> Result<ExpiredSlice, Failure> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = match from {
        Part::Chunks([day, _, _, key]) => {
            client
                .query(sql::EXPIRED_CHUNKS, &[day, &text(key), &most])
                .await?
        }
        Part::Unreadable(key) => {
            client
                .query(sql::EXPIRED_UNREADABLE, &[&text(key), &most])
                .await?
        }
        Part::Forgotten(key) => client.query(sql::EXPIRED_FORGOTTEN, &[&text(key), &most]).await?,
    };
    let read = |row: &Row| -> Result<_, Failure> {
        let expired = Expired {
            key: row.try_get(0)?,
            records: row::count(row, 1)?,
            stored_bytes: row::count(row, 2)?,
        };
        let key = expired.key.clone();
        let place = match from {
            Part::Chunks(_) => Part::Chunks([row.try_get(3)?, String::new(), String::new(), key]),
            Part::Unreadable(_) => Part::Unreadable(key),
            Part::Forgotten(_) => Part::Forgotten(key),
        };
        Ok((expired, place))
    };
    let rows = rows.iter().map(read).collect::<Result<_, _>>()?;
    Ok(ExpiredSlice::of(from, rows, limit))
}

/// What is forgotten.
pub(super) async fn tombstones(client: &ClientWrapper) -> Result<Vec<Tombstone>, Failure> {
    let rows = client.query(sql::TOMBSTONES, &[]).await?;
    let read = |row: &Row| -> Result<_, Failure> {
        Ok(Tombstone {
            key: row.try_get(0)?,
            chunk: row::chunk_id(row.try_get(1)?)?,
            why: row.try_get(2)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Removes the rows of deleted objects; whether a month has none left.
pub(super) async fn remove(transaction: &Transaction<'_>, keys: &[String]) -> Result<bool, Failure> {
    let (days, keys) = days_and_keys(keys);
    let statement = transaction.prepare_cached(sql::REMOVE_CHUNKS).await?;
    transaction.execute(&statement, &[&days, &keys]).await?;
    transaction.execute(sql::REMOVE_UNREADABLE, &[&keys]).await?;
    transaction.execute(sql::TOMBSTONES_DONE, &[&keys]).await?;
    transaction.execute(sql::TOMBSTONES_BELOW, &[]).await?;
    transaction.execute(sql::PRODUCTS_GONE, &[]).await?;
    let mut months: Vec<_> = days.iter().filter_map(|day| day.get(..6)).collect();
    months.sort_unstable();
    months.dedup();
    let emptied = transaction.query(sql::EMPTIED, &[&months]).await?;
    Ok(!emptied.is_empty())
}

/// Puts up a tombstone; what waits to be folded stops waiting.
pub(super) async fn forget(
    transaction: &Transaction<'_>,
    key: &ChunkKey,
    why: &str,
    now: Timestamp,
) -> Result<Forgotten, Failure> {
    let (name, id) = (key.to_string(), key.id.to_string());
    let date = key.partition.get(Dimension::SubmissionDate);
    let put_up = transaction
        .execute(
            sql::FORGET,
            &[
                &name,
                &id,
                &row::kind_column(key.kind),
                &date,
                &text(why),
                &now.as_micros(),
            ],
        )
        .await?;
    if put_up == 0 {
        return Ok(Forgotten::Before);
    }
    let Some(chunk) = transaction.query_opt(sql::HAS_CHUNK, &[&date, &name]).await? else {
        return Ok(Forgotten::Unknown);
    };
    let records: i64 = chunk.try_get(0)?;
    let stopped = transaction.query_one(sql::STOP_WAITING, &[&vec![&id]]).await?;
    if stopped.try_get::<_, i64>(0)? > 0 {
        transaction.execute(base::ADD_UNFOLDED, &[&records]).await?;
        return Ok(Forgotten::Indexed);
    }
    let floor = all_floors(transaction).await?.of(&key.partition).aggregates;
    if floor.is_some_and(|floor| *date < *floor.to_string()) {
        return Ok(Forgotten::Indexed);
    }
    transaction.execute(sql::WANT_REBUILD, &[]).await?;
    Ok(Forgotten::Folded)
}

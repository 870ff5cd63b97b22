//! Inserting entries: what SQLite does one after another, for all of them at once.
//!
//! Two transactions that insert the same entry meet at its id: the second waits there until the first has ended, and
//! then finds it known. Ids are claimed in their order and keys taken in theirs, so nobody waits in a ring. At READ
//! COMMITTED each statement sees what was committed before it: the floors are read behind the gate, so a floor that
//! was raised before is seen, and one that is raised later finds the entry.

use std::collections::HashSet;

use ping::{Dimension, SubmissionDate};
use postgres_connections::{Failure, Transaction};

use super::floors::all_floors;
use super::row::{self, Columns, text};
use super::sql;
use crate::door::PRODUCTS_MAX;
use crate::{AllFloors, IndexEntry, Inserted};

/// Inserts entries, each with its pending row and its share of the sums.
pub(super) async fn insert(
    transaction: &Transaction<'_>,
    entries: &[IndexEntry],
) -> Result<Inserted, Failure> {
    let (floors, forgotten) = look(transaction, entries).await?;
    let mut inserted = Inserted::default();
    let (mut candidates, mut below) = (Vec::new(), Vec::new());
    for (number, entry) in (1..).zip(entries) {
        if !floors.of(&entry.partition).admit(entry.kind, day_of(entry)) {
            below.push(entry);
        } else if !forgotten.contains(&number) {
            candidates.push(entry);
        }
    }
    let mut rest = candidates.as_slice();
    while !rest.is_empty() {
        let (round, later) = rest.split_at(distinct(rest));
        add(transaction, &floors, round, &mut inserted).await?;
        rest = later;
    }
    if !below.is_empty() {
        refuse(transaction, &below).await?;
    }
    inserted.refused = (entries.len() - candidates.len()) as u64;
    Ok(inserted)
}

/// The months of entries, of which one was missing.
pub(super) fn months(entries: &[IndexEntry]) -> Result<Vec<String>, Failure> {
    let mut months = Vec::new();
    for entry in entries {
        let date = entry.partition.get(Dimension::SubmissionDate);
        date.parse::<SubmissionDate>().map_err(|error| {
            Failure::of(format!(
                "{} cannot be indexed: its submission date {error}",
                entry.key
            ))
        })?;
        months.push(date[..6].to_owned());
    }
    months.sort_unstable();
    months.dedup();
    Ok(months)
}

/// Reads the floors, and the numbers of entries that were forgotten; drops notes that entries were unreadable.
async fn look(
    transaction: &Transaction<'_>,
    entries: &[IndexEntry],
) -> Result<(AllFloors, HashSet<i64>), Failure> {
    let keys: Vec<_> = entries.iter().map(|entry| text(&entry.key)).collect();
    let ids: Vec<_> = entries.iter().map(|entry| entry.id.to_string()).collect();
    let forgotten = async {
        let statement = transaction.prepare_cached(sql::FORGOTTEN).await?;
        let rows = transaction.query(&statement, &[&keys, &ids]).await?;
        let numbers = rows.iter().map(|row| row.try_get::<_, i64>(0));
        Ok::<_, Failure>(numbers.collect::<Result<HashSet<_>, _>>()?)
    };
    let readable = async {
        let statement = transaction.prepare_cached(sql::FORGET_UNREADABLE).await?;
        transaction.execute(&statement, &[&keys]).await?;
        Ok::<_, Failure>(())
    };
    // Sent one behind the other without waiting in between.
    let (floors, forgotten, ()) = tokio::try_join!(all_floors(transaction), forgotten, readable)?;
    Ok((floors, forgotten))
}

/// How many entries from the first on have ids and keys that none before has.
fn distinct(entries: &[&IndexEntry]) -> usize {
    let (mut ids, mut keys) = (HashSet::new(), HashSet::new());
    for (at, entry) in entries.iter().enumerate() {
        if !ids.insert(entry.id) || !keys.insert(&entry.key) {
            return at;
        }
    }
    entries.len()
}

/// Adds those that are not known, of entries of which no two have an id or key in common.
async fn add(
    transaction: &Transaction<'_>,
    floors: &AllFloors,
    round: &[&IndexEntry],
    inserted: &mut Inserted,
) -> Result<(), Failure> {
    let mut columns = Columns::default();
    for entry in round {
        columns.push(entry, folds(floors, entry))?;
    }
    let statement = transaction.prepare_cached(sql::INSERT).await?;
    let (mut given, products) = (columns.parameters(), row::integer(PRODUCTS_MAX)?);
    given.push(&products);
    let rows = transaction.query(&statement, &given).await?;
    let (mut unfolded, mut known, mut claimed_in_vain) = (0, Vec::new(), Vec::new());
    for row in rows {
        let number: i64 = row.try_get(0)?;
        let (place, claimed, added): (i64, bool, bool) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let entry: &IndexEntry = entry_of(round, number)?;
        if added {
            inserted.added += 1;
            unfolded += unfolded_share(floors, entry)?;
        } else {
            known.push((place, entry));
        }
        if claimed && !added {
            claimed_in_vain.push(entry.id.to_string());
        }
    }
    if !claimed_in_vain.is_empty() {
        transaction.execute(sql::UNCLAIM, &[&claimed_in_vain]).await?;
    }
    if !known.is_empty() {
        let back = bring_back(transaction, floors, &known, &mut unfolded).await?;
        inserted.added += back;
        inserted.known += known.len() as u64 - back;
    }
    if unfolded != 0 {
        transaction.execute(sql::ADD_UNFOLDED, &[&unfolded]).await?;
    }
    Ok(())
}

/// Entries that are there: those whose objects were gone are back, and are folded as if they were new.
async fn bring_back(
    transaction: &Transaction<'_>,
    floors: &AllFloors,
    known: &[(i64, &IndexEntry)],
    unfolded: &mut i64,
) -> Result<u64, Failure> {
    let (mut days, mut keys, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for (_, entry) in known {
        days.push(entry.partition.get(Dimension::SubmissionDate));
        keys.push(text(&entry.key));
        ids.push(entry.id.to_string());
    }
    let statement = transaction.prepare_cached(sql::BRING_BACK).await?;
    let rows = transaction.query(&statement, &[&days, &keys, &ids]).await?;
    let (mut places, mut waiting, mut dates) = (Vec::new(), Vec::new(), Vec::new());
    for row in &rows {
        let (place, entry) = *entry_of(known, row.try_get(0)?)?;
        *unfolded += unfolded_share(floors, entry)? - row::integer(entry.records)?;
        if folds(floors, entry) {
            places.push(place);
            waiting.push(entry.id.to_string());
            dates.push(entry.partition.get(Dimension::SubmissionDate));
        }
    }
    if !places.is_empty() {
        transaction
            .execute(sql::ADD_PENDING, &[&places, &waiting, &dates])
            .await?;
    }
    Ok(rows.len() as u64)
}

/// Counts entries below the floor, each once.
async fn refuse(transaction: &Transaction<'_>, below: &[&IndexEntry]) -> Result<(), Failure> {
    let (mut keys, mut days, mut records) = (Vec::new(), Vec::new(), Vec::new());
    for entry in below {
        keys.push(text(&entry.key));
        days.push(entry.partition.get(Dimension::SubmissionDate));
        records.push(row::integer(entry.records)?);
    }
    let statement = transaction.prepare_cached(sql::REFUSE).await?;
    transaction.execute(&statement, &[&keys, &days, &records]).await?;
    Ok(())
}

/// Whether an entry may be folded.
fn folds(floors: &AllFloors, entry: &IndexEntry) -> bool {
    floors.of(&entry.partition).fold(entry.kind, day_of(entry))
}

/// What an entry adds to the records that are never folded.
fn unfolded_share(floors: &AllFloors, entry: &IndexEntry) -> Result<i64, Failure> {
    if folds(floors, entry) {
        return Ok(0);
    }
    row::integer(entry.records)
}

/// What the database means by a number that it was given, counted from 1.
fn entry_of<T>(entries: &[T], number: i64) -> Result<&T, Failure> {
    let at = usize::try_from(number - 1).ok();
    at.and_then(|at| entries.get(at))
        .ok_or_else(|| Failure::of(format!("it answered for entry {number} of {}", entries.len())))
}

/// The day that a chunk's key names.
fn day_of(entry: &IndexEntry) -> SubmissionDate {
    let date = entry.partition.get(Dimension::SubmissionDate).parse();
    date.unwrap_or_else(|_| entry.submission_date())
}

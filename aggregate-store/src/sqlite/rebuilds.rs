//! The door to rebuilds, and how one comes into use.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use ping::{ChunkId, OTHER};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::counts::{self, numbers};
use super::{SqliteAggregates, counters, epochs, fold_version, rebuilt, sets, unused, wishes};
use crate::stored::stored;
use crate::{AggregateError, Epochs, Flip, Flipped, Rebuild, RebuildWish, Rebuilds, Source, SourceCounts};

#[async_trait]
impl Rebuilds for SqliteAggregates {
    async fn epochs(&self) -> Result<Epochs, AggregateError> {
        self.read("read the epochs", epochs::read).await
    }

    async fn source_rules(&self) -> Result<BTreeMap<String, String>, AggregateError> {
        self.read("read the rules of sources", epochs::source_rules).await
    }

    async fn adopt_rules(&self, source: &Source, rules: &str) -> Result<bool, AggregateError> {
        let (source, rules) = (source.clone(), rules.to_owned());
        self.write("adopt rules of a source", move |writer| {
            epochs::adopt_rules(&mut writer.connection, &source, &rules)
        })
        .await
    }

    async fn rebuilds(&self) -> Result<Vec<Rebuild>, AggregateError> {
        self.read("list rebuilds", wishes::all).await
    }

    async fn begin_rebuild(&self, wish: &RebuildWish) -> Result<Rebuild, AggregateError> {
        let wish = wish.clone();
        self.write("begin a rebuild", move |writer| {
            wishes::begin(&mut writer.connection, wish)
        })
        .await
    }

    async fn give_up_rebuild(&self, epoch: u32) -> Result<(), AggregateError> {
        self.write("give a rebuild up", move |writer| {
            wishes::end(&writer.connection, epoch)
        })
        .await
    }

    async fn rebuilt(&self, epoch: u32, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        let chunks = chunks.to_vec();
        self.read("look up rebuilt chunks", move |connection| {
            chunks
                .iter()
                .map(|chunk| rebuilt::is_rebuilt(connection, epoch, *chunk))
                .collect()
        })
        .await
    }

    async fn put_into_use(&self, flip: &Flip) -> Result<Flipped, AggregateError> {
        let flip = flip.clone();
        self.write("put a rebuild into use", move |writer| {
            put_into_use(&mut writer.connection, &flip)
        })
        .await
    }

    async fn remove_unused(&self) -> Result<bool, AggregateError> {
        self.write("remove what is not in use", |writer| {
            let removed = unused::remove(&mut writer.connection);
            // Ids of sets are gone.
            writer.forget_ids();
            removed
        })
        .await
    }
}

fn put_into_use(connection: &mut Connection, flip: &Flip) -> Result<Flipped, AggregateError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let rebuilds = wishes::all(&transaction)?;
    let Some(rebuild) = rebuilds.iter().find(|rebuild| rebuild.epoch == flip.epoch) else {
        return Ok(Flipped::Outdated);
    };
    let accounted = counters::status(&transaction, &[])?.counters.accounted();
    if flip.accounted.is_some_and(|seen| seen != accounted) {
        return Ok(Flipped::Outdated);
    }
    wishes::check_counts(&transaction, rebuild.wish.source.as_deref(), flip.days)?;
    let under_way: BTreeSet<u32> = rebuilds.iter().map(|rebuild| rebuild.epoch).collect();
    let source = rebuild.wish.source.as_deref();
    let before = epochs::read(&transaction)?;
    let mut now = before.clone();
    now.put(source, flip.days, flip.epoch);
    epochs::write(&transaction, &now)?;
    count_anew(&transaction, source, flip, (&before, &now), &under_way)?;
    if source.is_none() {
        fold_anew(&transaction, flip)?;
        transaction.execute(
            "UPDATE meta SET value = 'yes' WHERE name = 'counted_by_source'",
            [],
        )?;
    }
    match source {
        // Where the wish says none, it has none any more.
        Some(source) => epochs::write_rules(&transaction, source, rebuild.wish.rules.as_deref())?,
        None => {
            for (source, rules) in rebuild.wish.rules_by_source()? {
                epochs::write_rules(&transaction, &source, Some(&rules))?;
            }
        }
    }
    if let Some(version) = &rebuild.wish.version {
        fold_version::put(&transaction, version)?;
    }
    wishes::end(&transaction, flip.epoch)?;
    transaction.commit()?;
    Ok(Flipped::InUse)
}

/// Has what the rebuild counted and could not fold take the place of what was counted before.
fn count_anew(
    transaction: &Transaction<'_>,
    source: Option<&str>,
    flip: &Flip,
    (epochs_before, epochs_now): (&Epochs, &Epochs),
    under_way: &BTreeSet<u32>,
) -> Result<(), AggregateError> {
    let (before, now) = ids(transaction, source, flip.epoch, under_way)?;
    let (first, last) = numbers(flip.days);
    let was_counted = |source: &Source, day| epochs_before.is_counted(source, day);
    let old = counts::sums(transaction, &before, (first, last), was_counted)?;
    let is_counted = |source: &Source, day| epochs_now.is_counted(source, day);
    let new = counts::sums(transaction, &now, (first, last), is_counted)?;
    let before: Vec<i64> = before.into_iter().map(|(id, _)| id).collect();
    counts::remove(transaction, &before, flip.days)?;
    let mut remove = transaction
        .prepare_cached("DELETE FROM errored WHERE source = ?1 AND submission_date BETWEEN ?2 AND ?3")?;
    for id in &before {
        remove.execute(params![id, first, last])?;
    }
    if source.is_none() {
        transaction.execute(
            "DELETE FROM errored WHERE source IS NULL AND submission_date BETWEEN ?1 AND ?2",
            params![first, last],
        )?;
    }
    transaction.execute(
        "INSERT OR REPLACE INTO errored (incarnation, sequence, submission_date, chunk, position, reason, source)
         SELECT incarnation, sequence, submission_date, chunk, position, reason, source FROM rebuilt_errored
         WHERE epoch = ?1 AND submission_date BETWEEN ?2 AND ?3",
        params![flip.epoch, first, last],
    )?;
    let Some(source) = source else {
        return counters::put(transaction, &counts::total(transaction)?);
    };
    let mut change = SourceCounts::default();
    new.values().for_each(|counts| change.add(counts));
    old.values().for_each(|counts| change.subtract(counts));
    // What came when too many sources were counted by name was counted as another's.
    for (day, counts) in &new {
        let before = old.get(day).map_or(0, |counts| counts.counters.accounted());
        let more = counts.counters.accounted().saturating_sub(before);
        if more > 0 && source != OTHER {
            change.counters.stored_only -=
                counts::take_from_others(transaction, epochs_now, *day, stored(more)?)?;
        }
    }
    counters::change(transaction, &change)
}

/// Ids of sources in their epochs.
type Ids = Vec<(i64, Source)>;

/// The ids of a source, or of all: those that are in use or were, and that of the rebuild.
fn ids(
    connection: &Connection,
    source: Option<&str>,
    epoch: u32,
    under_way: &BTreeSet<u32>,
) -> Result<(Ids, Ids), AggregateError> {
    let (mut before, mut now) = (Vec::new(), Vec::new());
    for (id, found) in sets::sources(connection)? {
        let is_wished = source.is_none_or(|source| source == found.as_str());
        let of = found.epoch();
        if is_wished && of == epoch {
            now.push((id, found));
        } else if is_wished && !under_way.contains(&of) {
            before.push((id, found));
        }
    }
    Ok((before, now))
}

/// Has what the rebuild of all sources has folded of these days be what is folded.
fn fold_anew(transaction: &Transaction<'_>, flip: &Flip) -> Result<(), AggregateError> {
    let (first, last) = numbers(flip.days);
    let days = params![flip.epoch, first, last];
    transaction.execute(
        "DELETE FROM folded WHERE submission_date BETWEEN ?2 AND ?3
         AND chunk NOT IN (SELECT chunk FROM rebuilt WHERE epoch = ?1)",
        days,
    )?;
    transaction.execute(
        "INSERT INTO folded (chunk, key, submission_date, records)
         SELECT chunk, key, submission_date, records FROM rebuilt
         WHERE epoch = ?1 AND submission_date BETWEEN ?2 AND ?3 ON CONFLICT DO NOTHING",
        days,
    )?;
    transaction.execute(
        "UPDATE chunk SET gone = NULL
         WHERE gone IS NOT NULL AND id IN (SELECT chunk FROM rebuilt WHERE epoch = ?1)",
        [flip.epoch],
    )?;
    Ok(())
}

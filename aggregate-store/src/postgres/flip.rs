//! How a rebuild comes into use.

use std::collections::{BTreeMap, BTreeSet};

use ping::OTHER;
use postgres_connections::Failure;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::ids::column;
use super::in_use::{SourceDays, numbers};
use super::sources::{self, Stored};
use super::{counters, counts, epochs, fences, fold_version, wishes};
use crate::{Epochs, Flip, Flipped, SourceCounts};

const REMOVE_ERRORED: &str = "DELETE FROM highwater_aggregates.errored \
     WHERE source = ANY ($1) AND submission_date BETWEEN $2 AND $3";
/// Those of which an older program did not say where they came from.
const REMOVE_NAMELESS: &str = "DELETE FROM highwater_aggregates.errored \
     WHERE source IS NULL AND submission_date BETWEEN $1 AND $2";
const PUT_ERRORED: &str = "INSERT INTO highwater_aggregates.errored \
     (incarnation, sequence, submission_date, chunk_incarnation, chunk_boot, chunk_plan, position, reason, source) \
     SELECT incarnation, sequence, submission_date, chunk_incarnation, chunk_boot, chunk_plan, position, reason, source \
     FROM highwater_aggregates.rebuilt_errored WHERE epoch = $1 AND submission_date BETWEEN $2 AND $3 \
     ON CONFLICT (incarnation, sequence) DO UPDATE SET submission_date = excluded.submission_date, \
     chunk_incarnation = excluded.chunk_incarnation, chunk_boot = excluded.chunk_boot, chunk_plan = excluded.chunk_plan, \
     position = excluded.position, reason = excluded.reason, source = excluded.source";
const REMOVE_FOLDED: &str = "DELETE FROM highwater_aggregates.folded f WHERE f.submission_date BETWEEN $2 AND $3 \
     AND NOT EXISTS (SELECT FROM highwater_aggregates.rebuilt r WHERE r.epoch = $1 \
     AND r.incarnation = f.incarnation AND r.boot = f.boot AND r.plan = f.plan)";
const PUT_FOLDED: &str = "INSERT INTO highwater_aggregates.folded \
     (incarnation, boot, plan, key, is_errors, submission_date, records) \
     SELECT incarnation, boot, plan, key, is_errors, submission_date, records FROM highwater_aggregates.rebuilt \
     WHERE epoch = $1 AND submission_date BETWEEN $2 AND $3 ON CONFLICT (incarnation, boot, plan) DO NOTHING";

/// Puts a rebuild into use, if it is under way and nobody claimed a shard.
pub(super) async fn put_into_use(client: &Client, flip: &Flip) -> Result<Flipped, Failure> {
    if !fences::hold_fast(client, &flip.fences).await? {
        return Ok(Flipped::Outdated);
    }
    let rebuilds = wishes::all(client).await?;
    let Some(rebuild) = rebuilds.iter().find(|rebuild| rebuild.epoch == flip.epoch) else {
        return Ok(Flipped::Outdated);
    };
    let accounted = counters::status(client).await?.counters.accounted();
    if flip.accounted.is_some_and(|seen| seen != accounted) {
        return Ok(Flipped::Outdated);
    }
    wishes::check_counts(client, rebuild.wish.source.as_deref(), flip.days).await?;
    let under_way: BTreeSet<u32> = rebuilds.iter().map(|rebuild| rebuild.epoch).collect();
    let wish = &rebuild.wish;
    let source = wish.source.as_deref();
    let before = epochs::all(client).await?;
    let mut now = before.clone();
    now.put(source, flip.days, flip.epoch);
    epochs::write(client, &now).await?;
    let stored = sources::all(client).await?;
    let counted = Counted::of(&stored, source, flip.epoch, &under_way);
    let (old, new) = counted.sums(client, flip, (&before, &now)).await?;
    let gone: Vec<i32> = counted.before.iter().map(|(id, _)| *id).collect();
    counts::remove(client, &gone, flip.days).await?;
    put_errored(client, source, flip, &gone).await?;
    match source {
        Some(source) => {
            let mut change = difference(&old, &new);
            if source != OTHER {
                let days = others(&now, &stored)?;
                change.counters.stored_only -=
                    counts::take_stored_only(client, &days, &came_to_light(&old, &new)).await?;
            }
            counters::change(client, &change).await?;
            // Where the wish says none, it has none any more.
            epochs::write_rules(client, source, wish.rules.as_deref()).await?;
        }
        None => {
            counters::put(client, &counts::total(client, &now).await?).await?;
            put_folded(client, flip).await?;
            epochs::count_by_source(client).await?;
            for (source, rules) in wish.rules_by_source()? {
                epochs::write_rules(client, &source, Some(&rules)).await?;
            }
        }
    }
    if let Some(version) = &wish.version {
        fold_version::put(client, version).await?;
    }
    wishes::end(client, flip.epoch).await?;
    Ok(Flipped::InUse)
}

type Sums = BTreeMap<u32, SourceCounts>;

/// The sources of which a rebuild counted anew: those that are in use or were, and what it made.
struct Counted<'a> {
    before: Vec<&'a Stored>,
    now: Vec<&'a Stored>,
}

impl<'a> Counted<'a> {
    fn of(stored: &'a [Stored], source: Option<&str>, epoch: u32, under_way: &BTreeSet<u32>) -> Self {
        let of_it = stored
            .iter()
            .filter(|(_, stored)| source.is_none_or(|source| source == stored.as_str()));
        let (now, others): (Vec<_>, Vec<_>) = of_it.partition(|(_, source)| source.epoch() == epoch);
        let before = others
            .into_iter()
            .filter(|(_, source)| !under_way.contains(&source.epoch()));
        Self {
            before: before.collect(),
            now,
        }
    }

    /// What was counted and is, on the days of which it is put into use.
    async fn sums(
        &self,
        client: &Client,
        flip: &Flip,
        (before, now): (&Epochs, &Epochs),
    ) -> Result<(Sums, Sums), Failure> {
        let old = SourceDays::used(before, self.before.iter().copied())?.within(flip.days)?;
        let new = SourceDays::used(now, self.now.iter().copied())?.within(flip.days)?;
        Ok((
            counts::sums(client, &old).await?,
            counts::sums(client, &new).await?,
        ))
    }
}

/// By how much the sums over all days changed.
fn difference(old: &Sums, new: &Sums) -> SourceCounts {
    let mut change = SourceCounts::default();
    new.values().for_each(|counts| change.add(counts));
    old.values().for_each(|counts| change.subtract(counts));
    change
}

/// How many more pings of each day were counted: what came when too many sources were counted by name was counted as another's.
fn came_to_light(old: &Sums, new: &Sums) -> BTreeMap<u32, u64> {
    let more = new.iter().map(|(day, counts)| {
        let before = old.get(day).map_or(0, |counts| counts.counters.accounted());
        (*day, counts.counters.accounted().saturating_sub(before))
    });
    more.filter(|(_, pings)| *pings > 0).collect()
}

/// What is in use of pings whose source was not counted by name.
fn others(epochs: &Epochs, stored: &[Stored]) -> Result<SourceDays, Failure> {
    let others = stored.iter().filter(|(_, source)| source.as_str() == OTHER);
    Ok(SourceDays::used(epochs, others)?)
}

/// Has what the rebuild could not fold take the place of what could not be folded before.
async fn put_errored(
    client: &Client,
    source: Option<&str>,
    flip: &Flip,
    gone: &[i32],
) -> Result<(), Failure> {
    let (first, last) = numbers(flip.days)?;
    let first: (&(dyn ToSql + Sync), Type) = (&first, Type::INT4);
    let last: (&(dyn ToSql + Sync), Type) = (&last, Type::INT4);
    let of_sources = [
        (&gone as &(dyn ToSql + Sync), Type::INT4_ARRAY),
        first.clone(),
        last.clone(),
    ];
    client.execute_typed(REMOVE_ERRORED, &of_sources).await?;
    if source.is_none() {
        client
            .execute_typed(REMOVE_NAMELESS, &[first.clone(), last.clone()])
            .await?;
    }
    let epoch = column(flip.epoch)?;
    client
        .execute_typed(PUT_ERRORED, &[(&epoch, Type::INT4), first, last])
        .await?;
    Ok(())
}

/// Has what the rebuild of all sources has folded of these days be what is folded.
async fn put_folded(client: &Client, flip: &Flip) -> Result<(), Failure> {
    let (first, last) = numbers(flip.days)?;
    let given: [(&(dyn ToSql + Sync), Type); 3] = [
        (&column(flip.epoch)?, Type::INT4),
        (&first, Type::INT4),
        (&last, Type::INT4),
    ];
    for statement in [REMOVE_FOLDED, PUT_FOLDED] {
        client.execute_typed(statement, &given).await?;
    }
    Ok(())
}

//! Pings by source and day, and what became of them.

use std::collections::BTreeMap;

use ping::{OTHER, SubmissionDate};
use rusqlite::{Connection, params};

use super::counters::{ERRORED, REFUSED};
use super::dictionary::Dictionary;
use super::{epochs, sets};
use crate::layer::Part;
use crate::limits::COUNTED_SOURCES_MAX;
use crate::{AggregateError, Counters, Days, Epochs, Listed, Source, SourceCounts, SourcePings};

/// Adds what a batch counted of each source and day.
pub(super) fn write(
    connection: &Connection,
    dictionary: &mut Dictionary,
    counts: &BTreeMap<(Source, SubmissionDate), SourceCounts>,
) -> Result<(), AggregateError> {
    let mut add = connection.prepare_cached(
        "INSERT INTO count_by_day (source, submission_date, folded, repeated, stored_only, errored_pings)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET folded = folded + excluded.folded,
         repeated = repeated + excluded.repeated, stored_only = stored_only + excluded.stored_only,
         errored_pings = errored_pings + excluded.errored_pings",
    )?;
    let mut add_reason = connection.prepare_cached(
        "INSERT INTO reason_by_day (source, submission_date, kind, reason, count) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET count = count + excluded.count",
    )?;
    for ((source, day), counts) in counts {
        let id = counted(connection, dictionary, source)?;
        let day = day.as_yyyymmdd();
        let Counters {
            folded,
            repeated,
            stored_only,
            errored_pings,
        } = counts.counters;
        add.execute(params![id, day, folded, repeated, stored_only, errored_pings])?;
        for (kind, reasons) in [
            (ERRORED, &counts.errored_by_reason),
            (REFUSED, &counts.refused_by_reason),
        ] {
            for (reason, count) in reasons {
                add_reason.execute(params![id, day, kind, reason, count])?;
            }
        }
    }
    Ok(())
}

/// The id of a source for counting: what is new when there are too many counts under [`OTHER`].
pub(super) fn counted(
    connection: &Connection,
    dictionary: &mut Dictionary,
    source: &Source,
) -> Result<u32, AggregateError> {
    if dictionary.knows_source(source) || sets::source_id(connection, source)?.is_some() {
        return dictionary.source(connection, source);
    }
    let many: u32 = connection
        .prepare_cached("SELECT count(*) FROM source WHERE epoch = ?1")?
        .query_row([source.epoch()], |row| row.get(0))?;
    let other = Source::named(OTHER).in_epoch(source.epoch());
    let source = if many < COUNTED_SOURCES_MAX {
        source
    } else {
        &other
    };
    dictionary.source(connection, source)
}

/// Pings of each source over all days in use; of more than `limit` sources those with the most.
pub(super) fn read(
    connection: &Connection,
    held: &[&Part],
    limit: usize,
) -> Result<Listed<SourcePings>, AggregateError> {
    let epochs = epochs::read(connection)?;
    let mut pings: BTreeMap<Source, Counters> = BTreeMap::new();
    let mut statement = connection.prepare_cached(
        "SELECT name, epoch, submission_date, folded, repeated, stored_only, errored_pings
         FROM count_by_day JOIN source ON source.id = count_by_day.source",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let source = Source::named(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?);
        if epochs.is_counted(&source.in_epoch(row.get(1)?), row.get(2)?) {
            let counters = pings.entry(source).or_default();
            counters.add(&Counters {
                folded: row.get(3)?,
                repeated: row.get(4)?,
                stored_only: row.get(5)?,
                errored_pings: row.get(6)?,
            });
        }
    }
    for ((source, _), counts) in held.iter().flat_map(|part| &part.batch().by_source) {
        pings.entry(source.in_epoch(0)).or_default().add(&counts.counters);
    }
    Ok(SourcePings::largest(pings, limit))
}

/// What was counted of these sources on those days, by their stored numbers and both included, of which it is to be counted; the reasons, too.
pub(super) fn sums(
    connection: &Connection,
    sources: &[(i64, Source)],
    (first, last): (u32, u32),
    is_counted: impl Fn(&Source, u32) -> bool,
) -> Result<BTreeMap<u32, SourceCounts>, AggregateError> {
    let mut by_day: BTreeMap<u32, SourceCounts> = BTreeMap::new();
    let mut counts = connection.prepare_cached(
        "SELECT submission_date, folded, repeated, stored_only, errored_pings FROM count_by_day
         WHERE source = ?1 AND submission_date BETWEEN ?2 AND ?3",
    )?;
    let mut reasons = connection.prepare_cached(
        "SELECT submission_date, kind, reason, count FROM reason_by_day
         WHERE source = ?1 AND submission_date BETWEEN ?2 AND ?3",
    )?;
    for (id, source) in sources {
        let mut rows = counts.query(params![id, first, last])?;
        while let Some(row) = rows.next()? {
            if !is_counted(source, row.get(0)?) {
                continue;
            }
            by_day.entry(row.get(0)?).or_default().counters.add(&Counters {
                folded: row.get(1)?,
                repeated: row.get(2)?,
                stored_only: row.get(3)?,
                errored_pings: row.get(4)?,
            });
        }
        let mut rows = reasons.query(params![id, first, last])?;
        while let Some(row) = rows.next()? {
            if !is_counted(source, row.get(0)?) {
                continue;
            }
            let counts = by_day.entry(row.get(0)?).or_default();
            let reasons = match row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)? {
                REFUSED => &mut counts.refused_by_reason,
                _ => &mut counts.errored_by_reason,
            };
            *reasons.entry(row.get(2)?).or_default() += row.get::<_, i64>(3)?;
        }
    }
    Ok(by_day)
}

/// Takes pings of a day that are only stored away from those in use whose source was not counted by name; answers how many there were.
pub(super) fn take_from_others(
    connection: &Connection,
    epochs: &Epochs,
    day: u32,
    pings: i64,
) -> Result<i64, AggregateError> {
    let mut left = pings;
    let mut others = connection.prepare_cached(
        "SELECT c.source, epoch, stored_only FROM count_by_day AS c JOIN source ON source.id = c.source
         WHERE name = ?1 AND submission_date = ?2 AND stored_only > 0",
    )?;
    let others = others.query_map(params![OTHER, day], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    let other = Source::named(OTHER);
    for (source, epoch, stored_only) in others.collect::<Result<Vec<(i64, u32, i64)>, _>>()? {
        if !epochs.is_counted(&other.in_epoch(epoch), day) {
            continue;
        }
        let taken = left.min(stored_only);
        connection
            .prepare_cached(
                "UPDATE count_by_day SET stored_only = stored_only - ?3 WHERE source = ?1 AND submission_date = ?2",
            )?
            .execute(params![source, day, taken])?;
        left -= taken;
    }
    Ok(pings - left)
}

/// Forgets what was counted of these sources on some days.
pub(super) fn remove(connection: &Connection, sources: &[i64], days: Days) -> Result<(), AggregateError> {
    let (first, last) = numbers(days);
    for table in ["count_by_day", "reason_by_day"] {
        let mut remove = connection.prepare_cached(&format!(
            "DELETE FROM {table} WHERE source = ?1 AND submission_date BETWEEN ?2 AND ?3"
        ))?;
        for source in sources {
            remove.execute(params![source, first, last])?;
        }
    }
    Ok(())
}

/// All that is counted now, of all sources and days, those that were deleted among them.
pub(super) fn total(connection: &Connection) -> Result<SourceCounts, AggregateError> {
    let epochs = epochs::read(connection)?;
    let sources = sets::sources(connection)?;
    let is_counted = |source: &Source, day| epochs.is_counted(source, day);
    let mut total = SourceCounts::default();
    for counts in sums(connection, &sources, (DELETED, LAST_DAY), is_counted)?.values() {
        total.add(counts);
    }
    Ok(total)
}

/// Both ends as they are stored.
pub(super) fn numbers(days: Days) -> (u32, u32) {
    (
        days.first.map_or(FIRST_DAY, SubmissionDate::as_yyyymmdd),
        days.last.map_or(LAST_DAY, SubmissionDate::as_yyyymmdd),
    )
}

/// Under which all days are counted that were deleted.
const DELETED: u32 = 0;
/// Before all days, and behind that under which all days are counted that were deleted.
const FIRST_DAY: u32 = 1;
/// Behind all days.
const LAST_DAY: u32 = 99_999_999;

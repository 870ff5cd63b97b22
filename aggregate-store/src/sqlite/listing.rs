//! Which values have cells, in the file: how the table is written and asked.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::names::{Names, id_of};
use super::sets::source_id;
use crate::listing::{Listing, METRIC, PROCESS, SUBMISSION_DATE};
use crate::stored::{self, date};
use crate::{AggregateError, DateClock, Dimension, Source};

/// What a value is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Metric,
    Process,
    Dimension(String),
}

impl Kind {
    /// The kind of a dimension.
    pub(super) fn of(dimension: &str) -> Self {
        Self::Dimension(dimension.to_owned())
    }
}

/// A kind with a value and its detail: of an operating system its version; for lists of dates the version of the build.
pub(super) type Value = (Kind, String, String);

/// Writes all changes.
pub(super) fn write(listing: Listing, connection: &Connection) -> Result<(), AggregateError> {
    let mut add = connection.prepare_cached(
        "INSERT INTO listing (source, channel, version, dimension, value, detail, cells)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET cells = cells + excluded.cells",
    )?;
    let mut remove = connection.prepare_cached(
        "DELETE FROM listing WHERE source = ?1 AND channel = ?2 AND version = ?3 AND dimension = ?4 AND value = ?5
         AND detail = ?6 AND cells = 0",
    )?;
    for ((source, channel, version, dimension, value, detail), change) in listing.changes() {
        if change != 0 {
            add.execute(params![
                source, channel, version, dimension, value, detail, change
            ])?;
        }
        if change < 0 {
            remove.execute(params![source, channel, version, dimension, value, detail])?;
        }
    }
    Ok(())
}

/// Values with their numbers of cells, and how many are left out.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub(super) values: BTreeMap<Value, i64>,
    pub(super) left_out: u64,
}

/// Channels that have cells; of more than `limit` those with the most.
pub(super) fn channels(
    connection: &Connection,
    source: &Source,
    limit: usize,
) -> Result<Stored, AggregateError> {
    let mut found = Stored::default();
    let Some(source) = source_id(connection, source)? else {
        return Ok(found);
    };
    let mut statement = connection.prepare_cached(
        "SELECT text, cells, total FROM
         (SELECT channel, sum(cells) AS cells, count(*) OVER () AS total FROM listing
          WHERE source = ?1 AND dimension = ?2 GROUP BY channel ORDER BY 2 DESC, channel LIMIT ?3)
         JOIN string ON string.id = channel",
    )?;
    let mut rows = statement.query(params![source, METRIC, stored::limit(limit)])?;
    let mut total = 0;
    while let Some(row) = rows.next()? {
        let channel = (Kind::of(Dimension::CHANNEL), row.get(0)?, String::new());
        found.values.insert(channel, row.get(1)?);
        total = row.get(2)?;
    }
    found.left_out = left_out(total, found.values.len());
    Ok(found)
}

/// Dates of a channel that have cells, with their versions as details; of more than `limit` those with the most.
pub(super) fn dates(
    connection: &Connection,
    source: &Source,
    clock: DateClock,
    channel: &str,
    limit: usize,
) -> Result<Stored, AggregateError> {
    let mut found = Stored::default();
    let dimension = match clock {
        DateClock::BuildDate => id_of(connection, Dimension::BUILD_DATE)?,
        DateClock::SubmissionDate => Some(SUBMISSION_DATE),
    };
    let (Some(source), Some(channel), Some(dimension)) = (
        source_id(connection, source)?,
        id_of(connection, channel)?,
        dimension,
    ) else {
        return Ok(found);
    };
    let mut statement = connection.prepare_cached(
        "SELECT version, value, cells, count(*) OVER () FROM listing
         WHERE source = ?1 AND channel = ?2 AND dimension = ?3 ORDER BY cells DESC, value DESC, version LIMIT ?4",
    )?;
    let mut rows = statement.query(params![source, channel, dimension, stored::limit(limit)])?;
    let mut names = Names::new(connection);
    let mut total = 0;
    while let Some(row) = rows.next()? {
        let value = row.get(1)?;
        let day = match clock {
            DateClock::BuildDate => names.string(value)?.to_string(),
            DateClock::SubmissionDate => date(value)?.to_string(),
        };
        let version = names.string(row.get(0)?)?.to_string();
        let value = (Kind::of(clock.dimension()), day, version);
        found.values.insert(value, row.get(2)?);
        total = row.get(3)?;
    }
    found.left_out = left_out(total, found.values.len());
    Ok(found)
}

fn left_out(total: i64, found: usize) -> u64 {
    u64::try_from(total).unwrap_or(0).saturating_sub(found as u64)
}

/// Values that have cells in a channel and version, less dates; of each kind's more than `limit` those with the most.
pub(super) fn values(
    connection: &Connection,
    source: &Source,
    channel: &str,
    version: &str,
    limit: usize,
) -> Result<Stored, AggregateError> {
    let mut found = Stored::default();
    let ids = (
        source_id(connection, source)?,
        id_of(connection, channel)?,
        id_of(connection, version)?,
    );
    let (Some(source), Some(channel), Some(version)) = ids else {
        return Ok(found);
    };
    let build_date = id_of(connection, Dimension::BUILD_DATE)?;
    let mut statement = connection.prepare_cached(
        "SELECT ranked.dimension, value.text, detail.text, cells, place, total FROM
         (SELECT dimension, value, detail, cells, count(*) OVER (PARTITION BY dimension) AS total,
          row_number() OVER (PARTITION BY dimension ORDER BY cells DESC, value, detail) AS place
          FROM listing WHERE source = ?1 AND channel = ?2 AND version = ?3 AND dimension <> ?4
          AND dimension IS NOT ?5) AS ranked
         JOIN string AS value ON value.id = ranked.value
         LEFT JOIN string AS detail ON detail.id = ranked.detail
         WHERE place <= ?6",
    )?;
    let mut rows = statement.query(params![
        source,
        channel,
        version,
        SUBMISSION_DATE,
        build_date,
        stored::limit(limit)
    ])?;
    let mut names = Names::new(connection);
    while let Some(row) = rows.next()? {
        let kind = match row.get(0)? {
            METRIC => Kind::Metric,
            PROCESS => Kind::Process,
            dimension => Kind::Dimension(names.string(dimension)?.to_string()),
        };
        let detail: Option<String> = row.get(2)?;
        let value = (kind, row.get(1)?, detail.unwrap_or_default());
        found.values.insert(value, row.get(3)?);
        let (place, total): (i64, i64) = (row.get(4)?, row.get(5)?);
        if usize::try_from(place).is_ok_and(|place| place == limit) {
            found.left_out += left_out(total, limit);
        }
    }
    Ok(found)
}

/// The first `limit` metrics of a source after a name, ascending.
pub(super) fn metrics_of(
    connection: &Connection,
    source: &Source,
    after: Option<&str>,
    limit: usize,
) -> Result<Stored, AggregateError> {
    let mut found = Stored::default();
    let Some(source) = source_id(connection, source)? else {
        return Ok(found);
    };
    let mut statement = connection.prepare_cached(
        "SELECT text, sum(cells) FROM listing JOIN string ON string.id = value
         WHERE source = ?1 AND dimension = ?2 AND (?3 IS NULL OR text > ?3) GROUP BY text ORDER BY text LIMIT ?4",
    )?;
    let mut rows = statement.query(params![source, METRIC, after, stored::limit(limit)])?;
    while let Some(row) = rows.next()? {
        let metric = (Kind::Metric, row.get(0)?, String::new());
        found.values.insert(metric, row.get(1)?);
    }
    Ok(found)
}

/// All metrics that have cells, with their ids, ascending by name.
pub(super) fn metrics(connection: &Connection) -> Result<Vec<(i64, String)>, AggregateError> {
    let mut statement = connection.prepare(
        "SELECT id, text FROM string WHERE id IN (SELECT value FROM listing WHERE dimension = ?1) ORDER BY text",
    )?;
    let metrics = statement.query_map([METRIC], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(metrics.collect::<Result<_, _>>()?)
}

//! Which values have cells, in the file: how the table is written and asked.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::names::{Names, id_of};
use crate::listing::{APPLICATION, ARCHITECTURE, OS, PROCESS};
use crate::listing::{BUILD_DATE, E10S, Listing, METRIC, SUBMISSION_DATE};
use crate::stored::{self, date};
use crate::{AggregateError, DateClock};

/// What a value is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Metric,
    Application,
    Architecture,
    Os,
    Process,
    E10s,
    BuildDate,
    SubmissionDate,
    Channel,
}

impl Kind {
    /// The kind of the dates of this clock.
    pub(super) const fn of(clock: DateClock) -> Self {
        match clock {
            DateClock::BuildDate => Self::BuildDate,
            DateClock::SubmissionDate => Self::SubmissionDate,
        }
    }
}

/// A kind with a value and its detail; for lists of dates the version is the detail.
pub(super) type Value = (Kind, String, String);

/// Writes all changes.
pub(super) fn write(listing: Listing, connection: &Connection) -> Result<(), AggregateError> {
    let mut add = connection.prepare_cached(
        "INSERT INTO listing (channel, version, kind, value, detail, cells) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET cells = cells + excluded.cells",
    )?;
    let mut remove = connection.prepare_cached(
        "DELETE FROM listing WHERE channel = ?1 AND version = ?2 AND kind = ?3 AND value = ?4 AND detail = ?5
         AND cells = 0",
    )?;
    for ((channel, version, kind, value, detail), change) in listing.changes() {
        if change != 0 {
            add.execute(params![channel, version, kind, value, detail, change])?;
        }
        if change < 0 {
            remove.execute(params![channel, version, kind, value, detail])?;
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
pub(super) fn channels(connection: &Connection, limit: usize) -> Result<Stored, AggregateError> {
    let mut statement = connection.prepare_cached(
        "SELECT text, cells, total FROM
         (SELECT channel, sum(cells) AS cells, count(*) OVER () AS total FROM listing WHERE kind = ?1
          GROUP BY channel ORDER BY 2 DESC, channel LIMIT ?2)
         JOIN string ON string.id = channel",
    )?;
    let mut rows = statement.query(params![METRIC, stored::limit(limit)])?;
    let mut found = Stored::default();
    let mut total = 0;
    while let Some(row) = rows.next()? {
        let channel = (Kind::Channel, row.get(0)?, String::new());
        found.values.insert(channel, row.get(1)?);
        total = row.get(2)?;
    }
    found.left_out = left_out(total, found.values.len());
    Ok(found)
}

/// Dates of a channel that have cells, with their versions as details; of more than `limit` those with the most.
pub(super) fn dates(
    connection: &Connection,
    clock: DateClock,
    channel: &str,
    limit: usize,
) -> Result<Stored, AggregateError> {
    let mut found = Stored::default();
    let Some(channel) = id_of(connection, channel)? else {
        return Ok(found);
    };
    let kind = match clock {
        DateClock::BuildDate => BUILD_DATE,
        DateClock::SubmissionDate => SUBMISSION_DATE,
    };
    let mut statement = connection.prepare_cached(
        "SELECT version, value, cells, count(*) OVER () FROM listing WHERE channel = ?1 AND kind = ?2
         ORDER BY cells DESC, value DESC, version LIMIT ?3",
    )?;
    let mut rows = statement.query(params![channel, kind, stored::limit(limit)])?;
    let mut names = Names::new(connection);
    let mut total = 0;
    while let Some(row) = rows.next()? {
        let value = row.get(1)?;
        let day = match clock {
            DateClock::BuildDate => names.string(value)?.to_string(),
            DateClock::SubmissionDate => date(value)?.to_string(),
        };
        let version = names.string(row.get(0)?)?.to_string();
        found.values.insert((Kind::of(clock), day, version), row.get(2)?);
        total = row.get(3)?;
    }
    found.left_out = left_out(total, found.values.len());
    Ok(found)
}

pub(super) fn left_out(total: i64, found: usize) -> u64 {
    u64::try_from(total).unwrap_or(0).saturating_sub(found as u64)
}

/// Values that have cells in a channel and version; of each kind's more than `limit` those with the most.
pub(super) fn values(
    connection: &Connection,
    channel: &str,
    version: &str,
    limit: usize,
) -> Result<Stored, AggregateError> {
    let mut found = Stored::default();
    let (Some(channel), Some(version)) = (id_of(connection, channel)?, id_of(connection, version)?) else {
        return Ok(found);
    };
    let mut statement = connection.prepare_cached(
        "SELECT ranked.kind, value.text, detail.text, cells, place, total FROM
         (SELECT kind, value, detail, cells, count(*) OVER (PARTITION BY kind) AS total,
          row_number() OVER (PARTITION BY kind ORDER BY cells DESC, value, detail) AS place
          FROM listing WHERE channel = ?1 AND version = ?2 AND kind <= ?3) AS ranked
         JOIN string AS value ON value.id = ranked.value
         LEFT JOIN string AS detail ON detail.id = ranked.detail
         WHERE place <= ?4",
    )?;
    let mut rows = statement.query(params![channel, version, E10S, stored::limit(limit)])?;
    while let Some(row) = rows.next()? {
        let kind = match row.get(0)? {
            METRIC => Kind::Metric,
            APPLICATION => Kind::Application,
            ARCHITECTURE => Kind::Architecture,
            OS => Kind::Os,
            PROCESS => Kind::Process,
            _ => Kind::E10s,
        };
        let detail: Option<String> = match kind {
            Kind::Os => row.get(2)?,
            _ => None,
        };
        let value = (kind, row.get(1)?, detail.unwrap_or_default());
        found.values.insert(value, row.get(3)?);
        let (place, total): (i64, i64) = (row.get(4)?, row.get(5)?);
        if usize::try_from(place).is_ok_and(|place| place == limit) {
            found.left_out += left_out(total, limit);
        }
    }
    Ok(found)
}

/// All metrics that have cells, with their ids, ascending by name.
pub(super) fn metrics(connection: &Connection) -> Result<Vec<(i64, String)>, AggregateError> {
    let mut statement = connection.prepare(
        "SELECT id, text FROM string WHERE id IN (SELECT value FROM listing WHERE kind = ?1) ORDER BY text",
    )?;
    let metrics = statement.query_map([METRIC], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(metrics.collect::<Result<_, _>>()?)
}

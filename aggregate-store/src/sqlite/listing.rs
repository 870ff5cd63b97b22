//! Which values have cells, in the file: how the table is written and asked.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::names::{Names, id_of};
use super::present::Value;
use crate::listing::{APPLICATION, ARCHITECTURE, OS, PROCESS};
use crate::listing::{BUILD_DATE, E10S, Listing, METRIC, SUBMISSION_DATE};
use crate::stored::date;
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

/// Channels that have cells, with their numbers.
pub(super) fn channels(connection: &Connection) -> Result<BTreeMap<Value, i64>, AggregateError> {
    let mut statement = connection.prepare_cached(
        "SELECT text, sum(cells) FROM listing JOIN string ON string.id = channel WHERE kind = ?1 GROUP BY channel",
    )?;
    let channels = statement.query_map([METRIC], |row| {
        Ok(((Kind::Channel, row.get(0)?, String::new()), row.get(1)?))
    })?;
    Ok(channels.collect::<Result<_, _>>()?)
}

/// Dates of a channel that have cells, with their versions as details, and the numbers of cells.
pub(super) fn dates(
    connection: &Connection,
    clock: DateClock,
    channel: &str,
) -> Result<BTreeMap<Value, i64>, AggregateError> {
    let mut dates = BTreeMap::new();
    let Some(channel) = id_of(connection, channel)? else {
        return Ok(dates);
    };
    let kind = match clock {
        DateClock::BuildDate => BUILD_DATE,
        DateClock::SubmissionDate => SUBMISSION_DATE,
    };
    let mut statement = connection
        .prepare_cached("SELECT version, value, cells FROM listing WHERE channel = ?1 AND kind = ?2")?;
    let mut rows = statement.query(params![channel, kind])?;
    let mut names = Names::new(connection);
    while let Some(row) = rows.next()? {
        let value = row.get(1)?;
        let day = match clock {
            DateClock::BuildDate => names.string(value)?.to_string(),
            DateClock::SubmissionDate => date(value)?.to_string(),
        };
        let version = names.string(row.get(0)?)?.to_string();
        dates.insert((Kind::of(clock), day, version), row.get(2)?);
    }
    Ok(dates)
}

/// Values that have cells in a channel and version, with their numbers.
pub(super) fn values(
    connection: &Connection,
    channel: &str,
    version: &str,
) -> Result<BTreeMap<Value, i64>, AggregateError> {
    let mut values = BTreeMap::new();
    let (Some(channel), Some(version)) = (id_of(connection, channel)?, id_of(connection, version)?) else {
        return Ok(values);
    };
    let mut statement = connection.prepare_cached(
        "SELECT listing.kind, value.text, detail.text, cells FROM listing
         JOIN string AS value ON value.id = listing.value
         LEFT JOIN string AS detail ON detail.id = listing.detail
         WHERE channel = ?1 AND version = ?2 AND kind <= ?3",
    )?;
    let mut rows = statement.query(params![channel, version, E10S])?;
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
        values.insert((kind, row.get(1)?, detail.unwrap_or_default()), row.get(3)?);
    }
    Ok(values)
}

/// All metrics that have cells, with their ids, ascending by name.
pub(super) fn metrics(connection: &Connection) -> Result<Vec<(i64, String)>, AggregateError> {
    let mut statement = connection.prepare(
        "SELECT id, text FROM string WHERE id IN (SELECT value FROM listing WHERE kind = ?1) ORDER BY text",
    )?;
    let metrics = statement.query_map([METRIC], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(metrics.collect::<Result<_, _>>()?)
}

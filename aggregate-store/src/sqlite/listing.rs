//! Which values have cells: a small table kept with the cells, so that lists of channels, dates and filters need no
//! scan. It counts cells, and so is a function of them, whatever was added and taken back.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, params};

use super::dictionary::SetIds;
use super::names::{Names, id_of};
use super::present::Value;
use super::refusal::date;
use crate::{AggregateError, DateClock};

const METRIC: i64 = 1;
const APPLICATION: i64 = 2;
const ARCHITECTURE: i64 = 3;
const OS: i64 = 4;
const PROCESS: i64 = 5;
const E10S: i64 = 6;
const BUILD_DATE: i64 = 7;
const SUBMISSION_DATE: i64 = 8;

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

/// Channel, version, kind, value, detail.
type Row = (u32, u32, i64, u32, u32);

/// By how much the counts of cells change.
#[derive(Debug, Default)]
pub(super) struct Listing {
    by_metric: HashMap<(u32, u32, u32), i64>,
    by_process: HashMap<(u32, u32), (SetIds, i64)>,
}

impl Listing {
    /// Notes that a cell has come (+1) or gone (−1).
    pub(super) fn count(&mut self, set: &SetIds, metric: u32, process: u32, change: i64) {
        *self
            .by_metric
            .entry((set.channel, set.version, metric))
            .or_default() += change;
        self.by_process.entry((set.id, process)).or_insert((*set, 0)).1 += change;
    }

    /// Writes all changes.
    pub(super) fn write(self, connection: &Connection) -> Result<(), AggregateError> {
        let mut add = connection.prepare_cached(
            "INSERT INTO listing (channel, version, kind, value, detail, cells) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET cells = cells + excluded.cells",
        )?;
        let mut remove = connection.prepare_cached(
            "DELETE FROM listing WHERE channel = ?1 AND version = ?2 AND kind = ?3 AND value = ?4 AND detail = ?5
             AND cells = 0",
        )?;
        for ((channel, version, kind, value, detail), change) in self.changes() {
            if change != 0 {
                add.execute(params![channel, version, kind, value, detail, change])?;
            }
            if change < 0 {
                remove.execute(params![channel, version, kind, value, detail])?;
            }
        }
        Ok(())
    }

    fn changes(self) -> BTreeMap<Row, i64> {
        let Self {
            by_metric,
            by_process,
        } = self;
        let mut changes = BTreeMap::new();
        for ((channel, version, metric), change) in by_metric {
            changes.insert((channel, version, METRIC, metric, 0), change);
        }
        for ((_, process), (set, change)) in by_process {
            let values = [
                (APPLICATION, set.application, 0),
                (ARCHITECTURE, set.architecture, 0),
                (OS, set.os, set.os_version),
                (PROCESS, process, 0),
                (E10S, set.e10s, 0),
                (BUILD_DATE, set.build_date, 0),
                (SUBMISSION_DATE, set.submission_date, 0),
            ];
            for (kind, value, detail) in values {
                let row = (set.channel, set.version, kind, value, detail);
                *changes.entry(row).or_default() += change;
            }
        }
        changes
    }
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

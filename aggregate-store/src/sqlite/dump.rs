//! Everything that is aggregated, as lines of JSON in the order of names: equal content gives equal lines, whatever
//! ids it has and however it came to be.

use std::collections::HashMap;
use std::sync::Arc;

use ping::SubmissionDate;
use rusqlite::Connection;
use serde::Serialize;
use service::task;
use sketch::{Cell, Layout};
use tokio::sync::mpsc;

use super::listing;
use super::names::Names;
use super::refusal::date;
use crate::{AggregateError, DimensionSet};

/// Sends all cells, then all user sketches. Holds the cells of one metric in memory.
pub(super) fn send(connection: &Connection, lines: &mpsc::Sender<String>) -> Result<(), AggregateError> {
    let mut names = Names::new(connection);
    let sets = dimension_sets(connection, &mut names)?;
    for (id, metric) in listing::metrics(connection)? {
        for cell in cells(connection, &mut names, &sets, id)? {
            if !send_line(lines, &cell.line(&metric)?)? {
                return Ok(());
            }
        }
    }
    for (id, mut line) in user_lines(connection, &mut names)? {
        let mut statement = connection.prepare_cached("SELECT image FROM users WHERE id = ?1")?;
        let image: Vec<u8> = statement.query_row([id], |row| row.get(0))?;
        line.image = hex::encode(image);
        if !send_line(lines, &line)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether somebody receives.
fn send_line(lines: &mpsc::Sender<String>, line: &impl Serialize) -> Result<bool, AggregateError> {
    let text = serde_json::to_string(line);
    let text = text.map_err(|error| AggregateError::Damaged(error.to_string()))?;
    Ok(task::send_blocking(lines, text))
}

/// A cell under its names. The order of fields is the order of lines.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct NamedCell<'a> {
    dimensions: &'a DimensionSet,
    process: Arc<str>,
    label: Arc<str>,
    layout: Layout,
    value: Vec<u8>,
}

/// Sums and samples are texts, for they may be larger than a JSON number is commonly read.
#[derive(Serialize)]
struct CellLine<'a> {
    kind: &'static str,
    metric: &'a str,
    submission_date: String,
    channel: &'a str,
    version: &'a str,
    build_date: &'a str,
    application: &'a str,
    architecture: &'a str,
    os: &'a str,
    os_version: &'a str,
    e10s: &'a str,
    process: &'a str,
    label: &'a str,
    layout: String,
    count: i64,
    sum: String,
    bins: Vec<(i64, String)>,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct UserLine {
    kind: &'static str,
    submission_date: String,
    application: String,
    channel: String,
    version: String,
    os: String,
    image: String,
}

impl NamedCell<'_> {
    fn line<'a>(&'a self, metric: &'a str) -> Result<CellLine<'a>, AggregateError> {
        let cell = Cell::decode(&self.value).map_err(|error| AggregateError::Damaged(error.to_string()))?;
        let DimensionSet {
            submission_date,
            channel,
            version,
            build_date,
            application,
            architecture,
            os,
            os_version,
            e10s,
        } = self.dimensions;
        let bins = cell.bins().iter();
        Ok(CellLine {
            kind: "cell",
            metric,
            submission_date: submission_date.to_string(),
            channel,
            version,
            build_date,
            application,
            architecture,
            os,
            os_version,
            e10s,
            process: &self.process,
            label: &self.label,
            layout: self.layout.to_string(),
            count: cell.count(),
            sum: cell.sum().to_string(),
            bins: bins
                .map(|&(bound, samples)| (bound, samples.to_string()))
                .collect(),
        })
    }
}

fn dimension_sets(
    connection: &Connection,
    names: &mut Names<'_>,
) -> Result<HashMap<i64, DimensionSet>, AggregateError> {
    let mut statement = connection.prepare(
        "SELECT id, submission_date, channel, version, build_date, application, architecture, os, os_version, e10s
         FROM dimension_set",
    )?;
    let mut rows = statement.query([])?;
    let mut sets = HashMap::new();
    while let Some(row) = rows.next()? {
        let mut text =
            |at: usize| -> Result<String, AggregateError> { Ok(names.string(row.get(at)?)?.to_string()) };
        let set = DimensionSet {
            submission_date: date(row.get(1)?)?,
            channel: text(2)?,
            version: text(3)?,
            build_date: text(4)?,
            application: text(5)?,
            architecture: text(6)?,
            os: text(7)?,
            os_version: text(8)?,
            e10s: text(9)?,
        };
        sets.insert(row.get(0)?, set);
    }
    Ok(sets)
}

/// The cells of one metric, ascending by names.
fn cells<'a>(
    connection: &Connection,
    names: &mut Names<'_>,
    sets: &'a HashMap<i64, DimensionSet>,
    metric: i64,
) -> Result<Vec<NamedCell<'a>>, AggregateError> {
    let mut statement = connection
        .prepare_cached("SELECT dimension_set, process, label, layout, value FROM cell WHERE metric = ?1")?;
    let mut rows = statement.query([metric])?;
    let mut cells = Vec::new();
    while let Some(row) = rows.next()? {
        let set: i64 = row.get(0)?;
        let dimensions = sets.get(&set);
        cells.push(NamedCell {
            dimensions: dimensions
                .ok_or_else(|| AggregateError::Damaged(format!("dimension set {set} is missing")))?,
            process: names.string(row.get(1)?)?,
            label: names.string(row.get(2)?)?,
            layout: names.layout(row.get(3)?)?,
            value: row.get(4)?,
        });
    }
    cells.sort_unstable();
    Ok(cells)
}

/// All user sketches without their images, ascending by names, with their rows.
fn user_lines(
    connection: &Connection,
    names: &mut Names<'_>,
) -> Result<Vec<(i64, UserLine)>, AggregateError> {
    let mut statement =
        connection.prepare("SELECT id, submission_date, application, channel, version, os FROM users")?;
    let mut rows = statement.query([])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let day: SubmissionDate = date(row.get(1)?)?;
        let line = UserLine {
            kind: "users",
            submission_date: day.to_string(),
            application: names.string(row.get(2)?)?.to_string(),
            channel: names.string(row.get(3)?)?.to_string(),
            version: names.string(row.get(4)?)?.to_string(),
            os: names.string(row.get(5)?)?.to_string(),
            image: String::new(),
        };
        lines.push((row.get(0)?, line));
    }
    lines.sort_unstable_by(|a, b| a.1.cmp(&b.1));
    Ok(lines)
}

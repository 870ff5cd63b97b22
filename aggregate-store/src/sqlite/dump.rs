//! Everything that is aggregated, as lines of JSON in the order of names: equal content gives equal lines, whatever
//! ids it has and however it came to be.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ping::SubmissionDate;
use rusqlite::Connection;
use serde::Serialize;
use service::task;
use sketch::{Cell, Layout, UserSketch, merge_encoded};
use tokio::sync::mpsc;

use super::listing;
use super::names::Names;
use crate::layer::{CellName, Part};
use crate::lines::{CellLine, UserLine, line_of};
use crate::stored::date;
use crate::{AggregateError, DimensionSet, UserKey};

/// Sends all cells, then all user sketches. Holds the cells of one metric in memory.
pub(super) fn send(
    connection: &Connection,
    held: &[&Part],
    lines: &mpsc::Sender<String>,
) -> Result<(), AggregateError> {
    let mut names = Names::new(connection);
    let sets = dimension_sets(connection, &mut names)?;
    let mut held_cells = by_metric(held);
    let mut metrics: BTreeMap<String, Option<i64>> = BTreeMap::new();
    metrics.extend(held_cells.keys().map(|metric| ((*metric).to_owned(), None)));
    let stored = listing::metrics(connection)?.into_iter();
    metrics.extend(stored.map(|(id, metric)| (metric, Some(id))));
    for (metric, id) in metrics {
        let mut all = match id {
            Some(id) => cells(connection, &mut names, &sets, id)?,
            None => Vec::new(),
        };
        all.extend(held_cells.remove(metric.as_str()).unwrap_or_default());
        for cell in joined(all)? {
            if !send_line(lines, &cell.line(&metric)?)? {
                return Ok(());
            }
        }
    }
    for (mut line, UsersAt { row, held }) in user_lines(connection, held, &mut names)? {
        line.image = hex::encode(users_image(connection, row, held)?);
        if !send_line(lines, &line)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether somebody receives.
fn send_line(lines: &mpsc::Sender<String>, line: &impl Serialize) -> Result<bool, AggregateError> {
    Ok(task::send_blocking(lines, line_of(line)?))
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

impl NamedCell<'_> {
    fn name(&self) -> (&DimensionSet, &str, &str, Layout) {
        (self.dimensions, &self.process, &self.label, self.layout)
    }

    fn line<'a>(&'a self, metric: &'a str) -> Result<CellLine<'a>, AggregateError> {
        let cell = Cell::decode(&self.value).map_err(|error| AggregateError::Damaged(error.to_string()))?;
        Ok(CellLine::of(
            CellName {
                metric,
                dimensions: self.dimensions,
                process: &self.process,
                label: &self.label,
                layout: self.layout,
            },
            &cell,
        ))
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

/// The stored cells of one metric, in any order.
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
    Ok(cells)
}

/// The held cells of each metric, in any order.
fn by_metric<'a>(held: &[&'a Part]) -> HashMap<&'a str, Vec<NamedCell<'a>>> {
    let mut cells: HashMap<&str, Vec<NamedCell<'_>>> = HashMap::new();
    for part in held {
        for (address, value) in part.batch().cells.iter() {
            let name = part.name(address);
            cells.entry(name.metric).or_default().push(NamedCell {
                dimensions: name.dimensions,
                process: Arc::from(name.process),
                label: Arc::from(name.label),
                layout: name.layout,
                value: value.to_vec(),
            });
        }
    }
    cells
}

/// These cells ascending by names, those of one name added up, without zeros.
fn joined(mut cells: Vec<NamedCell<'_>>) -> Result<Vec<NamedCell<'_>>, AggregateError> {
    cells.sort_unstable();
    let zero = Cell::default().encode();
    let mut joined: Vec<NamedCell<'_>> = Vec::with_capacity(cells.len());
    for cell in cells {
        match joined.last_mut() {
            Some(last) if last.name() == cell.name() => {
                last.value = merge_encoded(&last.value, &cell.value)
                    .map_err(|error| AggregateError::Damaged(error.to_string()))?;
            }
            _ => joined.push(cell),
        }
    }
    joined.retain(|cell| cell.value != zero);
    Ok(joined)
}

/// Where the users of a line are: in a row, among what is held, or both.
#[derive(Default)]
struct UsersAt {
    row: Option<i64>,
    held: Option<UserSketch>,
}

/// All lines of user sketches without their images, ascending by names.
fn user_lines(
    connection: &Connection,
    held: &[&Part],
    names: &mut Names<'_>,
) -> Result<BTreeMap<UserLine, UsersAt>, AggregateError> {
    let mut statement =
        connection.prepare("SELECT id, submission_date, application, channel, version, os FROM users")?;
    let mut rows = statement.query([])?;
    let mut lines: BTreeMap<UserLine, UsersAt> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let day: SubmissionDate = date(row.get(1)?)?;
        let key = UserKey {
            submission_date: day,
            application: names.string(row.get(2)?)?.to_string(),
            channel: names.string(row.get(3)?)?.to_string(),
            version: names.string(row.get(4)?)?.to_string(),
            os: names.string(row.get(5)?)?.to_string(),
        };
        lines.entry(UserLine::of(&key)).or_default().row = Some(row.get(0)?);
    }
    for (key, users) in held.iter().flat_map(|part| &part.batch().users) {
        if !users.is_empty() {
            let at = lines.entry(UserLine::of(key)).or_default();
            at.held.get_or_insert_default().merge(users);
        }
    }
    Ok(lines)
}

/// The image of the users that are stored and held.
fn users_image(
    connection: &Connection,
    row: Option<i64>,
    held: Option<UserSketch>,
) -> Result<Vec<u8>, AggregateError> {
    let Some(id) = row else {
        return Ok(held.unwrap_or_default().to_image());
    };
    let mut statement = connection.prepare_cached("SELECT image FROM users WHERE id = ?1")?;
    let image: Vec<u8> = statement.query_row([id], |row| row.get(0))?;
    let Some(mut users) = held else {
        return Ok(image);
    };
    users
        .merge_image(&image)
        .map_err(|error| AggregateError::Damaged(error.to_string()))?;
    Ok(users.to_image())
}

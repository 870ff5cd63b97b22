//! Everything that is aggregated, as lines of JSON in the order of names: equal content gives equal lines, whatever
//! ids it has and however it came to be.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rusqlite::Connection;
use serde::Serialize;
use service::task;
use sketch::{Cell, Layout, UserSketch, merge_encoded};
use tokio::sync::mpsc;

use super::names::Names;
use super::{epochs, listing, sets, users};
use crate::layer::{CellName, Part};
use crate::lines::{CellLine, UserLine, line_of};
use crate::{AggregateError, DimensionSet};

/// Sends all cells, then all user sketches. Holds the cells of one metric in memory.
pub(super) fn send(
    connection: &Connection,
    held: &[&Part],
    lines: &mpsc::Sender<String>,
) -> Result<(), AggregateError> {
    let mut names = Names::new(connection);
    let sets = sets::all_named(connection, &mut names, &epochs::read(connection)?)?;
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
            let sum =
                Cell::decode(&cell.value).map_err(|error| AggregateError::Damaged(error.to_string()))?;
            if !send_line(lines, &CellLine::of(cell.full_name(&metric), &sum))? {
                return Ok(());
            }
        }
    }
    let mut users: Vec<_> = users_by_set(connection, held, &sets)?.into_iter().collect();
    users.sort_by(|(a, _), (b, _)| a.users_order(b));
    for (set, UsersAt { row, held }) in users {
        let image = hex::encode(users_image(connection, row, held)?);
        if !send_line(lines, &UserLine { set: &set, image })? {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether somebody receives.
fn send_line(lines: &mpsc::Sender<String>, line: &impl Serialize) -> Result<bool, AggregateError> {
    Ok(task::send_blocking(lines, line_of(line)?))
}

/// A set as lines name it: what is in use is of one epoch each day.
fn of_any_epoch(set: &DimensionSet) -> Cow<'_, DimensionSet> {
    match set.source().epoch() {
        0 => Cow::Borrowed(set),
        _ => Cow::Owned(set.clone().in_epoch(0)),
    }
}

/// A cell under its names. The order of fields is the order of lines.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct NamedCell<'a> {
    dimensions: Cow<'a, DimensionSet>,
    process: Arc<str>,
    label: Arc<str>,
    layout: Layout,
    value: Vec<u8>,
}

impl NamedCell<'_> {
    fn name(&self) -> (&DimensionSet, &str, &str, Layout) {
        (&self.dimensions, &self.process, &self.label, self.layout)
    }

    fn full_name<'a>(&'a self, metric: &'a str) -> CellName<'a> {
        CellName {
            metric,
            dimensions: &self.dimensions,
            process: &self.process,
            label: &self.label,
            layout: self.layout,
        }
    }
}

/// The stored cells of one metric, in any order.
fn cells<'a>(
    connection: &Connection,
    names: &mut Names<'_>,
    sets: &'a BTreeMap<i64, Option<DimensionSet>>,
    metric: i64,
) -> Result<Vec<NamedCell<'a>>, AggregateError> {
    let mut statement = connection
        .prepare_cached("SELECT dimension_set, process, label, layout, value FROM cell WHERE metric = ?1")?;
    let mut rows = statement.query([metric])?;
    let mut cells = Vec::new();
    while let Some(row) = rows.next()? {
        let set: i64 = row.get(0)?;
        let dimensions = sets.get(&set);
        let dimensions =
            dimensions.ok_or_else(|| AggregateError::Damaged(format!("dimension set {set} is missing")))?;
        let Some(dimensions) = dimensions else { continue };
        cells.push(NamedCell {
            dimensions: Cow::Borrowed(dimensions),
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
                dimensions: of_any_epoch(name.dimensions),
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

/// Where the users of each set are, ascending by names.
fn users_by_set<'a>(
    connection: &Connection,
    held: &[&'a Part],
    sets: &'a BTreeMap<i64, Option<DimensionSet>>,
) -> Result<BTreeMap<Cow<'a, DimensionSet>, UsersAt>, AggregateError> {
    let mut users: BTreeMap<Cow<'_, DimensionSet>, UsersAt> = BTreeMap::new();
    for (set, row) in users::rows_by_set(connection)? {
        let missing = || AggregateError::Damaged(format!("dimension set {set} is missing"));
        if let Some(set) = sets.get(&set).ok_or_else(missing)? {
            users.entry(Cow::Borrowed(set)).or_default().row = Some(row);
        }
    }
    for (set, sketch) in held.iter().flat_map(|part| &part.batch().users) {
        if !sketch.is_empty() {
            let at = users.entry(of_any_epoch(set)).or_default();
            at.held.get_or_insert_default().merge(sketch);
        }
    }
    Ok(users)
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
    let mut statement = connection.prepare_cached("SELECT image FROM union_value WHERE id = ?1")?;
    let image: Vec<u8> = statement.query_row([id], |row| row.get(0))?;
    let Some(mut users) = held else {
        return Ok(image);
    };
    users
        .merge_image(&image)
        .map_err(|error| AggregateError::Damaged(error.to_string()))?;
    Ok(users.to_image())
}

//! Sums of one metric's cells. The dimension sets that match are found by their values; the cells of each are one
//! stretch within the stretch of the metric, which is read as a whole where much of it is wanted.

use std::collections::{BTreeMap, HashMap};

use roaring::RoaringBitmap;
use rusqlite::Connection;
use sketch::{Cell, Layout};

use super::finder::CellIds;
use super::groups::{Groups, SetInfo};
use super::members::Members;
use super::names::{Names, id_of};
use super::overlay::Overlay;
use super::sets::table_of;
use crate::bounds::Taken;
use crate::build_date::{BuildDate, Builds};
use crate::layer::{Part, add_held};
use crate::stored::unstored;
use crate::{AggregateError, Bounds, CellQuery, Dimension, SeriesRow};

/// Where at least each so-many-th set of a stretch is wanted, all of the stretch is read: to find a set costs more than to pass some.
const SETS_PASSED: u64 = 4;

/// The sums, ascending by group, label and layout.
pub(super) fn read(
    connection: &Connection,
    held: &[&Part],
    query: &CellQuery,
    bounds: Bounds,
) -> Result<Vec<SeriesRow>, AggregateError> {
    let mut overlay = Overlay::of(connection, held, query)?;
    let mut taken = Taken::new(bounds);
    let mut names = Names::new(connection);
    let mut groups = Groups::of(connection, query)?;
    let stored = stored_sums(
        connection,
        query,
        &mut overlay,
        &mut taken,
        &mut names,
        &mut groups,
    )?;
    let mut sums: BTreeMap<NamedGroup, Sum> = BTreeMap::new();
    for ((group, process, label, layout), sum) in stored {
        let mut group = groups.named(group, &mut names)?;
        if let Some(process) = process {
            group.push(names.string(process)?.to_string());
        }
        let name = (group, names.string(label)?.to_string(), names.layout(layout)?);
        sums.insert(name, sum);
    }
    for (name, cells) in overlay.rest() {
        let mut cell = Cell::default();
        add_held(&mut cell, &cells)?;
        if cell.is_zero() {
            continue;
        }
        let set = name.dimensions;
        let by = query.group_by.iter();
        let by = by.map(|dimension| set.any_value(dimension.as_str()));
        let process = query.by_process.then(|| name.process.to_owned());
        let group = (by.chain(process).collect(), name.label.to_owned(), name.layout);
        let sum = sums.entry(group).or_default();
        let before = sum.cell.bins().len();
        sum.cell.add(&cell);
        let build = BuildDate::of(set.value(Dimension::BUILD_DATE));
        sum.builds.note(build, set.submission_date(), cell.count());
        let after = sum.cell.bins().len();
        taken.note(sums.len(), before, after)?;
    }
    let sums = sums.into_iter().filter(|(_, sum)| !sum.cell.is_zero());
    Ok(sums.map(row).collect())
}

/// Sums of what is stored, and of what is held of the same cells.
fn stored_sums(
    connection: &Connection,
    query: &CellQuery,
    overlay: &mut Overlay<'_>,
    taken: &mut Taken,
    names: &mut Names<'_>,
    groups: &mut Groups,
) -> Result<HashMap<Group, Sum>, AggregateError> {
    let mut sums: HashMap<Group, Sum> = HashMap::new();
    let Some(Conditions { metric, sets, cells }) = Conditions::of(connection, query)? else {
        return Ok(sums);
    };
    let (Some(first), Some(last)) = (sets.min(), sets.max()) else {
        return Ok(sums);
    };
    groups.learn(connection, &query.source, &sets, names)?;
    const CELLS: &str = "SELECT c.dimension_set, c.process, c.label, c.layout, c.value FROM";
    let is_dense = u64::from(last - first) < sets.len() * SETS_PASSED;
    let mut statement = connection.prepare_cached(&match is_dense {
        true => format!("{CELLS} cell AS c WHERE {cells} AND c.dimension_set BETWEEN ?1 AND ?2"),
        false => format!(
            "{CELLS} rarray(?1) AS wanted CROSS JOIN cell AS c ON c.dimension_set = wanted.value WHERE {cells}"
        ),
    })?;
    let mut rows = match is_dense {
        true => statement.query([first, last])?,
        false => statement.query([table_of(&sets)])?,
    };
    let mut set: Option<(i64, SetInfo)> = None;
    let mut passed: Option<i64> = None;
    let mut cell = Cell::default();
    while let Some(row) = rows.next()? {
        let dimension_set: i64 = row.get(0)?;
        if passed == Some(dimension_set) {
            continue;
        }
        if is_dense && !sets.contains(unstored(dimension_set)?) {
            passed = Some(dimension_set);
            continue;
        }
        let value = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?;
        cell.read(value)
            .map_err(|error| AggregateError::Damaged(error.to_string()))?;
        let ids = CellIds {
            metric,
            dimension_set,
            process: row.get(1)?,
            label: row.get(2)?,
            layout: row.get(3)?,
        };
        if let Some(held) = overlay.take(&ids) {
            add_held(&mut cell, &held)?;
            if cell.is_zero() {
                continue;
            }
        }
        // The cells of a set follow one another.
        let info = match set {
            Some((id, info)) if id == ids.dimension_set => info,
            _ => {
                let info = groups.of_set(connection, ids.dimension_set, names)?;
                set = Some((ids.dimension_set, info));
                info
            }
        };
        let process = query.by_process.then_some(ids.process);
        let sum = sums
            .entry((info.group, process, ids.label, ids.layout))
            .or_default();
        let before = sum.cell.bins().len();
        sum.cell.add(&cell);
        sum.builds.note(info.build, info.day, cell.count());
        let after = sum.cell.bins().len();
        taken.note(sums.len(), before, after)?;
    }
    Ok(sums)
}

/// A group by its number; process where these are kept apart, label and layout by their ids.
type Group = (usize, Option<i64>, i64, i64);

/// The same by names.
type NamedGroup = (Vec<String>, String, Layout);

/// The sum of a group's cells, and what their builds say.
#[derive(Default)]
struct Sum {
    cell: Cell,
    builds: Builds,
}

fn row((group, sum): (NamedGroup, Sum)) -> SeriesRow {
    let (group, label, layout) = group;
    SeriesRow {
        group,
        label,
        layout,
        plausible: sum.builds.plausible(),
        newest_build: sum.builds.newest(),
        cell: sum.cell,
    }
}

/// What a question asks, by ids.
pub(super) struct Conditions {
    pub(super) metric: i64,
    /// The dimension sets.
    pub(super) sets: RoaringBitmap,
    /// A condition in SQL on the cells `c`, with numbers only.
    pub(super) cells: String,
}

impl Conditions {
    /// Those of a question; `None` when a name that is asked for is not stored at all.
    pub(super) fn of(connection: &Connection, query: &CellQuery) -> Result<Option<Self>, AggregateError> {
        let CellQuery {
            source,
            metric,
            filters,
            label,
            processes,
            group_by: _,
            by_process: _,
        } = query;
        let Some(metric) = id_of(connection, metric)? else {
            return Ok(None);
        };
        let mut cells = vec![format!("c.metric = {metric}")];
        if let Some(label) = label {
            let Some(label) = id_of(connection, label)? else {
                return Ok(None);
            };
            cells.push(format!("c.label = {label}"));
        }
        if let Some(processes) = processes {
            let ids = ids_of(connection, processes)?;
            cells.push(format!("c.process IN ({})", ids.join(",")));
        }
        let sets = Members::matching(connection, source, filters)?;
        Ok(Some(Self {
            metric,
            sets,
            cells: cells.join(" AND "),
        }))
    }
}

fn ids_of(connection: &Connection, texts: &[String]) -> Result<Vec<String>, AggregateError> {
    let mut ids = Vec::new();
    for text in texts {
        ids.extend(id_of(connection, text)?.map(|id| id.to_string()));
    }
    Ok(ids)
}

//! Sums of one metric's cells. The dimension sets that match are found by their values; the cells of each are one
//! stretch within the stretch of the metric, which is read as a whole where much of it is wanted. Where the metric's cells are
//! kept decoded nothing of them is read.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rusqlite::Connection;
use sketch::{Cell, Layout};

use super::conditions::Conditions;
use super::decoded::{Cache, Decoded, Kind, Moment};
use super::dense::{Added, DenseSums, Sum};
use super::finder::CellIds;
use super::groups::{Groups, SetInfo};
use super::names::Names;
use super::overlay::Overlay;
use super::sets::{source_id, table_of};
use crate::bounds::Taken;
use crate::build_date::BuildDate;
use crate::layer::{Part, add_held};
use crate::stored::unstored;
use crate::{AggregateError, Bounds, CellQuery, Dimension, SeriesRow};

/// Where at least each so-many-th set of a stretch is wanted, all of the stretch is read: to find a set costs more than to pass some.
const SETS_PASSED: u64 = 4;

/// The sums, ascending by group, label and layout.
pub(super) fn read(
    connection: &Connection,
    held: &[&Part],
    kept: Option<(&Cache, Moment)>,
    query: &CellQuery,
    bounds: Bounds,
) -> Result<Vec<SeriesRow>, AggregateError> {
    let mut overlay = Overlay::of(connection, held, query)?;
    let mut taken = Taken::new(bounds);
    let known = kept.map(|(cache, moment)| cache.texts(moment));
    let mut names = Names::knowing(connection, known.unwrap_or_default());
    let mut groups = Groups::of(connection, query)?;
    let mut stored = HashMap::new();
    if let Some(conditions) = Conditions::of(connection, query)? {
        let question = Question {
            connection,
            query,
            conditions: &conditions,
        };
        let decoded = question.decoded_sums(kept, &mut overlay, &mut taken, &mut names, &mut groups)?;
        stored = match decoded {
            Some(sums) => sums,
            None => question.stored_sums(&mut overlay, &mut taken, &mut names, &mut groups)?,
        };
    }
    let mut sums: BTreeMap<NamedGroup, Sum> = BTreeMap::new();
    for ((group, process, label, layout), sum) in stored {
        let mut group = groups.named(group, &mut names)?;
        if let Some(process) = process {
            group.push(names.string(process)?.to_string());
        }
        let name = (group, names.string(label)?.to_string(), names.layout(layout)?);
        sums.insert(name, sum);
    }
    if let Some((cache, moment)) = kept {
        cache.keep_texts(moment, names.asked());
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

/// A question, and what it asks by ids.
struct Question<'a> {
    connection: &'a Connection,
    query: &'a CellQuery,
    conditions: &'a Conditions,
}

impl Question<'_> {
    /// Sums of cells that are kept decoded, and of what is held of the same ones; `None` where they are not.
    fn decoded_sums(
        &self,
        kept: Option<(&Cache, Moment)>,
        overlay: &mut Overlay<'_>,
        taken: &mut Taken,
        names: &mut Names<'_>,
        groups: &mut Groups,
    ) -> Result<Option<HashMap<Group, Sum>>, AggregateError> {
        let Self {
            connection,
            query,
            conditions,
        } = *self;
        let (Some(kept), Some(source)) = (kept, source_id(connection, &query.source)?) else {
            return Ok(None);
        };
        let Some(decoded) = Decoded::find(connection, kept, conditions.metric, source)? else {
            return Ok(None);
        };
        groups.know(Arc::clone(&decoded.sets));
        let by_process = query.by_process;
        let mut dense = DenseSums::of(
            &decoded,
            |kind| conditions.want(kind.process.into(), kind.label.into()),
            |kind| Kind {
                process: if by_process { kind.process } else { 0 },
                ..*kind
            },
        );
        let mut added = Added::of(conditions.metric, &decoded.added);
        let held = overlay.sets();
        // Cells to which something was added are summed up one by one: of those that vanished nothing counts, not even their builds.
        let mut changed = Vec::new();
        let mut wanted = conditions.sets.iter().peekable();
        let mut set: Option<(u32, SetInfo, bool)> = None;
        for cell in decoded.stretch.cells() {
            while wanted.next_if(|wanted| *wanted < cell.set).is_some() {}
            match wanted.peek() {
                None => break,
                Some(wanted) if *wanted != cell.set => continue,
                Some(_) => {}
            }
            let (info, is_changed) = match set {
                Some((id, info, is_changed)) if id == cell.set => (info, is_changed),
                _ => {
                    let id = i64::from(cell.set);
                    let info = groups.of_set(connection, id, names)?;
                    let is_changed = added.has(cell.set) || held.contains(&id);
                    set = Some((cell.set, info, is_changed));
                    (info, is_changed)
                }
            };
            if is_changed {
                changed.push(cell);
            } else if dense.add(&cell, info).is_err() {
                return Ok(None);
            }
        }
        let of_kind = |group: usize, kind: Kind| {
            let process = by_process.then_some(kind.process.into());
            (group, process, kind.label.into(), kind.layout.into())
        };
        let mut sums: HashMap<Group, Sum> = dense
            .end()
            .map(|((group, kind), sum)| (of_kind(group, kind), sum))
            .collect();
        for cell in changed {
            let kind = decoded.stretch.kinds()[cell.kind as usize];
            let ids = CellIds {
                metric: conditions.metric,
                dimension_set: cell.set.into(),
                process: kind.process.into(),
                label: kind.label.into(),
                layout: kind.layout.into(),
            };
            let mut cell = decoded.stretch.cell(&cell);
            add_held(&mut cell, &added.take(&ids).unwrap_or_default())?;
            self.add_single(ids, cell, overlay, (names, groups), &mut sums)?;
        }
        for (ids, added) in added.rest() {
            let mut cell = Cell::default();
            add_held(&mut cell, &added)?;
            self.add_single(ids, cell, overlay, (names, groups), &mut sums)?;
        }
        for (rows, sum) in (1..).zip(sums.values()) {
            taken.note(rows, 0, sum.cell.bins().len())?;
        }
        Ok(Some(sums))
    }

    /// Adds one stored cell, if it is asked for, and what is held of it.
    fn add_single(
        &self,
        ids: CellIds,
        mut cell: Cell,
        overlay: &mut Overlay<'_>,
        (names, groups): (&mut Names<'_>, &mut Groups),
        sums: &mut HashMap<Group, Sum>,
    ) -> Result<(), AggregateError> {
        let conditions = self.conditions;
        let is_asked =
            conditions.want(ids.process, ids.label) && conditions.sets.contains(unstored(ids.dimension_set)?);
        // What became zero is not stored any more, so what is held of it is held of a cell that is not.
        if !is_asked || cell.is_zero() {
            return Ok(());
        }
        if let Some(held) = overlay.take(&ids) {
            add_held(&mut cell, &held)?;
            if cell.is_zero() {
                return Ok(());
            }
        }
        let info = groups.of_set(self.connection, ids.dimension_set, names)?;
        let process = self.query.by_process.then_some(ids.process);
        let sum = sums
            .entry((info.group, process, ids.label, ids.layout))
            .or_default();
        sum.cell.add(&cell);
        sum.builds.note(info.build, info.day, cell.count());
        Ok(())
    }

    /// Sums of what is stored, and of what is held of the same cells.
    fn stored_sums(
        &self,
        overlay: &mut Overlay<'_>,
        taken: &mut Taken,
        names: &mut Names<'_>,
        groups: &mut Groups,
    ) -> Result<HashMap<Group, Sum>, AggregateError> {
        let Self {
            connection,
            query,
            conditions,
        } = *self;
        let mut sums: HashMap<Group, Sum> = HashMap::new();
        let Conditions { metric, sets, .. } = conditions;
        let (Some(first), Some(last)) = (sets.min(), sets.max()) else {
            return Ok(sums);
        };
        groups.learn(connection, &query.source, sets, names)?;
        let wanted = conditions.sql();
        const CELLS: &str = "SELECT c.dimension_set, c.process, c.label, c.layout, c.value FROM";
        let is_dense = u64::from(last - first) < sets.len() * SETS_PASSED;
        let mut statement = connection.prepare_cached(&match is_dense {
            true => format!("{CELLS} cell AS c WHERE {wanted} AND c.dimension_set BETWEEN ?1 AND ?2"),
            false => format!(
                "{CELLS} rarray(?1) AS wanted CROSS JOIN cell AS c ON c.dimension_set = wanted.value WHERE {wanted}"
            ),
        })?;
        let mut rows = match is_dense {
            true => statement.query([first, last])?,
            false => statement.query([table_of(sets)])?,
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
                metric: *metric,
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
}

/// A group by its number; process where these are kept apart, label and layout by their ids.
type Group = (usize, Option<i64>, i64, i64);

/// The same by names.
type NamedGroup = (Vec<String>, String, Layout);

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

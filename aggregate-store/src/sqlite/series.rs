//! Sums of one metric's cells. The dimension sets that match are looked up in their index, and the cells of each are
//! one stretch within the stretch of the metric.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use ping::SubmissionDate;
use rusqlite::Connection;
use sketch::{Cell, Layout};

use super::names::{Names, id_of};
use super::overlay::Overlay;
use crate::bounds::Taken;
use crate::build_date::{BuildDate, Builds};
use crate::dimensions::{LINUX, LINUX_VERSION_CHARS};
use crate::layer::{Part, add_held};
use crate::stored::date;
use crate::{AggregateError, Bounds, CellQuery, DateClock, Filters, SeriesRow};

/// The sums, ascending by version, date, label and layout.
pub(super) fn read(
    connection: &Connection,
    held: &[&Part],
    query: &CellQuery,
    bounds: Bounds,
) -> Result<Vec<SeriesRow>, AggregateError> {
    let mut overlay = Overlay::of(connection, held, query)?;
    let mut taken = Taken::new(bounds);
    let stored = stored_sums(connection, query, &mut overlay, &mut taken)?;
    let mut names = Names::new(connection);
    let mut sums: BTreeMap<NamedGroup, Sum> = BTreeMap::new();
    for (group, sum) in stored {
        sums.insert(named(&mut names, query.clock, group)?, sum);
    }
    for (name, cells) in overlay.rest() {
        let mut cell = Cell::default();
        add_held(&mut cell, &cells)?;
        if cell.is_zero() {
            continue;
        }
        let set = name.dimensions;
        let group = (
            set.version.clone(),
            set.date(query.clock),
            name.label.to_owned(),
            name.layout,
        );
        let sum = sums.entry(group).or_default();
        let before = sum.cell.bins().len();
        sum.cell.add(&cell);
        let build = BuildDate::of(&set.build_date);
        sum.builds.note(build, set.submission_date, cell.count());
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
) -> Result<HashMap<Group, Sum>, AggregateError> {
    let mut sums: HashMap<Group, Sum> = HashMap::new();
    let Some(Conditions { sets, cells }) = Conditions::of(connection, query)? else {
        return Ok(sums);
    };
    let mut statement = connection.prepare(&format!(
        "SELECT s.version, s.{}, c.label, c.layout, s.build_date, c.value, c.metric, c.dimension_set, c.process,
         s.submission_date
         FROM dimension_set AS s CROSS JOIN cell AS c ON c.dimension_set = s.id WHERE {sets} AND {cells}",
        date_column(query.clock)
    ))?;
    let mut rows = statement.query([])?;
    let mut names = Names::new(connection);
    let mut builds: HashMap<i64, BuildDate> = HashMap::new();
    let mut days: HashMap<i64, SubmissionDate> = HashMap::new();
    while let Some(row) = rows.next()? {
        let value = row.get_ref(5)?.as_blob().map_err(rusqlite::Error::from)?;
        let mut cell = Cell::decode(value).map_err(|error| AggregateError::Damaged(error.to_string()))?;
        if let Some(held) = overlay.take(row, [6, 7, 8, 2, 3])? {
            add_held(&mut cell, &held)?;
            if cell.is_zero() {
                continue;
            }
        }
        let (build, day): (i64, i64) = (row.get(4)?, row.get(9)?);
        let build = match builds.get(&build) {
            Some(known) => *known,
            None => *builds
                .entry(build)
                .or_insert(BuildDate::of(&names.string(build)?)),
        };
        let day = match days.get(&day) {
            Some(known) => *known,
            None => *days.entry(day).or_insert(date(day)?),
        };
        let group = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let sum = sums.entry(group).or_default();
        let before = sum.cell.bins().len();
        sum.cell.add(&cell);
        sum.builds.note(build, day, cell.count());
        let after = sum.cell.bins().len();
        taken.note(sums.len(), before, after)?;
    }
    Ok(sums)
}

/// Version, date, label and layout, as ids or as the number of a day.
type Group = (i64, i64, i64, i64);

/// The same by names.
type NamedGroup = (String, String, String, Layout);

/// The sum of a group's cells, and what their builds say.
#[derive(Default)]
struct Sum {
    cell: Cell,
    builds: Builds,
}

fn named(names: &mut Names<'_>, clock: DateClock, group: Group) -> Result<NamedGroup, AggregateError> {
    let (version, day, label, layout) = group;
    Ok((
        names.string(version)?.to_string(),
        match clock {
            DateClock::BuildDate => names.string(day)?.to_string(),
            DateClock::SubmissionDate => date(day)?.to_string(),
        },
        names.string(label)?.to_string(),
        names.layout(layout)?,
    ))
}

fn row((group, sum): (NamedGroup, Sum)) -> SeriesRow {
    let (version, date, label, layout) = group;
    SeriesRow {
        version,
        date,
        label,
        layout,
        plausible: sum.builds.plausible(),
        newest_build: sum.builds.newest(),
        cell: sum.cell,
    }
}

pub(super) fn date_column(clock: DateClock) -> &'static str {
    match clock {
        DateClock::BuildDate => "build_date",
        DateClock::SubmissionDate => "submission_date",
    }
}

/// Conditions in SQL, with numbers only.
pub(super) struct Conditions {
    /// On the dimension sets `s`; never empty.
    pub(super) sets: String,
    /// On the cells `c`; never empty.
    pub(super) cells: String,
}

impl Conditions {
    /// Those of a question; `None` when a name that is asked for is not stored at all.
    pub(super) fn of(connection: &Connection, query: &CellQuery) -> Result<Option<Self>, AggregateError> {
        let CellQuery {
            clock,
            channel,
            version,
            dates,
            metric,
            filters,
        } = query;
        let Filters {
            application,
            architecture,
            os,
            os_version,
            original_os_version,
            e10s,
            label,
            processes,
        } = filters;
        let mut sets = Vec::new();
        let mut cells = Vec::new();
        let of_sets = [
            ("s.channel", Some(channel)),
            ("s.version", version.as_ref()),
            ("s.application", application.as_ref()),
            ("s.architecture", architecture.as_ref()),
            ("s.os", os.as_ref()),
            ("s.os_version", os_version.as_ref()),
            ("s.e10s", e10s.as_ref()),
        ];
        let of_cells = [("c.metric", Some(metric)), ("c.label", label.as_ref())];
        for (conditions, wanted) in [(&mut sets, &of_sets[..]), (&mut cells, &of_cells[..])] {
            for (column, wanted) in wanted {
                let Some(wanted) = wanted else { continue };
                let Some(id) = id_of(connection, wanted)? else {
                    return Ok(None);
                };
                conditions.push(format!("{column} = {id}"));
            }
        }
        if let Some(wanted) = original_os_version {
            sets.push(of_original_version(connection, wanted)?);
        }
        if let Some(processes) = processes {
            let ids = ids_of(connection, processes)?;
            cells.push(format!("c.process IN ({})", ids.join(",")));
        }
        if let Some(dates) = dates {
            let values = match clock {
                DateClock::BuildDate => ids_of(connection, dates)?,
                DateClock::SubmissionDate => days_of(dates),
            };
            sets.push(format!("s.{} IN ({})", date_column(*clock), values.join(",")));
        }
        Ok(Some(Self {
            sets: sets.join(" AND "),
            cells: cells.join(" AND "),
        }))
    }
}

/// Which sets have this version of their operating system, as the original counted it.
fn of_original_version(connection: &Connection, wanted: &str) -> Result<String, AggregateError> {
    let itself = id_of(connection, wanted)?.unwrap_or(NO_ID);
    let linux = id_of(connection, LINUX)?.unwrap_or(NO_ID);
    let of_linux = match wanted.chars().count().cmp(&LINUX_VERSION_CHARS) {
        Ordering::Less => format!("s.os_version = {itself}"),
        // No text that is stored has a NUL before the end of a version's beginning.
        Ordering::Equal if !wanted.contains('\0') => format!(
            "(SELECT substr(text, 1, {LINUX_VERSION_CHARS}) FROM string WHERE id = s.os_version) = '{}'",
            wanted.replace('\'', "''")
        ),
        _ => "FALSE".to_owned(),
    };
    Ok(format!(
        "(CASE s.os WHEN {linux} THEN {of_linux} ELSE s.os_version = {itself} END)"
    ))
}

/// No row has it.
const NO_ID: i64 = -1;

fn ids_of(connection: &Connection, texts: &[String]) -> Result<Vec<String>, AggregateError> {
    let mut ids = Vec::new();
    for text in texts {
        ids.extend(id_of(connection, text)?.map(|id| id.to_string()));
    }
    Ok(ids)
}

fn days_of(dates: &[String]) -> Vec<String> {
    let days = dates
        .iter()
        .filter_map(|text| text.parse::<SubmissionDate>().ok());
    days.map(|day| day.as_yyyymmdd().to_string()).collect()
}

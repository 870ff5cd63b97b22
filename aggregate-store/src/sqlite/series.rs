//! Sums of one metric's cells. The dimension sets that match are looked up in their index, and the cells of each are
//! one stretch within the stretch of the metric.

use std::collections::{BTreeMap, HashMap};

use ping::SubmissionDate;
use rusqlite::{Connection, Row};
use sketch::{Cell, Layout};

use super::finder::{CellIds, Finder};
use super::names::{Names, id_of};
use crate::layer::{CellName, Part, matching};
use crate::stored::date;
use crate::{AggregateError, CellQuery, DateClock, Filters, SeriesRow};

/// The sums, ascending by version, date, label and layout.
pub(super) fn read(
    connection: &Connection,
    held: &[&Part],
    query: &CellQuery,
) -> Result<Vec<SeriesRow>, AggregateError> {
    let mut overlay = Overlay::of(connection, held, query)?;
    let stored = stored_sums(connection, query, &mut overlay)?;
    let mut names = Names::new(connection);
    let mut sums: BTreeMap<NamedGroup, NamedSum> = BTreeMap::new();
    for (group, sum) in stored {
        let (group, sum) = named(&mut names, query.clock, group, sum)?;
        sums.insert(group, sum);
    }
    for (name, cell) in overlay.rest() {
        let set = name.dimensions;
        let group = (
            set.version.clone(),
            set.date(query.clock),
            name.label.to_owned(),
            name.layout,
        );
        let sum = sums.entry(group).or_default();
        sum.cell.add(&cell);
        sum.note_build(&set.build_date);
    }
    let sums = sums.into_iter().filter(|(_, sum)| !sum.cell.is_zero());
    Ok(sums.map(row).collect())
}

/// Held cells, those under keys that the database knows apart from the others.
struct Overlay<'a> {
    known: HashMap<CellIds, (CellName<'a>, Cell)>,
    unknown: Vec<(CellName<'a>, Cell)>,
}

impl<'a> Overlay<'a> {
    fn of(connection: &'a Connection, held: &[&'a Part], query: &CellQuery) -> Result<Self, AggregateError> {
        let mut finder = Finder::new(connection);
        let (mut known, mut unknown) = (HashMap::new(), Vec::new());
        for (name, cell) in matching(held, query)? {
            match finder.ids(name)? {
                Some(ids) => {
                    known.insert(ids, (name, cell));
                }
                None => unknown.push((name, cell)),
            }
        }
        Ok(Self { known, unknown })
    }

    /// What is held of this stored cell; it is not among the rest then.
    fn take(&mut self, row: &Row<'_>) -> Result<Option<Cell>, AggregateError> {
        if self.known.is_empty() {
            return Ok(None);
        }
        let ids = CellIds {
            metric: row.get(6)?,
            dimension_set: row.get(7)?,
            process: row.get(8)?,
            label: row.get(2)?,
            layout: row.get(3)?,
        };
        Ok(self.known.remove(&ids).map(|(_, cell)| cell))
    }

    /// What is held of cells that are not stored.
    fn rest(self) -> impl Iterator<Item = (CellName<'a>, Cell)> {
        self.known.into_values().chain(self.unknown)
    }
}

/// Sums of what is stored, and of what is held of the same cells.
fn stored_sums(
    connection: &Connection,
    query: &CellQuery,
    overlay: &mut Overlay<'_>,
) -> Result<HashMap<Group, Sum>, AggregateError> {
    let mut sums: HashMap<Group, Sum> = HashMap::new();
    let Some(conditions) = conditions(connection, query)? else {
        return Ok(sums);
    };
    let mut statement = connection.prepare(&format!(
        "SELECT s.version, s.{}, c.label, c.layout, s.build_date, c.value, c.metric, c.dimension_set, c.process
         FROM dimension_set AS s CROSS JOIN cell AS c ON c.dimension_set = s.id WHERE {conditions}",
        date_column(query.clock)
    ))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let value = row.get_ref(5)?.as_blob().map_err(rusqlite::Error::from)?;
        let mut cell = Cell::decode(value).map_err(|error| AggregateError::Damaged(error.to_string()))?;
        if let Some(held) = overlay.take(row)? {
            cell.add(&held);
            if cell.is_zero() {
                continue;
            }
        }
        let group = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        sums.entry(group).or_default().add(row.get(4)?, &cell);
    }
    Ok(sums)
}

/// Version, date, label and layout, as ids or as the number of a day.
type Group = (i64, i64, i64, i64);

/// The same by names.
type NamedGroup = (String, String, String, Layout);

/// The sum of a group's cells, and the build dates among them as ids.
#[derive(Default)]
struct Sum {
    cell: Cell,
    builds: Vec<i64>,
}

/// The sum of a group's cells, and the newest build date among them that was stated.
#[derive(Default)]
struct NamedSum {
    cell: Cell,
    newest: Option<String>,
}

impl Sum {
    fn add(&mut self, build: i64, cell: &Cell) {
        if !self.builds.contains(&build) {
            self.builds.push(build);
        }
        self.cell.add(cell);
    }
}

impl NamedSum {
    fn note_build(&mut self, build: &str) {
        if build != ping::UNKNOWN && self.newest.as_deref().is_none_or(|newest| build > newest) {
            self.newest = Some(build.to_owned());
        }
    }
}

fn named(
    names: &mut Names<'_>,
    clock: DateClock,
    group: Group,
    sum: Sum,
) -> Result<(NamedGroup, NamedSum), AggregateError> {
    let (version, day, label, layout) = group;
    let mut named = NamedSum {
        cell: sum.cell,
        newest: None,
    };
    for build in sum.builds {
        named.note_build(&names.string(build)?);
    }
    let group = (
        names.string(version)?.to_string(),
        match clock {
            DateClock::BuildDate => names.string(day)?.to_string(),
            DateClock::SubmissionDate => date(day)?.to_string(),
        },
        names.string(label)?.to_string(),
        names.layout(layout)?,
    );
    Ok((group, named))
}

fn row((group, sum): (NamedGroup, NamedSum)) -> SeriesRow {
    let (version, date, label, layout) = group;
    SeriesRow {
        version,
        date,
        label,
        layout,
        newest_build: sum.newest.unwrap_or_else(|| ping::UNKNOWN.to_owned()),
        cell: sum.cell,
    }
}

fn date_column(clock: DateClock) -> &'static str {
    match clock {
        DateClock::BuildDate => "build_date",
        DateClock::SubmissionDate => "submission_date",
    }
}

/// The conditions in SQL, with numbers only; `None` when a name that is asked for is not stored at all.
fn conditions(connection: &Connection, query: &CellQuery) -> Result<Option<String>, AggregateError> {
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
        e10s,
        label,
        processes,
    } = filters;
    let mut conditions = Vec::new();
    for (column, wanted) in [
        ("c.metric", Some(metric)),
        ("s.channel", Some(channel)),
        ("s.version", version.as_ref()),
        ("s.application", application.as_ref()),
        ("s.architecture", architecture.as_ref()),
        ("s.os", os.as_ref()),
        ("s.os_version", os_version.as_ref()),
        ("s.e10s", e10s.as_ref()),
        ("c.label", label.as_ref()),
    ] {
        let Some(wanted) = wanted else { continue };
        let Some(id) = id_of(connection, wanted)? else {
            return Ok(None);
        };
        conditions.push(format!("{column} = {id}"));
    }
    let mut lists = Vec::new();
    if let Some(processes) = processes {
        lists.push(("c.process".to_owned(), ids_of(connection, processes)?));
    }
    if let Some(dates) = dates {
        let values = match clock {
            DateClock::BuildDate => ids_of(connection, dates)?,
            DateClock::SubmissionDate => days_of(dates),
        };
        lists.push((format!("s.{}", date_column(*clock)), values));
    }
    for (column, values) in lists {
        if values.is_empty() {
            return Ok(None);
        }
        conditions.push(format!("{column} IN ({})", values.join(",")));
    }
    Ok(Some(conditions.join(" AND ")))
}

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

//! Sums of one metric's cells. The dimension sets that match are looked up in their index, and the cells of each are
//! one stretch within the stretch of the metric.

use std::collections::HashMap;
use std::sync::Arc;

use ping::SubmissionDate;
use rusqlite::{Connection, Row};
use sketch::{Cell, Layout};

use super::names::{Names, id_of};
use super::refusal::date;
use crate::{AggregateError, CellQuery, DateClock, Filters, SeriesRow};

/// The sums, ascending by version, date, label and layout.
pub(super) fn read(connection: &Connection, query: &CellQuery) -> Result<Vec<SeriesRow>, AggregateError> {
    let Some(conditions) = conditions(connection, query)? else {
        return Ok(Vec::new());
    };
    let mut statement = connection.prepare(&format!(
        "SELECT s.version, s.{}, c.label, c.layout, s.build_date, c.value
         FROM dimension_set AS s CROSS JOIN cell AS c ON c.dimension_set = s.id WHERE {conditions}",
        date_column(query.clock)
    ))?;
    let mut rows = statement.query([])?;
    let mut sums: HashMap<Group, Sum> = HashMap::new();
    while let Some(row) = rows.next()? {
        let group = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        sums.entry(group).or_default().add(row)?;
    }
    let mut names = Names::new(connection);
    let mut series = Vec::with_capacity(sums.len());
    for (group, sum) in sums {
        if !sum.cell.is_zero() {
            series.push(named(&mut names, query.clock, group, sum)?);
        }
    }
    series.sort_by(|a, b| order(a).cmp(&order(b)));
    Ok(series)
}

/// Version, date, label and layout, as ids or as the number of a day.
type Group = (i64, i64, i64, i64);

/// The sum of a group's cells, and the build dates among them as ids.
#[derive(Default)]
struct Sum {
    cell: Cell,
    builds: Vec<i64>,
}

impl Sum {
    fn add(&mut self, row: &Row<'_>) -> Result<(), AggregateError> {
        let build = row.get(4)?;
        if !self.builds.contains(&build) {
            self.builds.push(build);
        }
        let value = row.get_ref(5)?.as_blob().map_err(rusqlite::Error::from)?;
        let cell = Cell::decode(value).map_err(|error| AggregateError::Damaged(error.to_string()))?;
        self.cell.add(&cell);
        Ok(())
    }
}

fn named(
    names: &mut Names<'_>,
    clock: DateClock,
    group: Group,
    sum: Sum,
) -> Result<SeriesRow, AggregateError> {
    let (version, day, label, layout) = group;
    let mut newest: Option<Arc<str>> = None;
    for build in sum.builds {
        let build = names.string(build)?;
        if &*build != ping::UNKNOWN && newest.as_ref().is_none_or(|newest| build > *newest) {
            newest = Some(build);
        }
    }
    Ok(SeriesRow {
        version: names.string(version)?.to_string(),
        date: match clock {
            DateClock::BuildDate => names.string(day)?.to_string(),
            DateClock::SubmissionDate => date(day)?.to_string(),
        },
        label: names.string(label)?.to_string(),
        layout: names.layout(layout)?,
        newest_build: newest.as_deref().unwrap_or(ping::UNKNOWN).to_owned(),
        cell: sum.cell,
    })
}

fn order(row: &SeriesRow) -> (&str, &str, &str, Layout) {
    (&row.version, &row.date, &row.label, row.layout)
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

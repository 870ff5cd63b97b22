//! Sums of one metric's cells: the database finds them, and they are added up here as they come.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use futures_util::TryStreamExt;
use ping::SubmissionDate;
use postgres_connections::Failure;
use sketch::{Cell, Layout};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::ids::column;
use super::layouts;
use super::listing::{left_out, text};
use crate::bounds::Taken;
use crate::build_date::{BuildDate, Builds};
use crate::dimensions::{LINUX, LINUX_VERSION_CHARS};
use crate::stored::{self, date};
use crate::{AggregateError, Bounds, CellQuery, DateClock, Filters, Listed, SeriesRow, ValueOf};

const SUMS: &str = "SELECT version.bytes, s.submission_date, build.bytes, label.bytes, l.kind, l.min, l.max, l.bin_count, c.value \
     FROM highwater_aggregates.dimension_set s JOIN highwater_aggregates.cell c ON c.dimension_set = s.id \
     JOIN highwater_aggregates.string version ON version.id = s.version \
     JOIN highwater_aggregates.string build ON build.id = s.build_date \
     JOIN highwater_aggregates.string label ON label.id = c.label \
     JOIN highwater_aggregates.layout l ON l.id = c.layout WHERE TRUE";
const CELLS: &str = "FROM highwater_aggregates.dimension_set s JOIN highwater_aggregates.cell c ON c.dimension_set = s.id \
     WHERE TRUE";

/// The sums, ascending by version, date, label and layout.
pub(super) async fn read(
    client: &Client,
    query: &CellQuery,
    bounds: Bounds,
) -> Result<Vec<SeriesRow>, Failure> {
    let asked = Asked::of(query)?;
    let (sql, given) = asked.statement(SUMS);
    let rows = client.query_typed_raw(&sql, given).await?;
    let mut rows = pin!(rows);
    let mut taken = Taken::new(bounds);
    let mut sums: BTreeMap<Group, Sum> = BTreeMap::new();
    while let Some(row) = rows.try_next().await? {
        let Found {
            group,
            build,
            day,
            cell,
        } = read_row(&row, query.clock)?;
        let sum = sums.entry(group).or_default();
        let before = sum.cell.bins().len();
        sum.cell.add(&cell);
        sum.builds.note(build, day, cell.count());
        let after = sum.cell.bins().len();
        taken.note(sums.len(), before, after).map_err(unfinished)?;
    }
    let sums = sums.into_iter().filter(|(_, sum)| !sum.cell.is_zero());
    Ok(sums.map(series_row).collect())
}

/// Which dates or processes there are, ascending; of more than `limit` the last ones.
pub(super) async fn values_of(
    client: &Client,
    query: &CellQuery,
    of: ValueOf,
    limit: usize,
) -> Result<Listed<String>, Failure> {
    let asked = Asked::of(query)?;
    let (cells, mut given) = asked.statement(CELLS);
    let (column, is_day) = match (of, query.clock) {
        (ValueOf::Date, DateClock::SubmissionDate) => ("s.submission_date", true),
        (ValueOf::Date, DateClock::BuildDate) => ("s.build_date", false),
        (ValueOf::Process, _) => ("c.process", false),
    };
    let at_most = stored::limit(limit);
    given.push((&at_most, Type::INT8));
    let number = given.len();
    let sql = match is_day {
        true => format!(
            "SELECT v.id, count(*) OVER () FROM (SELECT DISTINCT {column} AS id {cells}) v ORDER BY 1 DESC LIMIT ${number}"
        ),
        false => format!(
            "SELECT t.bytes, count(*) OVER () FROM (SELECT DISTINCT {column} AS id {cells}) v \
             JOIN highwater_aggregates.string t ON t.id = v.id ORDER BY 1 DESC LIMIT ${number}"
        ),
    };
    let rows = client.query_typed(&sql, &given).await?;
    let mut values = BTreeSet::new();
    for row in &rows {
        values.insert(match is_day {
            true => date(row.try_get::<_, i32>(0)?.into())?.to_string(),
            false => text(row, 0)?,
        });
    }
    Ok(Listed {
        left_out: left_out(&rows, 1)?,
        values: values.into_iter().collect(),
    })
}

/// The rest of the answer is still coming: the connection is of no use any more.
fn unfinished(error: AggregateError) -> Failure {
    Failure::Unfinished(Box::new(error))
}

/// Version, date, label and layout.
type Group = (String, String, String, Layout);

/// The sum of a group's cells, and what their builds say.
#[derive(Default)]
struct Sum {
    cell: Cell,
    builds: Builds,
}

/// A cell with what it is added up by.
struct Found {
    group: Group,
    build: BuildDate,
    day: SubmissionDate,
    cell: Cell,
}

fn read_row(row: &Row, clock: DateClock) -> Result<Found, Failure> {
    let build = text(row, 2)?;
    let day = date(row.try_get::<_, i32>(1)?.into())?;
    let by_clock = match clock {
        DateClock::BuildDate => build.clone(),
        DateClock::SubmissionDate => day.to_string(),
    };
    let cell = Cell::decode(row.try_get(8)?);
    Ok(Found {
        group: (text(row, 0)?, by_clock, text(row, 3)?, layouts::read(row, 4)?),
        build: BuildDate::of(&build),
        day,
        cell: cell.map_err(|error| AggregateError::Damaged(error.to_string()))?,
    })
}

fn series_row((group, sum): (Group, Sum)) -> SeriesRow {
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

/// What is asked, as the database takes it.
struct Asked<'a> {
    /// Columns that have one text.
    texts: Vec<(&'static str, &'a [u8])>,
    /// Columns that have one of several texts.
    lists: Vec<(&'static str, Vec<&'a [u8]>)>,
    /// The version of the operating system as the original counted it, and whether that is the beginning of one of Linux, or a
    /// whole one.
    original_os_version: Option<(&'a [u8], bool, bool)>,
    days: Option<Vec<i32>>,
}

impl<'a> Asked<'a> {
    fn of(query: &'a CellQuery) -> Result<Self, AggregateError> {
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
        let texts = [
            ("c.metric", Some(metric)),
            ("s.channel", Some(channel)),
            ("s.version", version.as_ref()),
            ("s.application", application.as_ref()),
            ("s.architecture", architecture.as_ref()),
            ("s.os", os.as_ref()),
            ("s.os_version", os_version.as_ref()),
            ("s.e10s", e10s.as_ref()),
            ("c.label", label.as_ref()),
        ];
        let texts = texts.into_iter();
        let mut asked = Self {
            texts: texts
                .filter_map(|(name, text)| Some((name, text?.as_bytes())))
                .collect(),
            lists: Vec::new(),
            original_os_version: original_os_version.as_ref().map(|wanted| {
                let is_beginning = wanted.chars().count() == LINUX_VERSION_CHARS;
                let is_whole = wanted.chars().count() < LINUX_VERSION_CHARS;
                (wanted.as_bytes(), is_beginning, is_whole)
            }),
            days: None,
        };
        if let Some(processes) = processes {
            asked.lists.push(("c.process", bytes_of(processes)));
        }
        match (clock, dates) {
            (_, None) => {}
            (DateClock::BuildDate, Some(dates)) => asked.lists.push(("s.build_date", bytes_of(dates))),
            (DateClock::SubmissionDate, Some(dates)) => {
                let days = dates
                    .iter()
                    .filter_map(|text| text.parse::<SubmissionDate>().ok());
                let days = days.map(|day| column(day.as_yyyymmdd()));
                asked.days = Some(days.collect::<Result<_, _>>()?);
            }
        }
        Ok(asked)
    }

    /// The statement that begins so, with all conditions, and what is given to it.
    fn statement<'g>(&'g self, beginning: &str) -> (String, Vec<(&'g (dyn ToSql + Sync), Type)>) {
        let mut sql = beginning.to_owned();
        let mut given: Vec<(&'g (dyn ToSql + Sync), Type)> = Vec::new();
        for (name, text) in &self.texts {
            given.push((text, Type::BYTEA));
            sql.push_str(&format!(
                " AND {name} = (SELECT id FROM highwater_aggregates.string WHERE sha256(bytes) = sha256(${}))",
                given.len()
            ));
        }
        for (name, list) in &self.lists {
            given.push((list, Type::BYTEA_ARRAY));
            sql.push_str(&format!(
                " AND {name} IN (SELECT t.id FROM unnest(${}) AS i (bytes) \
                 JOIN highwater_aggregates.string t ON sha256(t.bytes) = sha256(i.bytes))",
                given.len()
            ));
        }
        if let Some((wanted, is_beginning, is_whole)) = &self.original_os_version {
            given.extend([
                (wanted, Type::BYTEA),
                (is_beginning, Type::BOOL),
                (is_whole, Type::BOOL),
            ] as [Given<'_>; 3]);
            let first = given.len() - 2;
            let (second, third) = (first + 1, first + 2);
            sql.push_str(&format!(
                " AND (SELECT CASE WHEN (SELECT bytes FROM highwater_aggregates.string WHERE id = s.os) = '{LINUX}'::BYTEA \
                 THEN (${second} AND substring(v.bytes FROM 1 FOR octet_length(${first})) = ${first}) OR (${third} AND v.bytes = ${first}) \
                 ELSE v.bytes = ${first} END FROM highwater_aggregates.string v WHERE v.id = s.os_version)"
            ));
        }
        if let Some(days) = &self.days {
            given.push((days, Type::INT4_ARRAY));
            sql.push_str(&format!(" AND s.submission_date = ANY (${})", given.len()));
        }
        (sql, given)
    }
}

/// A value that is given to a statement.
type Given<'a> = (&'a (dyn ToSql + Sync), Type);

fn bytes_of(texts: &[String]) -> Vec<&[u8]> {
    texts.iter().map(String::as_bytes).collect()
}

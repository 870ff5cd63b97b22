//! Sums of one metric's cells: the database finds them, and they are added up here as they come.

use std::collections::BTreeMap;
use std::pin::pin;

use futures_util::TryStreamExt;
use ping::SubmissionDate;
use postgres_connections::Failure;
use sketch::{Cell, Layout};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::dictionary::column;
use super::layouts;
use super::listing::text;
use crate::stored::date;
use crate::{AggregateError, CellQuery, DateClock, Filters, SeriesRow};

const SELECT: &str = "SELECT version.bytes, s.submission_date, build.bytes, label.bytes, l.kind, l.min, l.max, l.bin_count, c.value \
     FROM highwater_aggregates.dimension_set s JOIN highwater_aggregates.cell c ON c.dimension_set = s.id \
     JOIN highwater_aggregates.string version ON version.id = s.version \
     JOIN highwater_aggregates.string build ON build.id = s.build_date \
     JOIN highwater_aggregates.string label ON label.id = c.label \
     JOIN highwater_aggregates.layout l ON l.id = c.layout WHERE TRUE";

/// The sums, ascending by version, date, label and layout.
pub(super) async fn read(client: &Client, query: &CellQuery) -> Result<Vec<SeriesRow>, Failure> {
    let asked = Asked::of(query)?;
    let (sql, given) = asked.statement();
    let rows = client.query_typed_raw(&sql, given).await?;
    let mut rows = pin!(rows);
    let mut sums: BTreeMap<Group, Sum> = BTreeMap::new();
    while let Some(row) = rows.try_next().await? {
        let (group, build, cell) = read_row(&row, query.clock)?;
        let sum = sums.entry(group).or_default();
        sum.cell.add(&cell);
        if build != ping::UNKNOWN && sum.newest.as_ref().is_none_or(|newest| build > *newest) {
            sum.newest = Some(build);
        }
    }
    let sums = sums.into_iter().filter(|(_, sum)| !sum.cell.is_zero());
    Ok(sums.map(series_row).collect())
}

/// Version, date, label and layout.
type Group = (String, String, String, Layout);

/// The sum of a group's cells, and the newest build date among them that was stated.
#[derive(Default)]
struct Sum {
    cell: Cell,
    newest: Option<String>,
}

fn read_row(row: &Row, clock: DateClock) -> Result<(Group, String, Cell), Failure> {
    let build = text(row, 2)?;
    let day: i32 = row.try_get(1)?;
    let day = match clock {
        DateClock::BuildDate => build.clone(),
        DateClock::SubmissionDate => date(day.into())?.to_string(),
    };
    let group = (text(row, 0)?, day, text(row, 3)?, layouts::read(row, 4)?);
    let cell = Cell::decode(row.try_get(8)?);
    let cell = cell.map_err(|error| AggregateError::Damaged(error.to_string()))?;
    Ok((group, build, cell))
}

fn series_row((group, sum): (Group, Sum)) -> SeriesRow {
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

/// What is asked, as the database takes it.
struct Asked<'a> {
    /// Columns that have one text.
    texts: Vec<(&'static str, &'a [u8])>,
    /// Columns that have one of several texts.
    lists: Vec<(&'static str, Vec<&'a [u8]>)>,
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

    fn statement(&self) -> (String, Vec<(&(dyn ToSql + Sync), Type)>) {
        let mut sql = SELECT.to_owned();
        let mut given: Vec<(&(dyn ToSql + Sync), Type)> = Vec::new();
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
        if let Some(days) = &self.days {
            given.push((days, Type::INT4_ARRAY));
            sql.push_str(&format!(" AND s.submission_date = ANY (${})", given.len()));
        }
        (sql, given)
    }
}

fn bytes_of(texts: &[String]) -> Vec<&[u8]> {
    texts.iter().map(String::as_bytes).collect()
}

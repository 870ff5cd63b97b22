//! Sums of one metric's cells: the database finds them, and they are added up here as they come, by the ids of their names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::pin;
use std::sync::Arc;

use futures_util::TryStreamExt;
use futures_util::future::try_join;
use ping::{SubmissionDate, UNKNOWN};
use postgres_connections::Failure;
use sketch::{Cell, Layout};
use tokio_postgres::{Client, Row};

use super::conditions;
use super::given::Given;
use super::known::{Known, Tables};
use super::sets::unpaired;
use super::snapshot;
use crate::bounds::Taken;
use crate::build_date::{self, BuildDate};
use crate::stored::date;
use crate::{AggregateError, Bounds, CellQuery, Dimension, SeriesRow, Wanted, pieces};

/// How often a question is begun anew because dates of builds came into the database that were not known before.
const ATTEMPTS: u32 = 8;

/// A question, and what is known of the database.
pub(super) struct Asked<'a> {
    pub(super) query: &'a CellQuery,
    pub(super) bounds: Bounds,
    pub(super) known: &'a Known,
}

/// The sums of what is in use, ascending by group, label and layout. Two round trips, once its names are known.
pub(super) async fn read(client: &Client, asked: &Asked<'_>) -> Result<Vec<SeriesRow>, Failure> {
    let mut builds = Builds::default();
    for _ in 0..ATTEMPTS {
        let tried = snapshot::ended(client, add_up(client, asked, &builds).await).await?;
        let (tables, unknown) = match tried {
            Tried::Answered(rows) => return Ok(rows),
            Tried::Unknown(tables, unknown) => (tables, unknown),
        };
        let found = asked.known.texts(client, &tables, unknown).await?;
        builds.add(tables, found);
    }
    Err(Failure::of("dates of builds come faster than they can be read"))
}

/// Dates of builds that were looked up for this question: however much else is asked for beside it, they are not forgotten.
#[derive(Default)]
struct Builds {
    tables: Option<Tables>,
    dates: HashMap<i32, BuildDate>,
}

impl Builds {
    fn add(&mut self, tables: Tables, texts: HashMap<i32, Arc<str>>) {
        if self.tables.as_ref() != Some(&tables) {
            self.dates.clear();
        }
        self.tables = Some(tables);
        let dates = texts.into_iter().map(|(id, text)| (id, BuildDate::of(&text)));
        self.dates.extend(dates);
    }

    fn date(&self, known: &Known, tables: &Tables, id: i32) -> Option<BuildDate> {
        let mine = self
            .dates
            .get(&id)
            .filter(|_| self.tables.as_ref() == Some(tables));
        mine.copied()
            .or_else(|| known.text(tables, id).map(|text| BuildDate::of(&text)))
    }
}

enum Tried {
    Answered(Vec<SeriesRow>),
    /// These dates of builds are to be looked up first.
    Unknown(Tables, BTreeSet<i32>),
}

/// Answers from one snapshot. What it is answered with has names that never change: these are looked up behind it.
async fn add_up(client: &Client, asked: &Asked<'_>, builds: &Builds) -> Result<Tried, Failure> {
    let (epochs, tables) = snapshot::begin(client, &asked.query.source).await?;
    let of_pieces = epochs.pieces(&asked.query.source);
    let mut sums = Vec::with_capacity(of_pieces.len());
    let mut unknown = BTreeSet::new();
    for (at, piece) in of_pieces.iter().enumerate() {
        let query = pieces::of_cells(asked.query, piece);
        let names = asked.known.ids(client, &tables, texts_of(&query)).await?;
        let adding = sum_of(client, (asked, &tables, builds), &query, &names);
        let sum = match at + 1 == of_pieces.len() {
            // Its end is on its way before the last answer is.
            true => try_join(adding, snapshot::end(client)).await?.0,
            false => adding.await?,
        };
        unknown.extend(sum.unknown.iter().copied());
        sums.push(sum);
    }
    if !unknown.is_empty() {
        drop(sums);
        return Ok(Tried::Unknown(tables, unknown));
    }
    let mut answers = Vec::with_capacity(sums.len());
    for sum in sums {
        answers.push(sum.named(client, asked.known, &tables).await?);
    }
    Ok(Tried::Answered(match answers.len() {
        1 => answers.remove(0),
        _ => pieces::series(answers),
    }))
}

/// Its one statement is on its way when it is first looked at.
async fn sum_of<'a>(
    client: &Client,
    (asked, tables, builds): (&'a Asked<'a>, &'a Tables, &'a Builds),
    query: &CellQuery,
    names: &HashMap<&str, Option<i32>>,
) -> Result<Sums<'a>, Failure> {
    let mut sums = Sums::of(query, (asked, tables, builds), names);
    let (sql, given) = statement(query, names)?;
    let rows = client.query_typed_raw(&sql, given.typed()).await?;
    let mut rows = pin!(rows);
    while let Some(row) = rows.try_next().await? {
        sums.add(&row)?;
    }
    Ok(sums)
}

/// All texts whose ids a question is put with.
fn texts_of(query: &CellQuery) -> BTreeSet<&str> {
    let mut texts = BTreeSet::from([query.metric.as_str(), Dimension::BUILD_DATE]);
    texts.extend(query.label.as_deref());
    texts.extend(query.processes.iter().flatten().map(String::as_str));
    texts.extend(query.group_by.iter().map(Dimension::as_str));
    for filter in &query.filters {
        texts.insert(filter.dimension.as_str());
        if let Wanted::AnyOf(values) = &filter.wanted {
            texts.extend(values.iter().map(String::as_str));
        }
    }
    texts
}

fn statement(
    query: &CellQuery,
    names: &HashMap<&str, Option<i32>>,
) -> Result<(String, Given), AggregateError> {
    let mut given = Given::knowing(names);
    let sets = conditions::of_sets(&mut given, &query.source, &query.filters)?;
    let cells = conditions::of_cells(&mut given, query);
    let sql = format!(
        "SELECT s.id, s.submission_date, s.pairs, c.process, c.label, c.layout, c.value \
         FROM highwater_aggregates.dimension_set s JOIN highwater_aggregates.cell c ON c.dimension_set = s.id \
         WHERE {sets} AND {cells}"
    );
    Ok((sql, given))
}

/// The sums of one epoch of a source, by ids.
struct Sums<'a> {
    asked: &'a Asked<'a>,
    tables: &'a Tables,
    builds: &'a Builds,
    /// The ids of what is grouped by, `None` for the day and for what has no id.
    grouped: Vec<Option<i32>>,
    build_date: Option<i32>,
    taken: Taken,
    /// Each with its number.
    groups: HashMap<Vec<Value>, usize>,
    sets: HashMap<i32, Set>,
    sums: HashMap<Place, Sum>,
    /// Dates of builds that are not known: then nothing is added up any more.
    unknown: BTreeSet<i32>,
}

/// A value that is grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Value {
    Day(SubmissionDate),
    Text(i32),
    Unstated,
}

/// What counts of a dimension set.
#[derive(Clone, Copy)]
struct Set {
    day: SubmissionDate,
    build: BuildDate,
    group: usize,
}

/// Where a cell is added up.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    group: usize,
    /// 0 where processes are not kept apart.
    process: i32,
    label: i32,
    layout: i32,
}

/// The sum of a group's cells, and what their builds say.
#[derive(Default)]
struct Sum {
    cell: Cell,
    builds: build_date::Builds,
}

impl<'a> Sums<'a> {
    fn of(
        query: &CellQuery,
        (asked, tables, builds): (&'a Asked<'a>, &'a Tables, &'a Builds),
        names: &HashMap<&str, Option<i32>>,
    ) -> Self {
        let id = |name: &str| names.get(name).copied().flatten();
        Self {
            asked,
            tables,
            builds,
            grouped: query
                .group_by
                .iter()
                .map(|dimension| id(dimension.as_str()))
                .collect(),
            build_date: id(Dimension::BUILD_DATE),
            taken: Taken::new(asked.bounds),
            groups: HashMap::new(),
            sets: HashMap::new(),
            sums: HashMap::new(),
            unknown: BTreeSet::new(),
        }
    }

    fn add(&mut self, row: &Row) -> Result<(), Failure> {
        let Some(set) = self.set(row)? else { return Ok(()) };
        if !self.unknown.is_empty() {
            return Ok(());
        }
        let by_process = self.asked.query.by_process;
        let place = Place {
            group: set.group,
            process: if by_process { row.try_get(3)? } else { 0 },
            label: row.try_get(4)?,
            layout: row.try_get(5)?,
        };
        let cell = Cell::decode(row.try_get(6)?);
        let cell = cell.map_err(|error| AggregateError::Damaged(error.to_string()))?;
        let sum = self.sums.entry(place).or_default();
        let before = sum.cell.bins().len();
        sum.cell.add(&cell);
        sum.builds.note(set.build, set.day, cell.count());
        let after = sum.cell.bins().len();
        let noted = self.taken.note(self.sums.len(), before, after);
        // The rest of the answer is still coming: the connection is of no use any more.
        noted.map_err(|error| Failure::Unfinished(Box::new(error)))
    }

    /// The set of a row; `None` when the date of its build is not known.
    fn set(&mut self, row: &Row) -> Result<Option<Set>, Failure> {
        let id: i32 = row.try_get(0)?;
        if let Some(set) = self.sets.get(&id) {
            return Ok(Some(*set));
        }
        let day = date(row.try_get::<_, i32>(1)?.into())?;
        let pairs: Vec<i64> = row.try_get(2)?;
        let mut values = Vec::with_capacity(pairs.len());
        for pair in pairs {
            values.push(unpaired(pair)?);
        }
        let value = |dimension: Option<i32>| {
            let stated = values.iter().find(|(stated, _)| Some(*stated) == dimension);
            stated.map(|(_, value)| *value)
        };
        let build = match value(self.build_date) {
            None => BuildDate::Unstated,
            Some(id) => match self.builds.date(self.asked.known, self.tables, id) {
                Some(build) => build,
                None => {
                    self.unknown.insert(id);
                    return Ok(None);
                }
            },
        };
        let by = self.asked.query.group_by.iter().zip(&self.grouped);
        let group = by.map(|(dimension, id)| match dimension.as_str() {
            Dimension::SUBMISSION_DATE => Value::Day(day),
            _ => value(*id).map_or(Value::Unstated, Value::Text),
        });
        let next = self.groups.len();
        let group = *self.groups.entry(group.collect()).or_insert(next);
        let set = Set { day, build, group };
        self.sets.insert(id, set);
        Ok(Some(set))
    }

    /// The sums under their names.
    async fn named(self, client: &Client, known: &Known, tables: &Tables) -> Result<Vec<SeriesRow>, Failure> {
        let by_process = self.asked.query.by_process;
        let (mut ids, mut layouts) = (BTreeSet::new(), BTreeSet::new());
        for value in self.groups.keys().flatten() {
            if let Value::Text(id) = value {
                ids.insert(*id);
            }
        }
        for place in self.sums.keys() {
            ids.insert(place.label);
            layouts.insert(place.layout);
            ids.extend(by_process.then_some(place.process));
        }
        let texts = known.texts(client, tables, ids).await?;
        let layouts = known.layouts(client, tables, layouts).await?;
        let text = |id: i32| {
            let text = texts.get(&id).map(ToString::to_string);
            text.ok_or_else(|| AggregateError::Damaged(format!("string {id} is missing")))
        };
        let mut groups = vec![Vec::new(); self.groups.len()];
        for (values, number) in &self.groups {
            for value in values {
                groups[*number].push(match value {
                    Value::Day(day) => day.to_string(),
                    Value::Text(id) => text(*id)?,
                    Value::Unstated => UNKNOWN.to_owned(),
                });
            }
        }
        let mut rows: BTreeMap<(Vec<String>, String, Layout), Sum> = BTreeMap::new();
        for (place, sum) in self.sums {
            if sum.cell.is_zero() {
                continue;
            }
            let mut group = groups[place.group].clone();
            if by_process {
                group.push(text(place.process)?);
            }
            let layout = layouts.get(&place.layout).copied();
            let layout = layout
                .ok_or_else(|| AggregateError::Damaged(format!("layout {} is missing", place.layout)))?;
            rows.insert((group, text(place.label)?, layout), sum);
        }
        Ok(rows.into_iter().map(series_row).collect())
    }
}

fn series_row(((group, label, layout), sum): ((Vec<String>, String, Layout), Sum)) -> SeriesRow {
    SeriesRow {
        group,
        label,
        layout,
        plausible: sum.builds.plausible(),
        newest_build: sum.builds.newest(),
        cell: sum.cell,
    }
}

//! Which values have cells, when what is held is added: the lists that are asked for. Exact, as if it were written.
//!
//! A value that is stored may have lost its last cell to what is held, and one that is held may add up to nothing. Both
//! are rare: they need something taken back. So first each value is looked at alone, by one of its cells; only where
//! that leaves a doubt, all held cells are compared with those stored.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::Connection;
use sketch::Cell;

use super::finder::Finder;
use super::listing::{self, Kind, Stored, Value};
use crate::layer::{CellName, Part};
use crate::listing::cut;
use crate::{AggregateError, DateClock, Dimension, DimensionSet, FilterOptions, Listed, Source, VersionDate};

/// Channels that have cells.
pub(super) fn channels(
    connection: &Connection,
    held: &[&Part],
    source: &Source,
    limit: usize,
) -> Result<Listed<String>, AggregateError> {
    let stored = listing::channels(connection, source, limit)?;
    let channel = |set: &DimensionSet| set.value(Dimension::CHANNEL).to_owned();
    let question = Question {
        of_set: &|set| vec![(Kind::of(Dimension::CHANNEL), channel(set), String::new())],
        of_cells: false,
        is_asked: &|set| set.source() == source,
    };
    let (present, left_out) = question.present(connection, held, stored, limit)?;
    Ok(Listed {
        values: present.into_iter().map(|(_, channel, _)| channel).collect(),
        left_out,
    })
}

/// Versions and dates of a channel that have cells.
pub(super) fn dates(
    connection: &Connection,
    held: &[&Part],
    source: &Source,
    clock: DateClock,
    channel: &str,
    limit: usize,
) -> Result<Listed<VersionDate>, AggregateError> {
    let stored = listing::dates(connection, source, clock, channel, limit)?;
    let dimension = clock.dimension();
    // What states no build is listed of `telemetry/main` alone.
    let is_dated = |set: &DimensionSet| {
        dimension == Dimension::SUBMISSION_DATE || set.listed().iter().any(|(name, ..)| *name == dimension)
    };
    let question = Question {
        of_set: &|set| {
            let version = set.value(Dimension::VERSION).to_owned();
            match is_dated(set) {
                true => vec![(Kind::of(dimension), set.any_value(dimension), version)],
                false => Vec::new(),
            }
        },
        of_cells: false,
        is_asked: &|set| set.source() == source && set.value(Dimension::CHANNEL) == channel,
    };
    let (present, left_out) = question.present(connection, held, stored, limit)?;
    let dates = present
        .into_iter()
        .map(|(_, date, version)| VersionDate { version, date });
    let mut values: Vec<VersionDate> = dates.collect();
    values.sort();
    Ok(Listed { values, left_out })
}

/// Values that have cells in a channel and version.
pub(super) fn filter_options(
    connection: &Connection,
    held: &[&Part],
    source: &Source,
    channel: &str,
    version: &str,
    limit: usize,
) -> Result<FilterOptions, AggregateError> {
    let stored = listing::values(connection, source, channel, version, limit)?;
    let question = Question {
        of_set: &|set| {
            let listed = set.listed().into_iter();
            let listed = listed.filter(|(name, ..)| *name != Dimension::BUILD_DATE);
            listed
                .map(|(name, value, detail)| {
                    (
                        Kind::of(name),
                        value.to_owned(),
                        detail.unwrap_or_default().to_owned(),
                    )
                })
                .collect()
        },
        of_cells: true,
        is_asked: &|set| {
            set.source() == source
                && set.value(Dimension::CHANNEL) == channel
                && set.value(Dimension::VERSION) == version
        },
    };
    let (present, left_out) = question.present(connection, held, stored, limit)?;
    let mut options = FilterOptions {
        left_out,
        ..FilterOptions::default()
    };
    for (kind, value, detail) in present {
        match kind {
            Kind::Metric => options.metrics.push(value),
            Kind::Process => options.processes.push(value),
            Kind::Dimension(name) if name == Dimension::OS => options.os.push((value, detail)),
            Kind::Dimension(name) => options.others.entry(name).or_default().push(value),
        }
    }
    Ok(options)
}

/// Metrics of a source that have cells, ascending, `stored` those of a part of all names: what is held may lie elsewhere, too.
pub(super) fn metrics(
    connection: &Connection,
    held: &[&Part],
    source: &Source,
    stored: Stored,
) -> Result<Vec<String>, AggregateError> {
    let question = Question {
        of_set: &|_| Vec::new(),
        of_cells: true,
        is_asked: &|set| set.source() == source,
    };
    let (present, _) = question.present(connection, held, stored, usize::MAX)?;
    let metrics = present.into_iter().filter(|(kind, ..)| *kind == Kind::Metric);
    Ok(metrics.map(|(_, metric, _)| metric).collect())
}

/// What a list is of.
struct Question<'q> {
    /// The values that a dimension set bears.
    of_set: &'q dyn Fn(&DimensionSet) -> Vec<Value>,
    /// Whether metric and process of each cell are values, too.
    of_cells: bool,
    /// Which dimension sets are asked for.
    is_asked: &'q dyn Fn(&DimensionSet) -> bool,
}

/// The held cells that bear a value: how many, and one of them. A cell that lies in several parts counts several times.
struct Tally<'a> {
    cells: i64,
    example: CellName<'a>,
}

impl Question<'_> {
    /// All values that have cells, at most `limit` of each kind, and how many are left out. `stored` are those in the
    /// database, with their numbers of cells. When some are left out of these, what is held is not looked at: whether it
    /// adds a value, or takes the last cell of one away, could only be told with all numbers.
    fn present<'a>(
        &self,
        connection: &'a Connection,
        held: &[&'a Part],
        stored: Stored,
        limit: usize,
    ) -> Result<(BTreeSet<Value>, u64), AggregateError> {
        let Stored { values, left_out } = stored;
        if left_out > 0 {
            return Ok((values.into_keys().collect(), left_out));
        }
        let mut by_kind: BTreeMap<Kind, BTreeMap<Value, i64>> = BTreeMap::new();
        for (value, cells) in self.with_held(connection, held, values)? {
            by_kind.entry(value.0.clone()).or_default().insert(value, cells);
        }
        let mut present = (BTreeSet::new(), 0);
        for of_kind in by_kind.into_values() {
            let (values, left_out) = cut(of_kind, limit);
            present.0.extend(values);
            present.1 += left_out;
        }
        Ok(present)
    }

    /// All values that have cells, with about as many as they have.
    fn with_held<'a>(
        &self,
        connection: &'a Connection,
        held: &[&'a Part],
        mut stored: BTreeMap<Value, i64>,
    ) -> Result<BTreeMap<Value, i64>, AggregateError> {
        let tallies = self.tally(held);
        let mut finder = Finder::new(connection);
        for (value, tally) in &tallies {
            if !self.is_sure(held, tally, stored.get(value).copied(), &mut finder)? {
                return self.compare(held, stored, &mut finder);
            }
        }
        for (value, tally) in tallies {
            *stored.entry(value).or_default() += tally.cells;
        }
        Ok(stored)
    }

    /// Whether a value that is held surely has a cell in the end.
    fn is_sure<'a>(
        &self,
        held: &[&Part],
        tally: &Tally<'a>,
        stored: Option<i64>,
        finder: &mut Finder<'a>,
    ) -> Result<bool, AggregateError> {
        if stored.is_some_and(|stored| stored > tally.cells) {
            return Ok(true);
        }
        if !held.iter().all(|part| part.is_plain()) {
            return Ok(false);
        }
        // Everything held only adds. To what is not stored, or is a sum of pings, it leaves something.
        let cell = match stored {
            Some(_) => finder.cell(tally.example)?,
            None => None,
        };
        Ok(cell.is_none_or(|cell| cell.count() >= 0))
    }

    /// Does what writing would do to the numbers of cells.
    fn compare<'a>(
        &self,
        held: &[&'a Part],
        mut stored: BTreeMap<Value, i64>,
        finder: &mut Finder<'a>,
    ) -> Result<BTreeMap<Value, i64>, AggregateError> {
        let mut sums: HashMap<CellName<'a>, Cell> = HashMap::new();
        for part in held {
            for (address, value) in part.batch().cells.iter() {
                let name = part.name(address);
                if (self.is_asked)(name.dimensions) {
                    let cell = Cell::decode(value);
                    let cell = cell.map_err(|error| AggregateError::Damaged(error.to_string()))?;
                    sums.entry(name).or_default().add(&cell);
                }
            }
        }
        for (name, sum) in sums {
            let before = finder.cell(name)?;
            let mut after = before.clone().unwrap_or_default();
            after.add(&sum);
            let change = i64::from(!after.is_zero()) - i64::from(before.is_some());
            if change != 0 {
                for value in self.values(name) {
                    *stored.entry(value).or_default() += change;
                }
            }
        }
        stored.retain(|_, cells| *cells > 0);
        Ok(stored)
    }

    /// All values of a cell.
    fn values(&self, name: CellName<'_>) -> Vec<Value> {
        let mut values = (self.of_set)(name.dimensions);
        if self.of_cells {
            values.push((Kind::Metric, name.metric.to_owned(), String::new()));
            values.push((Kind::Process, name.process.to_owned(), String::new()));
        }
        values
    }

    /// What is held of each value.
    fn tally<'a>(&self, held: &[&'a Part]) -> BTreeMap<Value, Tally<'a>> {
        let mut tallies = BTreeMap::new();
        for part in held {
            for (set, cells) in part.sets().filter(|(set, _)| (self.is_asked)(set)) {
                let (address, _) = part.batch().cells.get(cells.example as usize);
                for value in (self.of_set)(set) {
                    add(&mut tallies, value, cells.cells.into(), part.name(address));
                }
            }
            if self.of_cells {
                self.tally_cells(part, &mut tallies);
            }
        }
        tallies
    }

    /// What is held of each metric and process: one pass over the cells, which compares numbers only.
    fn tally_cells<'a>(&self, part: &'a Part, tallies: &mut BTreeMap<Value, Tally<'a>>) {
        let batch = part.batch();
        let asked: Vec<bool> = batch
            .dimension_sets
            .iter()
            .map(|set| (self.is_asked)(set))
            .collect();
        if !asked.contains(&true) {
            return;
        }
        let mut metrics = vec![(0, None); batch.metrics.len()];
        let mut processes = vec![(0, None); batch.processes.len()];
        for (address, _) in batch.cells.iter() {
            if asked[address.dimension_set as usize] {
                for count in [
                    &mut metrics[address.metric as usize],
                    &mut processes[address.process as usize],
                ] {
                    *count = (count.0 + 1, Some(address));
                }
            }
        }
        let metrics = (Kind::Metric, &batch.metrics, metrics);
        for (kind, names, counts) in [metrics, (Kind::Process, &batch.processes, processes)] {
            for (name, (cells, example)) in names.iter().zip(counts) {
                if let Some(address) = example {
                    let value = (kind.clone(), name.clone(), String::new());
                    add(tallies, value, cells, part.name(address));
                }
            }
        }
    }
}

fn add<'a>(tallies: &mut BTreeMap<Value, Tally<'a>>, value: Value, cells: i64, example: CellName<'a>) {
    let tally = tallies.entry(value).or_insert(Tally { cells: 0, example });
    tally.cells += cells;
}

//! What a store must hold and answer, computed slowly and obviously.

use std::collections::{BTreeMap, BTreeSet};

use ping::UNKNOWN;
use serde_json::Value;
use sketch::{Cell, Layout};
use tokio::sync::mpsc;

use crate::{
    AggregateReads, CellKey, CellQuery, DateClock, Dimension, DimensionSet, Filter, FilterOptions, SeriesRow,
    Source, ValueOf, VersionDate, Wanted,
};

/// Count, sum, samples by lower bound.
type Sums = (i64, i128, BTreeMap<i64, i128>);

/// Values of what is grouped by, label, layout.
type Group = (Vec<String>, String, Layout);

/// All cells by their full names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Oracle(BTreeMap<CellKey, Sums>);

impl Oracle {
    /// Of these additions.
    #[must_use]
    pub fn of(additions: &[(CellKey, Cell)]) -> Self {
        let mut cells = BTreeMap::new();
        for (key, cell) in additions {
            add(cells.entry(key.clone()).or_default(), cell);
        }
        cells.retain(|_, sums| !is_zero(sums));
        Self(cells)
    }

    /// Of the lines of a dump.
    #[must_use]
    pub fn of_dump(lines: &[String]) -> Self {
        let lines = lines
            .iter()
            .map(|line| serde_json::from_str(line).expect("a line is JSON"));
        Self(
            lines
                .filter(|line: &Value| line["kind"] == "cell")
                .map(|line| read(&line))
                .collect(),
        )
    }

    /// The count of all cells, if they have the same one and there are any.
    ///
    /// # Panics
    /// When they differ.
    #[must_use]
    pub fn equal_counts(&self) -> Option<i64> {
        let counts: BTreeSet<i64> = self.0.values().map(|sums| sums.0).collect();
        assert!(
            counts.len() <= 1,
            "cells that were always added to together differ: {counts:?}"
        );
        counts.into_iter().next()
    }

    /// The full names of all cells.
    pub fn keys(&self) -> impl Iterator<Item = &CellKey> {
        self.0.keys()
    }

    /// Channels of a source that have cells.
    #[must_use]
    pub fn channels(&self, source: &Source) -> Vec<String> {
        self.cells_by_channel(source).into_keys().collect()
    }

    /// How many cells each channel of a source has.
    #[must_use]
    pub fn cells_by_channel(&self, source: &Source) -> BTreeMap<String, usize> {
        let mut channels = BTreeMap::new();
        for set in self.sets(source) {
            *channels.entry(value_of(set, "channel")).or_default() += 1;
        }
        channels
    }

    /// Versions and dates that have cells. What states no build is among them in the original's source alone.
    #[must_use]
    pub fn dates(&self, source: &Source, clock: DateClock, channel: &str) -> Vec<VersionDate> {
        let dimension = match clock {
            DateClock::BuildDate => "build_date",
            DateClock::SubmissionDate => "submission_date",
        };
        let sets = self
            .sets(source)
            .filter(|set| value_of(set, "channel") == channel);
        let dates = sets.map(|set| VersionDate {
            version: value_of(set, "version"),
            date: value_of(set, dimension),
        });
        let is_listed = |date: &VersionDate| is_main(source) || date.date != UNKNOWN;
        dates
            .filter(is_listed)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// Values that have cells.
    #[must_use]
    pub fn filter_options(&self, source: &Source, channel: &str, version: &str) -> FilterOptions {
        let keys = self.0.keys();
        let keys = keys.filter(|key| {
            let set = &key.dimensions;
            set.source() == source
                && value_of(set, "channel") == channel
                && value_of(set, "version") == version
        });
        let keys: Vec<&CellKey> = keys.collect();
        let mut others: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut os = BTreeSet::new();
        for set in keys.iter().map(|key| &key.dimensions) {
            let system = (value_of(set, "os"), value_of(set, "os_version"));
            if is_main(source) || system != (UNKNOWN.to_owned(), UNKNOWN.to_owned()) {
                os.insert(system);
            }
            for name in ["application", "architecture", "e10s", "country"] {
                let value = value_of(set, name);
                if value != UNKNOWN || (is_main(source) && name != "country") {
                    others.entry(name.to_owned()).or_default().insert(value);
                }
            }
        }
        let others = others.into_iter();
        FilterOptions {
            metrics: distinct(&keys, |key| key.metric.clone()),
            processes: distinct(&keys, |key| key.process.clone()),
            os: os.into_iter().collect(),
            others: others
                .map(|(name, values)| (name, values.into_iter().collect()))
                .collect(),
            left_out: 0,
        }
    }

    /// The dimension set of each cell of a source.
    fn sets<'a>(&'a self, source: &'a Source) -> impl Iterator<Item = &'a DimensionSet> {
        let sets = self.0.keys().map(|key| &key.dimensions);
        sets.filter(move |set| set.source() == source)
    }

    /// The values of a dimension, or processes, of the cells that match.
    #[must_use]
    pub fn values_of(&self, query: &CellQuery, of: &ValueOf) -> Vec<String> {
        let keys = self.0.keys().filter(|key| matches(query, key));
        let value = |key: &CellKey| match of {
            ValueOf::Dimension(dimension) => value_of(&key.dimensions, dimension.as_str()),
            ValueOf::Process => key.process.clone(),
        };
        let values: BTreeSet<String> = keys.map(value).collect();
        values.into_iter().collect()
    }

    /// The sums that a question asks for.
    #[must_use]
    pub fn series(&self, query: &CellQuery) -> Vec<SeriesRow> {
        let mut groups: BTreeMap<Group, (Sums, i64, Option<String>)> = BTreeMap::new();
        for (key, sums) in self.0.iter().filter(|(key, _)| matches(query, key)) {
            let set = &key.dimensions;
            let by = query.group_by.iter();
            let group = (
                by.map(|dimension| value_of(set, dimension.as_str()))
                    .chain(query.by_process.then(|| key.process.clone()))
                    .collect(),
                key.label.clone(),
                key.layout,
            );
            let (total, plausible, newest) = groups.entry(group).or_default();
            add(total, &cell_of(sums));
            let build = value_of(set, "build_date");
            let is_date = build.len() == 8 && build.chars().all(|digit| digit.is_ascii_digit());
            let is_before = is_date && build <= set.submission_date().to_string();
            if is_before || build == UNKNOWN {
                *plausible += sums.0;
            }
            *newest = newest.take().max(is_before.then(|| build.clone()));
        }
        let groups = groups.into_iter().filter(|(_, (total, ..))| !is_zero(total));
        let rows = groups.map(|((group, label, layout), (total, plausible, newest))| SeriesRow {
            group,
            label,
            layout,
            plausible,
            newest_build: newest.unwrap_or_else(|| UNKNOWN.to_owned()),
            cell: cell_of(&total),
        });
        rows.collect()
    }
}

/// All lines of a store's dump.
pub async fn dump_of<S: AggregateReads + ?Sized>(store: &S) -> Vec<String> {
    let (sender, mut receiver) = mpsc::channel(4);
    let receive = async {
        let mut lines = Vec::new();
        while let Some(line) = receiver.recv().await {
            lines.push(line);
        }
        lines
    };
    let (dumped, lines) = tokio::join!(store.dump(sender), receive);
    dumped.expect("the dump ends well");
    lines
}

fn distinct<T: Ord>(keys: &[&CellKey], value: impl Fn(&CellKey) -> T) -> Vec<T> {
    let values: BTreeSet<T> = keys.iter().map(|key| value(key)).collect();
    values.into_iter().collect()
}

fn matches(query: &CellQuery, key: &CellKey) -> bool {
    let set = &key.dimensions;
    let holds = |filter: &Filter| match &filter.wanted {
        Wanted::AnyOf(values) => values.contains(&value_of(set, filter.dimension.as_str())),
        Wanted::Between { from, to } => {
            let value = value_of(set, filter.dimension.as_str());
            let (from, to) = (from.as_deref().unwrap_or(""), to.as_deref());
            value != UNKNOWN && from <= value.as_str() && to.is_none_or(|to| value.as_str() <= to)
        }
        Wanted::AnyItemOf(items) => {
            let list = value_of(set, filter.dimension.as_str());
            list.split(',').any(|item| items.contains(&item.to_owned()))
        }
        Wanted::OriginalOsVersion(version) => *version == as_the_original(set),
    };
    *set.source() == query.source
        && key.metric == query.metric
        && query.filters.iter().all(holds)
        && query.label.as_ref().is_none_or(|label| *label == key.label)
        && query
            .processes
            .as_ref()
            .is_none_or(|processes| processes.contains(&key.process))
}

fn is_main(source: &Source) -> bool {
    source.as_str() == "telemetry/main"
}

/// Of any dimension.
fn value_of(set: &DimensionSet, dimension: &str) -> String {
    if dimension == "submission_date" {
        return set.submission_date().to_string();
    }
    let mut values = set.values().iter();
    let stated = values.find(|(name, _)| name.as_str() == dimension);
    stated.map_or_else(|| UNKNOWN.to_owned(), |(_, value)| value.clone())
}

fn as_the_original(set: &DimensionSet) -> String {
    let chars = if value_of(set, "os") == "Linux" {
        3
    } else {
        usize::MAX
    };
    value_of(set, "os_version").chars().take(chars).collect()
}

fn add(sums: &mut Sums, cell: &Cell) {
    sums.0 += cell.count();
    sums.1 += cell.sum();
    for &(bound, samples) in cell.bins() {
        *sums.2.entry(bound).or_default() += samples;
    }
    sums.2.retain(|_, samples| *samples != 0);
}

fn is_zero(sums: &Sums) -> bool {
    sums.0 == 0 && sums.1 == 0 && sums.2.is_empty()
}

fn cell_of(sums: &Sums) -> Cell {
    Cell::new(sums.0, sums.1, sums.2.clone())
}

fn read(line: &Value) -> (CellKey, Sums) {
    let text = |name: &str| line[name].as_str().expect("a name is a text").to_owned();
    let bins = line["bins"].as_array().expect("bins are a list").iter();
    let bins = bins.map(|bin| {
        let samples = bin[1].as_str().expect("samples are a text");
        (
            bin[0].as_i64().expect("a bound has 64 bits"),
            samples.parse().expect("samples are a number"),
        )
    });
    let apart = [
        "kind",
        "source",
        "metric",
        "submission_date",
        "process",
        "label",
        "layout",
        "count",
        "sum",
        "bins",
    ];
    let names = line.as_object().expect("a line is an object").keys();
    let names = names.filter(|name| !apart.contains(&name.as_str()));
    let key = CellKey {
        metric: text("metric"),
        dimensions: DimensionSet::new(
            Source::named(&text("source")),
            text("submission_date").parse().expect("it is a day"),
            names.map(|name| (Dimension::named(name), text(name))),
        ),
        process: text("process"),
        label: text("label"),
        layout: text("layout").parse().expect("it is a layout's text"),
    };
    let count = line["count"].as_i64().expect("a count has 64 bits");
    (
        key,
        (
            count,
            text("sum").parse().expect("a sum is a number"),
            bins.collect(),
        ),
    )
}

//! What a store must hold and answer, computed slowly and obviously.

use std::collections::{BTreeMap, BTreeSet};

use ping::UNKNOWN;
use serde_json::Value;
use sketch::{Cell, Layout};
use tokio::sync::mpsc;

use crate::{
    AggregateReads, CellKey, CellQuery, DateClock, DimensionSet, FilterOptions, Filters, SeriesRow, ValueOf,
    VersionDate,
};

/// Count, sum, samples by lower bound.
type Sums = (i64, i128, BTreeMap<i64, i128>);

/// Version, date, label, layout.
type Group = (String, String, String, Layout);

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

    /// Channels that have cells.
    #[must_use]
    pub fn channels(&self) -> Vec<String> {
        let channels = self.0.keys().map(|key| key.dimensions.channel.clone());
        channels.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// How many cells each channel has.
    #[must_use]
    pub fn cells_by_channel(&self) -> BTreeMap<String, usize> {
        let mut channels = BTreeMap::new();
        for key in self.0.keys() {
            *channels.entry(key.dimensions.channel.clone()).or_default() += 1;
        }
        channels
    }

    /// Versions and dates that have cells.
    #[must_use]
    pub fn dates(&self, clock: DateClock, channel: &str) -> Vec<VersionDate> {
        let sets = self
            .0
            .keys()
            .map(|key| &key.dimensions)
            .filter(|set| set.channel == channel);
        let dates = sets.map(|set| VersionDate {
            version: set.version.clone(),
            date: set.date(clock),
        });
        dates.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Values that have cells.
    #[must_use]
    pub fn filter_options(&self, channel: &str, version: &str) -> FilterOptions {
        let keys = self.0.keys();
        let keys = keys.filter(|key| key.dimensions.channel == channel && key.dimensions.version == version);
        let keys: Vec<&CellKey> = keys.collect();
        FilterOptions {
            metrics: distinct(&keys, |key| key.metric.clone()),
            applications: distinct(&keys, |key| key.dimensions.application.clone()),
            architectures: distinct(&keys, |key| key.dimensions.architecture.clone()),
            os: distinct(&keys, |key| {
                (key.dimensions.os.clone(), key.dimensions.os_version.clone())
            }),
            processes: distinct(&keys, |key| key.process.clone()),
            e10s: distinct(&keys, |key| key.dimensions.e10s.clone()),
            left_out: 0,
        }
    }

    /// The dates or processes of the cells that match.
    #[must_use]
    pub fn values_of(&self, query: &CellQuery, of: ValueOf) -> Vec<String> {
        let keys = self.0.keys().filter(|key| matches(query, key));
        let value = |key: &CellKey| match of {
            ValueOf::Date => key.dimensions.date(query.clock),
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
            let group = (
                set.version.clone(),
                set.date(query.clock),
                key.label.clone(),
                key.layout,
            );
            let (total, plausible, newest) = groups.entry(group).or_default();
            add(total, &cell_of(sums));
            let build = &set.build_date;
            let is_date = build.len() == 8 && build.chars().all(|digit| digit.is_ascii_digit());
            let is_before = is_date && *build <= set.submission_date.to_string();
            if is_before || build == UNKNOWN {
                *plausible += sums.0;
            }
            *newest = newest.take().max(is_before.then(|| build.clone()));
        }
        let groups = groups.into_iter().filter(|(_, (total, ..))| !is_zero(total));
        let rows = groups.map(
            |((version, date, label, layout), (total, plausible, newest))| SeriesRow {
                version,
                date,
                label,
                layout,
                plausible,
                newest_build: newest.unwrap_or_else(|| UNKNOWN.to_owned()),
                cell: cell_of(&total),
            },
        );
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
    let (set, filters) = (&key.dimensions, &query.filters);
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
    let is = |wanted: &Option<String>, value: &String| wanted.as_ref().is_none_or(|wanted| wanted == value);
    let among = |wanted: &Option<Vec<String>>, value: &String| {
        wanted.as_ref().is_none_or(|wanted| wanted.contains(value))
    };
    key.metric == query.metric
        && set.channel == query.channel
        && is(&query.version, &set.version)
        && among(&query.dates, &set.date(query.clock))
        && is(application, &set.application)
        && is(architecture, &set.architecture)
        && is(os, &set.os)
        && is(os_version, &set.os_version)
        && is(original_os_version, &as_the_original(set))
        && is(e10s, &set.e10s)
        && is(label, &key.label)
        && among(processes, &key.process)
}

fn as_the_original(set: &DimensionSet) -> String {
    let chars = if set.os == "Linux" { 3 } else { usize::MAX };
    set.os_version.chars().take(chars).collect()
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
    let key = CellKey {
        metric: text("metric"),
        dimensions: DimensionSet {
            submission_date: text("submission_date").parse().expect("it is a day"),
            channel: text("channel"),
            version: text("version"),
            build_date: text("build_date"),
            application: text("application"),
            architecture: text("architecture"),
            os: text("os"),
            os_version: text("os_version"),
            e10s: text("e10s"),
        },
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

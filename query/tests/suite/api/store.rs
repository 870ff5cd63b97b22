//! Aggregates in memory: a list of facts that every question walks through. The slow and obvious oracle; and the same
//! facts in SQLite.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aggregate_store::{
    AboutSource, AggregateError, AggregateReads, AggregateStore, BatchBuilder, Bounds, CellKey, CellQuery,
    Committed, DateClock, Dimension, DimensionSet, ErroredRow, Filter, FilterOptions, Listed, Series,
    SeriesRow, Source, SourcePings, SqliteAggregates, Status, StoredMetric, UserDay, UserQuery, ValueOf,
    VersionDate, Wanted,
};
use async_trait::async_trait;
use ping::RecordId;
use sketch::{Cell, Layout, UserSketch};
use tokio::sync::mpsc;

/// The facts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) cells: Vec<(CellKey, Cell)>,
    pub(crate) users: Vec<(DimensionSet, UserSketch)>,
    /// Every question fails.
    pub(crate) broken: bool,
    /// No question for a series is ever answered.
    pub(crate) endless: bool,
    /// How many series were asked for.
    pub(crate) series_asked: Arc<AtomicUsize>,
    /// How many of those without an answer nobody waits for any more.
    pub(crate) series_ended: Arc<AtomicUsize>,
}

/// Counts when it is dropped.
struct Ended(Arc<AtomicUsize>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Facts {
    /// The same facts in a file, written by batches of a few.
    pub(crate) async fn in_sqlite(&self, file: &Path) -> SqliteAggregates {
        let store = SqliteAggregates::open(file).expect("opened");
        let cells = self.cells.chunks(97).map(|cells| {
            let mut batch = BatchBuilder::new();
            for (key, cell) in cells {
                batch.add_cell(key, cell);
            }
            batch.build()
        });
        let users = self.users.chunks(7).map(|users| {
            let mut batch = BatchBuilder::new();
            for (set, users) in users {
                batch.add_users(set, users.clone());
            }
            batch.build()
        });
        for batch in cells.chain(users) {
            assert_eq!(store.commit(batch).await.expect("written"), Committed::Written);
        }
        store
    }

    fn answer(&self) -> Result<(), AggregateError> {
        if self.broken {
            Err(AggregateError::Ended)
        } else {
            Ok(())
        }
    }

    fn dimensions(&self) -> impl Iterator<Item = &DimensionSet> {
        self.cells.iter().map(|(key, _)| &key.dimensions)
    }
}

/// At most so many, and how many more there are.
fn cut<T>(mut values: Vec<T>, limit: usize) -> Listed<T> {
    let left_out = values.len().saturating_sub(limit) as u64;
    values.truncate(limit);
    Listed { values, left_out }
}

/// Of any dimension.
fn value(set: &DimensionSet, dimension: &str) -> String {
    if dimension == "submission_date" {
        return set.submission_date().to_string();
    }
    let mut values = set.values().iter();
    let stated = values.find(|(name, _)| name.as_str() == dimension);
    stated.map_or_else(|| ping::UNKNOWN.to_owned(), |(_, value)| value.clone())
}

/// The version of the operating system, of Linux its first three characters.
fn as_the_original(set: &DimensionSet) -> String {
    let chars = if value(set, "os") == "Linux" {
        3
    } else {
        usize::MAX
    };
    value(set, "os_version").chars().take(chars).collect()
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.collect::<BTreeSet<T>>().into_iter().collect()
}

#[async_trait]
impl AggregateReads for Facts {
    async fn channels(&self, _: &Source, limit: usize) -> Result<Listed<String>, AggregateError> {
        self.answer()?;
        Ok(cut(
            sorted(self.dimensions().map(|set| value(set, "channel"))),
            limit,
        ))
    }

    async fn dates(
        &self,
        _: &Source,
        clock: DateClock,
        channel: &str,
        limit: usize,
    ) -> Result<Listed<VersionDate>, AggregateError> {
        self.answer()?;
        let of_channel = self.dimensions().filter(|set| value(set, "channel") == channel);
        let dates = sorted(of_channel.map(|set| VersionDate {
            version: value(set, "version"),
            date: value(set, clock.dimension()),
        }));
        Ok(cut(dates, limit))
    }

    async fn values_of(
        &self,
        query: &CellQuery,
        of: ValueOf,
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        self.answer()?;
        let keys = self
            .cells
            .iter()
            .map(|(key, _)| key)
            .filter(|key| holds(query, key));
        let mut values = sorted(keys.map(|key| match &of {
            ValueOf::Dimension(dimension) => value(&key.dimensions, dimension.as_str()),
            ValueOf::Process => key.process.clone(),
        }));
        values.reverse();
        let mut listed = cut(values, limit);
        listed.values.reverse();
        Ok(listed)
    }

    async fn filter_options(
        &self,
        _: &Source,
        channel: &str,
        version: &str,
        _: usize,
    ) -> Result<FilterOptions, AggregateError> {
        let is_here = |key: &&CellKey| {
            value(&key.dimensions, "channel") == channel && value(&key.dimensions, "version") == version
        };
        let here = || self.cells.iter().map(|(key, _)| key).filter(is_here);
        let of = |name: &str| sorted(here().map(|key| value(&key.dimensions, name)));
        let system = |set: &DimensionSet| (value(set, "os"), value(set, "os_version"));
        let others = ["application", "architecture", "e10s"].map(|name| (name.to_owned(), of(name)));
        Ok(FilterOptions {
            metrics: sorted(here().map(|key| key.metric.clone())),
            processes: sorted(here().map(|key| key.process.clone())),
            os: sorted(here().map(|key| system(&key.dimensions))),
            others: others
                .into_iter()
                .filter(|(_, values)| !values.is_empty())
                .collect(),
            left_out: 0,
        })
    }

    async fn series(&self, query: &CellQuery, bounds: Bounds) -> Result<Series, AggregateError> {
        self.answer()?;
        self.series_asked.fetch_add(1, Ordering::Relaxed);
        if self.endless {
            let _ended = Ended(Arc::clone(&self.series_ended));
            return std::future::pending().await;
        }
        let mut rows: BTreeMap<(Vec<String>, String, Layout), SeriesRow> = BTreeMap::new();
        for (key, cell) in self.cells.iter().filter(|(key, _)| holds(query, key)) {
            let CellKey {
                dimensions,
                label,
                layout,
                ..
            } = key;
            let by = query.group_by.iter();
            let process = query.by_process.then(|| key.process.clone());
            let group: Vec<String> = by
                .map(|name| value(dimensions, name.as_str()))
                .chain(process)
                .collect();
            let address = (group.clone(), label.clone(), *layout);
            let row = rows.entry(address).or_insert_with(|| SeriesRow {
                group,
                label: label.clone(),
                layout: *layout,
                plausible: 0,
                newest_build: ping::UNKNOWN.to_owned(),
                cell: Cell::default(),
            });
            let build = value(dimensions, "build_date");
            let is_stated = build != ping::UNKNOWN;
            if !is_stated || build <= dimensions.submission_date().to_string() {
                row.plausible += cell.count();
                if is_stated && (row.newest_build == ping::UNKNOWN || build > row.newest_build) {
                    row.newest_build.clone_from(&build);
                }
            }
            row.cell.add(cell);
        }
        let rows: Vec<SeriesRow> = rows.into_values().collect();
        let bins: usize = rows.iter().map(|row| row.cell.bins().len()).sum();
        for (what, found, limit) in [("rows", rows.len(), bounds.rows), ("bins", bins, bounds.bins)] {
            if found > limit {
                return Err(AggregateError::TooLarge { what, limit });
            }
        }
        Ok(Series {
            rows,
            newest_received: None,
        })
    }

    async fn sources(&self, limit: usize) -> Result<Listed<Source>, AggregateError> {
        self.answer()?;
        Ok(cut(
            sorted(self.dimensions().map(|set| set.source().clone())),
            limit,
        ))
    }

    async fn about(&self, source: &Source) -> Result<Option<AboutSource>, AggregateError> {
        self.answer()?;
        let sets = || self.dimensions().filter(|set| set.source() == source);
        let names = sets().flat_map(|set| set.values().iter().map(|(name, _)| name.as_str().to_owned()));
        let days = sorted(sets().map(DimensionSet::submission_date));
        let ends = days.first().copied().zip(days.last().copied());
        Ok(ends.map(|(first_day, last_day)| AboutSource {
            dimensions: sorted(names),
            first_day,
            last_day,
        }))
    }

    async fn dimension_values(
        &self,
        source: &Source,
        dimension: &Dimension,
        filters: &[Filter],
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        self.answer()?;
        let sets = self.dimensions().filter(|set| set.source() == source);
        let sets = sets.filter(|set| filters.iter().all(|filter| fits(filter, set)));
        Ok(cut(sorted(sets.map(|set| value(set, dimension.as_str()))), limit))
    }

    async fn metrics(
        &self,
        source: &Source,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StoredMetric>, AggregateError> {
        self.answer()?;
        let keys = || {
            self.cells
                .iter()
                .map(|(key, _)| key)
                .filter(|key| key.dimensions.source() == source)
        };
        let names = sorted(keys().map(|key| key.metric.clone())).into_iter();
        let names = names
            .filter(|name| after.is_none_or(|after| name.as_str() > after))
            .take(limit);
        let examples = |metric: &String| {
            let first = keys()
                .find(|key| key.metric == *metric)
                .map(|key| &key.dimensions);
            let under = keys().filter(|key| key.metric == *metric && Some(&key.dimensions) == first);
            sorted(under.map(|key| (key.label.clone(), key.layout)))
        };
        let metrics = names.map(|metric| StoredMetric {
            examples: examples(&metric),
            metric,
        });
        Ok(metrics.collect())
    }

    async fn user_groups(&self, query: &UserQuery, limit: usize) -> Result<Listed<String>, AggregateError> {
        let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
        for day in self.users(query, usize::MAX).await? {
            *sizes.entry(day.group).or_default() += day.users.to_image().len();
        }
        let mut largest: Vec<String> = sizes.keys().cloned().collect();
        largest.sort_by_key(|group| std::cmp::Reverse(sizes[group]));
        let left_out = largest.len().saturating_sub(limit) as u64;
        largest.truncate(limit);
        largest.sort();
        Ok(Listed {
            values: largest,
            left_out,
        })
    }

    async fn users(&self, query: &UserQuery, limit: usize) -> Result<Vec<UserDay>, AggregateError> {
        self.answer()?;
        let mut days: BTreeMap<_, UserSketch> = BTreeMap::new();
        for (set, users) in &self.users {
            let inside = (query.from..=query.to).contains(&set.submission_date());
            if inside && query.filters.iter().all(|filter| fits(filter, set)) {
                let by = query.group_by.as_ref();
                let group = by.map_or_else(String::new, |name| value(set, name.as_str()));
                let is_rest = query.own_groups.as_ref().is_some_and(|own| !own.contains(&group));
                let group = if is_rest { String::new() } else { group };
                let day = (set.submission_date(), is_rest, group);
                days.entry(day).or_default().merge(users);
            }
        }
        let day = |((date, is_rest, group), users)| UserDay {
            date,
            group,
            is_rest,
            users,
        };
        if days.len() > limit {
            return Err(AggregateError::TooLarge { what: "rows", limit });
        }
        Ok(days.into_iter().map(day).collect())
    }

    async fn status(&self) -> Result<Status, AggregateError> {
        Ok(Status::default())
    }

    async fn source_pings(&self, _: usize) -> Result<Listed<SourcePings>, AggregateError> {
        Ok(Listed::default())
    }

    async fn errored(&self, _: Option<RecordId>, _: usize) -> Result<Vec<ErroredRow>, AggregateError> {
        Ok(Vec::new())
    }

    async fn dump(&self, _: mpsc::Sender<String>) -> Result<(), AggregateError> {
        Ok(())
    }
}

fn fits(filter: &Filter, set: &DimensionSet) -> bool {
    match &filter.wanted {
        Wanted::AnyOf(values) => values.contains(&value(set, filter.dimension.as_str())),
        Wanted::Between { from, to } => {
            let value = value(set, filter.dimension.as_str());
            let (from, to) = (from.as_deref().unwrap_or(""), to.as_deref());
            value != ping::UNKNOWN && from <= value.as_str() && to.is_none_or(|to| value.as_str() <= to)
        }
        Wanted::AnyItemOf(items) => {
            let list = value(set, filter.dimension.as_str());
            list.split(',').any(|item| items.contains(&item.to_owned()))
        }
        Wanted::OriginalOsVersion(version) => *version == as_the_original(set),
    }
}

fn holds(query: &CellQuery, key: &CellKey) -> bool {
    let among = |wanted: &Option<Vec<String>>, value: &String| {
        wanted.as_ref().is_none_or(|wanted| wanted.contains(value))
    };
    *key.dimensions.source() == query.source
        && key.metric == query.metric
        && query.filters.iter().all(|filter| fits(filter, &key.dimensions))
        && query.label.as_ref().is_none_or(|label| *label == key.label)
        && among(&query.processes, &key.process)
}

//! Aggregates in memory: a list of facts that every question walks through. The slow and obvious oracle; and the same
//! facts in SQLite.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aggregate_store::{
    AggregateError, AggregateReads, AggregateStore, BatchBuilder, CellKey, CellQuery, Committed, DateClock,
    DimensionSet, ErroredRow, FilterOptions, SeriesRow, SqliteAggregates, Status, UserDay, UserKey,
    UserQuery, VersionDate,
};
use async_trait::async_trait;
use ping::RecordId;
use sketch::{Cell, Layout, UserSketch};
use tokio::sync::mpsc;

/// The facts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) cells: Vec<(CellKey, Cell)>,
    pub(crate) users: Vec<(UserKey, UserSketch)>,
    /// Every question fails.
    pub(crate) broken: bool,
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
            for (key, users) in users {
                batch.add_users(key.clone(), users.clone());
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

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.collect::<BTreeSet<T>>().into_iter().collect()
}

#[async_trait]
impl AggregateReads for Facts {
    async fn channels(&self, _: DateClock) -> Result<Vec<String>, AggregateError> {
        self.answer()?;
        Ok(sorted(self.dimensions().map(|set| set.channel.clone())))
    }

    async fn dates(&self, clock: DateClock, channel: &str) -> Result<Vec<VersionDate>, AggregateError> {
        self.answer()?;
        let of_channel = self.dimensions().filter(|set| set.channel == channel);
        Ok(sorted(of_channel.map(|set| VersionDate {
            version: set.version.clone(),
            date: set.date(clock),
        })))
    }

    async fn filter_options(&self, channel: &str, version: &str) -> Result<FilterOptions, AggregateError> {
        let is_here = |key: &&CellKey| key.dimensions.channel == channel && key.dimensions.version == version;
        let here = || self.cells.iter().map(|(key, _)| key).filter(is_here);
        Ok(FilterOptions {
            metrics: sorted(here().map(|key| key.metric.clone())),
            applications: sorted(here().map(|key| key.dimensions.application.clone())),
            architectures: sorted(here().map(|key| key.dimensions.architecture.clone())),
            os: sorted(here().map(|key| (key.dimensions.os.clone(), key.dimensions.os_version.clone()))),
            processes: sorted(here().map(|key| key.process.clone())),
            e10s: sorted(here().map(|key| key.dimensions.e10s.clone())),
        })
    }

    async fn series(&self, query: &CellQuery) -> Result<Vec<SeriesRow>, AggregateError> {
        self.answer()?;
        let mut sums: BTreeMap<(String, String, String, Layout), (String, Cell)> = BTreeMap::new();
        for (key, cell) in self.cells.iter().filter(|(key, _)| holds(query, key)) {
            let CellKey {
                dimensions,
                label,
                layout,
                ..
            } = key;
            let address = (
                dimensions.version.clone(),
                dimensions.date(query.clock),
                label.clone(),
                *layout,
            );
            let (newest_build, sum) = sums.entry(address).or_default();
            let is_newer = newest_build.is_empty() || newest_build == ping::UNKNOWN;
            if is_newer || (dimensions.build_date != ping::UNKNOWN && dimensions.build_date > *newest_build) {
                newest_build.clone_from(&dimensions.build_date);
            }
            sum.add(cell);
        }
        let row = |((version, date, label, layout), (newest_build, cell))| SeriesRow {
            version,
            date,
            label,
            layout,
            newest_build,
            cell,
        };
        Ok(sums.into_iter().map(row).collect())
    }

    async fn users(&self, query: &UserQuery) -> Result<Vec<UserDay>, AggregateError> {
        self.answer()?;
        let is =
            |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        let mut days: BTreeMap<_, UserSketch> = BTreeMap::new();
        for (key, users) in &self.users {
            let inside = (query.from..=query.to).contains(&key.submission_date);
            let filters = &query.filters;
            let fits = is(&filters.application, &key.application) && is(&filters.channel, &key.channel);
            if inside && fits && is(&filters.version, &key.version) && is(&filters.os, &key.os) {
                let group = query
                    .group_by
                    .map_or("", |dimension| key.value(dimension))
                    .to_owned();
                days.entry((key.submission_date, group)).or_default().merge(users);
            }
        }
        let day = |((date, group), users)| UserDay { date, group, users };
        Ok(days.into_iter().map(day).collect())
    }

    async fn status(&self) -> Result<Status, AggregateError> {
        Ok(Status::default())
    }

    async fn errored(&self, _: Option<RecordId>, _: usize) -> Result<Vec<ErroredRow>, AggregateError> {
        Ok(Vec::new())
    }

    async fn dump(&self, _: mpsc::Sender<String>) -> Result<(), AggregateError> {
        Ok(())
    }
}

fn holds(query: &CellQuery, key: &CellKey) -> bool {
    let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
    let among = |wanted: &Option<Vec<String>>, value: &str| {
        wanted
            .as_ref()
            .is_none_or(|wanted| wanted.iter().any(|one| one == value))
    };
    let (filters, set) = (&query.filters, &key.dimensions);
    key.metric == query.metric
        && set.channel == query.channel
        && is(&query.version, &set.version)
        && among(&query.dates, &set.date(query.clock))
        && is(&filters.application, &set.application)
        && is(&filters.architecture, &set.architecture)
        && is(&filters.os, &set.os)
        && is(&filters.os_version, &set.os_version)
        && is(&filters.e10s, &set.e10s)
        && is(&filters.label, &key.label)
        && among(&filters.processes, &key.process)
}

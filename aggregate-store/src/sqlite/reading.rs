//! Questions to the database, each answered from one snapshot to which what is held in memory is added.

use std::sync::Arc;

use ping::{ChunkId, DocumentKey, RecordId};
use rusqlite::Connection;
use tokio::sync::mpsc;

use super::workers::Workers;
use super::{chunks, counters, dump, errored, layers, present, seen, series, users};
use crate::layer::{Held, LayerStatus, Part};
use crate::{
    AggregateError, CellQuery, DateClock, ErroredRow, FilterOptions, SeenRow, SeriesRow, Status, UserDay,
    UserQuery, VersionDate,
};

/// The reading threads, and what their answers add.
pub(crate) struct Reading<'a> {
    readers: &'a Workers<Connection>,
    held: Arc<Held>,
}

impl<'a> Reading<'a> {
    pub(super) const fn new(readers: &'a Workers<Connection>, held: Arc<Held>) -> Self {
        Self { readers, held }
    }

    /// Answers from one moment: every question is a transaction of its own, and of what is held only that is added
    /// which is not in its snapshot.
    async fn read<T: Send + 'static>(
        self,
        doing: &'static str,
        work: impl FnOnce(&Connection, &[&Part]) -> Result<T, AggregateError> + Send + 'static,
    ) -> Result<T, AggregateError> {
        let held = self.held;
        let job = move |connection: &mut Connection| {
            let snapshot = connection.transaction()?;
            let newest = if held.is_empty() {
                None
            } else {
                layers::newest(&snapshot, held.writer)?
            };
            work(&snapshot, &held.beyond(newest))
        };
        self.readers.run(doing, job).await
    }

    pub(crate) async fn channels(self) -> Result<Vec<String>, AggregateError> {
        self.read("list channels", present::channels).await
    }

    pub(crate) async fn dates(
        self,
        clock: DateClock,
        channel: &str,
    ) -> Result<Vec<VersionDate>, AggregateError> {
        let channel = channel.to_owned();
        self.read("list dates", move |connection, held| {
            present::dates(connection, held, clock, &channel)
        })
        .await
    }

    pub(crate) async fn filter_options(
        self,
        channel: &str,
        version: &str,
    ) -> Result<FilterOptions, AggregateError> {
        let (channel, version) = (channel.to_owned(), version.to_owned());
        self.read("list filters", move |connection, held| {
            present::filter_options(connection, held, &channel, &version)
        })
        .await
    }

    pub(crate) async fn series(self, query: &CellQuery) -> Result<Vec<SeriesRow>, AggregateError> {
        let query = query.clone();
        self.read("sum cells", move |connection, held| {
            series::read(connection, held, &query)
        })
        .await
    }

    pub(crate) async fn users(self, query: &UserQuery) -> Result<Vec<UserDay>, AggregateError> {
        let query = query.clone();
        self.read("unite users", move |connection, held| {
            users::read(connection, held, &query)
        })
        .await
    }

    pub(crate) async fn status(self) -> Result<Status, AggregateError> {
        self.read("read the counters", counters::status).await
    }

    pub(crate) async fn layer(self) -> Result<LayerStatus, AggregateError> {
        self.read("read what was written last", layers::status).await
    }

    pub(crate) async fn errored(
        self,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<ErroredRow>, AggregateError> {
        self.read("list errored pings", move |connection, held| {
            errored::page(connection, held, after, limit)
        })
        .await
    }

    pub(crate) async fn dump(self, lines: mpsc::Sender<String>) -> Result<(), AggregateError> {
        self.read("dump the aggregates", move |connection, held| {
            dump::send(connection, held, &lines)
        })
        .await
    }

    pub(crate) async fn folded(self, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        let chunks = chunks.to_vec();
        self.read("look up folded chunks", move |connection, held| {
            chunks::are_folded(connection, held, &chunks)
        })
        .await
    }

    pub(crate) async fn folded_ids(
        self,
        after: Option<ChunkId>,
        limit: usize,
    ) -> Result<Vec<ChunkId>, AggregateError> {
        self.read("list folded chunks", move |connection, held| {
            chunks::page(connection, held, after, limit)
        })
        .await
    }

    pub(crate) async fn seen(self, documents: &[DocumentKey]) -> Result<Vec<SeenRow>, AggregateError> {
        let documents = documents.to_vec();
        self.read("look up copies", move |connection, held| {
            seen::find(connection, held, &documents)
        })
        .await
    }
}

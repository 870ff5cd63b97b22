//! The store in PostgreSQL: opening, and the door's methods handed to its statements.

use std::sync::Arc;

use async_trait::async_trait;
use ping::{ChunkId, DocumentKey, Incarnation, RecordId};
use postgres_connections::{Connections, Failure, PostgresSettings, Reads, SeenServer, Writes};
use tokio::sync::mpsc;

use super::commit::Coming;
use super::refusal::{aggregate_error, committed};
use super::{
    about, catalogue, chunks, commit, copies, counters, dimension_values, dump, errored, fold_version, gate,
    listing, schema, series, users, values,
};
use crate::{
    AboutSource, AggregateError, AggregateReads, AggregateStore, Batch, Bounds, CellQuery, Committed,
    DateClock, Dimension, ErroredRow, Filter, FilterOptions, FoldVersion, Listed, SeenIds, SeenRow,
    SeriesRow, Source, Status, StoredMetric, UserDay, UserQuery, ValueOf, VersionDate, metrics,
};

/// Aggregates in a PostgreSQL database. Any number of processes may open it at once; their batches are written one after
/// the other.
///
/// Memory: some MB for each batch being written beside the batch itself, about 40 bytes for each of its cells, and the ids
/// of its names.
#[derive(Debug)]
pub struct PostgresAggregates {
    pub(super) connections: Connections,
}

impl PostgresAggregates {
    /// Opens the aggregates: makes their tables where there are none, and brings older ones up to date, one process at a
    /// time. The index may lie in the same database.
    ///
    /// # Errors
    /// [`AggregateError::Newer`] for a newer schema; when the server cannot be reached, or refuses: then nothing was
    /// changed.
    pub async fn open(settings: PostgresSettings) -> Result<Arc<Self>, AggregateError> {
        const DOING: &str = "open the aggregates";
        let connections = Connections::new(&settings).map_err(|error| AggregateError::Database {
            doing: DOING,
            source: Box::new(error),
        })?;
        let migrated = connections.migrate(&schema::SCHEMA).await;
        migrated.map_err(|failure| aggregate_error(failure, DOING, connections.name()))?;
        Ok(Arc::new(Self { connections }))
    }

    /// Which aggregates these are: drawn when their tables were made, and never changed.
    ///
    /// # Errors
    /// When the question could not be answered.
    pub async fn incarnation(&self) -> Result<Incarnation, AggregateError> {
        self.read("say which aggregates they are", (), |client, ()| {
            Box::pin(about::incarnation(client))
        })
        .await
    }

    /// The server that was seen last, looked at with each new connection.
    pub fn server(&self) -> SeenServer {
        let seen = self.connections.server();
        seen.expect("opening it took a connection, and each looks at its server first")
    }

    /// Returns when another server than before is seen, or one that went back in time: after `changes` of them were.
    pub async fn server_changed(&self, changes: u64) -> SeenServer {
        self.connections.server_changed(changes).await
    }

    /// Asks one statement, so that the answer is of one moment.
    pub(super) async fn read<G: Sync, T>(
        &self,
        doing: &'static str,
        given: G,
        work: Reads<G, T>,
    ) -> Result<T, AggregateError> {
        self.told(doing, self.connections.read(given, work).await)
    }

    pub(super) async fn write<G: Sync, T: Send>(
        &self,
        doing: &'static str,
        given: G,
        work: Writes<G, T>,
    ) -> Result<T, AggregateError> {
        self.told(doing, self.connections.write(gate::ALONE, given, work).await)
    }

    pub(super) fn told<T>(
        &self,
        doing: &'static str,
        answer: Result<T, Failure>,
    ) -> Result<T, AggregateError> {
        answer.map_err(|failure| aggregate_error(failure, doing, self.connections.name()))
    }
}

#[async_trait]
impl AggregateStore for PostgresAggregates {
    async fn commit(&self, batch: Batch) -> Result<Committed, AggregateError> {
        let ended = self
            .connections
            .write(gate::ALONE, &batch, |transaction, batch| {
                Box::pin(commit::write(transaction, batch))
            })
            .await;
        let outcome = self.told("commit a batch", committed(ended));
        metrics::count_commit(batch.cells.len(), &outcome);
        outcome
    }

    /// The transaction has a connection of its own, for it lasts as long as the parts come.
    async fn commit_parts(&self, parts: mpsc::Receiver<Batch>) -> Result<Committed, AggregateError> {
        let mut cells = 0;
        let coming = Coming {
            parts,
            cells: &mut cells,
        };
        let ended = self
            .connections
            .write_once(gate::ALONE, coming, |transaction, coming| {
                Box::pin(commit::write_parts(transaction, coming))
            })
            .await;
        let outcome = self.told("commit a batch in parts", committed(ended));
        metrics::count_commit(cells, &outcome);
        outcome
    }

    async fn folded(&self, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        self.read("look up folded chunks", chunks, |client, chunks| {
            Box::pin(chunks::are_folded(client, chunks))
        })
        .await
    }

    async fn folded_ids(&self, after: Option<ChunkId>, limit: usize) -> Result<Vec<ChunkId>, AggregateError> {
        self.read("list folded chunks", (after, limit), |client, (after, limit)| {
            Box::pin(chunks::page(client, *after, *limit))
        })
        .await
    }

    async fn fold_version(&self) -> Result<Option<FoldVersion>, AggregateError> {
        self.read("read the fold version", (), |client, ()| {
            Box::pin(fold_version::get(client))
        })
        .await
    }

    async fn set_fold_version(&self, version: &FoldVersion) -> Result<(), AggregateError> {
        self.write("set the fold version", version, |transaction, version| {
            Box::pin(fold_version::set(transaction.client(), version))
        })
        .await
    }

    async fn replace_fold_version(
        &self,
        known: &FoldVersion,
        version: &FoldVersion,
    ) -> Result<(), AggregateError> {
        let given = (known, version);
        self.write(
            "replace the fold version",
            given,
            |transaction, (known, version)| {
                Box::pin(fold_version::replace(transaction.client(), known, version))
            },
        )
        .await
    }

    async fn retried(&self, chunks: &[ChunkId]) -> Result<Vec<u64>, AggregateError> {
        self.read("look up retried chunks", chunks, |client, chunks| {
            Box::pin(chunks::caps(client, chunks))
        })
        .await
    }
}

#[async_trait]
impl SeenIds for PostgresAggregates {
    async fn seen(&self, documents: &[DocumentKey]) -> Result<Vec<SeenRow>, AggregateError> {
        self.read("look up copies", documents, |client, documents| {
            Box::pin(copies::find(client, documents))
        })
        .await
    }
}

#[async_trait]
impl AggregateReads for PostgresAggregates {
    async fn channels(&self, source: &Source, limit: usize) -> Result<Listed<String>, AggregateError> {
        self.read("list channels", (source, limit), |client, (source, limit)| {
            Box::pin(listing::channels(client, source, *limit))
        })
        .await
    }

    async fn dates(
        &self,
        source: &Source,
        clock: DateClock,
        channel: &str,
        limit: usize,
    ) -> Result<Listed<VersionDate>, AggregateError> {
        let given = (source, clock, channel, limit);
        self.read("list dates", given, |client, (source, clock, channel, limit)| {
            Box::pin(listing::dates(client, source, *clock, channel, *limit))
        })
        .await
    }

    async fn filter_options(
        &self,
        source: &Source,
        channel: &str,
        version: &str,
        limit: usize,
    ) -> Result<FilterOptions, AggregateError> {
        let given = (source, channel, version, limit);
        self.read(
            "list filters",
            given,
            |client, (source, channel, version, limit)| {
                Box::pin(listing::filter_options(client, source, channel, version, *limit))
            },
        )
        .await
    }

    async fn values_of(
        &self,
        query: &CellQuery,
        of: ValueOf,
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        let given = (query, of, limit);
        self.read("list values of cells", given, |client, (query, of, limit)| {
            Box::pin(values::read(client, query, of, *limit))
        })
        .await
    }

    async fn series(&self, query: &CellQuery, bounds: Bounds) -> Result<Vec<SeriesRow>, AggregateError> {
        self.read("sum up cells", (query, bounds), |client, (query, bounds)| {
            Box::pin(series::read(client, query, *bounds))
        })
        .await
    }

    async fn sources(&self, limit: usize) -> Result<Listed<Source>, AggregateError> {
        self.read("list sources", limit, |client, limit| {
            Box::pin(catalogue::sources(client, *limit))
        })
        .await
    }

    async fn about(&self, source: &Source) -> Result<Option<AboutSource>, AggregateError> {
        self.read("look at a source", source, |client, source| {
            Box::pin(catalogue::about(client, source))
        })
        .await
    }

    async fn dimension_values(
        &self,
        source: &Source,
        dimension: &Dimension,
        filters: &[Filter],
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        let given = (source, dimension, filters, limit);
        self.read(
            "list values of a dimension",
            given,
            |client, (source, dimension, filters, limit)| {
                Box::pin(dimension_values::read(
                    client,
                    source,
                    dimension.as_str(),
                    filters,
                    *limit,
                ))
            },
        )
        .await
    }

    async fn metrics(
        &self,
        source: &Source,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StoredMetric>, AggregateError> {
        let given = (source, after, limit);
        self.read("list metrics", given, |client, (source, after, limit)| {
            Box::pin(catalogue::metrics(client, source, *after, *limit))
        })
        .await
    }

    async fn user_groups(&self, query: &UserQuery, limit: usize) -> Result<Listed<String>, AggregateError> {
        self.read(
            "find the largest groups of users",
            (query, limit),
            |client, (query, limit)| Box::pin(users::groups(client, query, *limit)),
        )
        .await
    }

    async fn users(&self, query: &UserQuery, limit: usize) -> Result<Vec<UserDay>, AggregateError> {
        self.read("unite users", (query, limit), |client, (query, limit)| {
            Box::pin(users::read(client, query, *limit))
        })
        .await
    }

    async fn status(&self) -> Result<Status, AggregateError> {
        self.read("read the counters", (), |client, ()| {
            Box::pin(counters::status(client))
        })
        .await
    }

    async fn errored(
        &self,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<ErroredRow>, AggregateError> {
        self.read("list errored pings", (after, limit), |client, (after, limit)| {
            Box::pin(errored::page(client, *after, *limit))
        })
        .await
    }

    async fn dump(&self, lines: mpsc::Sender<String>) -> Result<(), AggregateError> {
        let sent = self
            .connections
            .snapshot(lines, |transaction, lines| {
                Box::pin(dump::send(transaction, lines))
            })
            .await;
        self.told("dump the aggregates", sent)
    }
}

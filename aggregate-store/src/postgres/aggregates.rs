//! The store in PostgreSQL: opening, and the door's methods handed to its statements.

use std::sync::Arc;

use async_trait::async_trait;
use ping::{ChunkId, DocumentKey, Incarnation};
use postgres_connections::{Connections, Failure, PostgresSettings, Reads, SeenServer, Writes};
use tokio::sync::mpsc;

use super::commit::Coming;
use super::known::Known;
use super::refusal::{aggregate_error, committed};
use super::{about, chunks, commit, copies, fold_version, gate, schema};
use crate::{AggregateError, AggregateStore, Batch, Committed, FoldVersion, SeenIds, SeenRow, metrics};

/// Aggregates in a PostgreSQL database. Any number of processes may open it at once; their batches are written one after
/// the other.
///
/// Memory: some MB for each batch being written beside the batch itself, about 40 bytes for each of its cells, and the ids
/// of its names; and up to 30 MB of names that answers needed.
#[derive(Debug)]
pub struct PostgresAggregates {
    pub(super) connections: Connections,
    /// Names of the database.
    pub(super) known: Known,
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
        Ok(Arc::new(Self {
            connections,
            known: Known::default(),
        }))
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
            Box::pin(chunks::are_folded(client, None, chunks))
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

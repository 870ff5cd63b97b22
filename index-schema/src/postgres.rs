//! The index in PostgreSQL, for several processes that share one: edges, Lambdas, aggregators, APIs.
//!
//! What does not live here: the tables ([`schema`], [`views`]), the statements ([`sql`], [`retain_sql`]), rows ([`row`]),
//! what takes several statements ([`insert`], [`work`], [`retain_work`], [`months`]), connections ([`postgres_connections`]).

mod floor_sql;
mod floors;
mod gate;
mod insert;
mod limits;
mod months;
mod refusal;
mod retain;
mod retain_sql;
mod retain_work;
mod row;
mod schema;
mod source_floors;
mod sql;
mod views;
mod work;

use std::sync::Arc;

use async_trait::async_trait;
pub use months::DroppedMonth;
use ping::{ChunkId, Incarnation};
use postgres_connections::{Connections, Failure, Gate, PostgresSettings, Reads, SeenServer, Writes};
use refusal::{index_error, is_missing_month};

use crate::{
    AllFloors, Floors, Index, IndexEntry, IndexError, IndexTotals, Inserted, PartitionCount, PartitionOrder,
    PendingChunk, ProductList, Selection, SetAside, Swap,
};

/// The index in a PostgreSQL database. Any number of processes may open it at once.
#[derive(Debug)]
pub struct PostgresIndex {
    connections: Connections,
}

impl PostgresIndex {
    /// Opens the index: makes its tables where there are none, and brings older ones up to date, one process at a time.
    ///
    /// # Errors
    /// [`IndexError::Newer`] for a newer schema; when the server cannot be reached, or refuses: then nothing was changed.
    pub async fn open(settings: PostgresSettings) -> Result<Arc<Self>, IndexError> {
        let connections =
            Connections::new(&settings).map_err(|error| IndexError::Database(error.to_string()))?;
        let migrated = connections.migrate(&schema::SCHEMA).await;
        migrated.map_err(|failure| index_error(failure, connections.name()))?;
        Ok(Arc::new(Self { connections }))
    }

    /// The server that was seen last, looked at with each new connection.
    pub fn server(&self) -> SeenServer {
        let seen = self.connections.server();
        seen.expect("opening it took a connection, and each looks at its server first")
    }

    /// Returns when another server than before is seen, or one that went back in time: after `changes` of them were.
    /// See [`SeenServer::changes`] for what is to be done then.
    pub async fn server_changed(&self, changes: u64) -> SeenServer {
        self.connections.server_changed(changes).await
    }

    /// Drops the entries of all months that lie wholly below the floors of pings and of errors, each at once: for whoever
    /// deletes their objects by day (a lifecycle rule), not one by one by [`RetainIndex::remove`](crate::RetainIndex).
    ///
    /// # Errors
    /// When the database refused, or questions that run hold the tables for more than some seconds: then nothing was
    /// dropped, and the next call goes on.
    pub async fn drop_months(&self) -> Result<Vec<DroppedMonth>, IndexError> {
        let dropped = months::drop_below(&self.connections, false).await;
        dropped.map_err(|failure| index_error(failure, self.connections.name()))
    }

    async fn read<G: Sync, T>(&self, given: G, work: Reads<G, T>) -> Result<T, IndexError> {
        let answer = self.connections.read(given, work).await;
        answer.map_err(|failure| index_error(failure, self.connections.name()))
    }

    async fn write<G: Sync, T: Send>(
        &self,
        gate: Gate,
        given: G,
        work: Writes<G, T>,
    ) -> Result<T, IndexError> {
        let answer = self.connections.write(gate, given, work).await;
        answer.map_err(|failure| index_error(failure, self.connections.name()))
    }
}

#[async_trait]
impl Index for PostgresIndex {
    async fn insert(&self, entries: &[IndexEntry]) -> Result<Inserted, IndexError> {
        if entries.is_empty() {
            return Ok(Inserted::default());
        }
        let named = |failure: Failure| index_error(failure, self.connections.name());
        for _ in 0..limits::ATTEMPTS {
            let inserted = self
                .connections
                .write(gate::SHARED, entries, |transaction, entries| {
                    Box::pin(insert::insert(transaction, entries))
                })
                .await;
            match inserted {
                // The first chunk of a month; or another process drops it, and then the floor refuses the chunk.
                Err(failure) if is_missing_month(&failure) => {
                    let months = insert::months(entries).map_err(named)?;
                    months::make(&self.connections, &months).await.map_err(named)?;
                }
                other => return other.map_err(named),
            }
        }
        Err(named(Failure::of(
            "months are dropped as fast as they are made: what was asked was not done",
        )))
    }

    async fn contains(&self, keys: &[String]) -> Result<Vec<bool>, IndexError> {
        self.read(keys, |client, keys| Box::pin(work::contains(client, keys)))
            .await
    }

    async fn pending(&self, limit: usize) -> Result<Vec<PendingChunk>, IndexError> {
        self.read(whole(limit), |client, limit| {
            Box::pin(work::pending(client, *limit))
        })
        .await
    }

    async fn settle(&self, folded: &[ChunkId]) -> Result<(), IndexError> {
        let ids = work::texts(folded);
        self.write(gate::SHARED, ids, |transaction, ids| {
            Box::pin(work::settle(transaction, ids))
        })
        .await
    }

    async fn make_pending(&self, chunks: Option<&[ChunkId]>) -> Result<u64, IndexError> {
        let ids = chunks.map(work::texts);
        self.write(gate::ALONE, ids, |transaction, ids| match ids {
            None => Box::pin(work::make_all_pending(transaction)),
            Some(ids) => Box::pin(work::make_pending(transaction, ids)),
        })
        .await
    }

    async fn fail(&self, chunk: ChunkId, reason: &str) -> Result<u32, IndexError> {
        let given = (chunk.to_string(), reason);
        self.write(gate::SHARED, given, |transaction, (id, reason)| {
            Box::pin(work::fail(transaction, id, reason))
        })
        .await
    }

    async fn note_unreadable(&self, key: &str, reason: &str) -> Result<bool, IndexError> {
        self.write(gate::SHARED, (key, reason), |transaction, (key, reason)| {
            Box::pin(work::note_unreadable(transaction, key, reason))
        })
        .await
    }

    async fn clear_gone(&self, keys: &[String]) -> Result<u64, IndexError> {
        self.write(gate::ALONE, keys, |transaction, keys| {
            Box::pin(retain_work::clear_gone(transaction, keys))
        })
        .await
    }

    async fn floors(&self) -> Result<Floors, IndexError> {
        self.read((), |client, ()| {
            Box::pin(async move {
                let statement = client.prepare_cached(retain_sql::FLOORS).await?;
                floors::read_floors(&client.query_one(&statement, &[]).await?)
            })
        })
        .await
    }

    async fn all_floors(&self) -> Result<AllFloors, IndexError> {
        self.read((), |client, ()| {
            Box::pin(async move {
                let statement = client.prepare_cached(retain_sql::FLOORS).await?;
                let all = client.query_one(&statement, &[]).await?;
                let statement = client.prepare_cached(retain_sql::SOURCE_FLOORS).await?;
                floors::read_all_floors(&all, &client.query(&statement, &[]).await?)
            })
        })
        .await
    }

    async fn set_aside(&self) -> Result<Vec<SetAside>, IndexError> {
        self.read((), |client, ()| Box::pin(work::list_set_aside(client)))
            .await
    }

    async fn select(
        &self,
        selection: &Selection,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<IndexEntry>, IndexError> {
        self.read((selection, after, limit), |client, (selection, after, limit)| {
            Box::pin(work::select(client, selection, *after, *limit))
        })
        .await
    }

    async fn entry(&self, chunk: ChunkId) -> Result<Option<IndexEntry>, IndexError> {
        self.read(chunk.to_string(), |client, id| Box::pin(work::entry(client, id)))
            .await
    }

    async fn totals(&self) -> Result<IndexTotals, IndexError> {
        self.read((), |client, ()| Box::pin(work::totals(client))).await
    }

    async fn products(&self, limit: usize) -> Result<ProductList, IndexError> {
        self.read(limit, |client, limit| Box::pin(work::products(client, *limit)))
            .await
    }

    async fn partitions(
        &self,
        order: PartitionOrder,
        from: usize,
        limit: usize,
    ) -> Result<Vec<PartitionCount>, IndexError> {
        let statement = match order {
            PartitionOrder::StoredBytes => sql::PARTITIONS_BY_BYTES,
            PartitionOrder::Records => sql::PARTITIONS_BY_RECORDS,
        };
        let given = (statement, whole(limit), whole(from));
        self.read(given, |client, (statement, limit, from)| {
            Box::pin(async move {
                let rows = client.query(*statement, &[limit, from]).await?;
                rows.iter().map(row::read_partition).collect()
            })
        })
        .await
    }

    /// Runs it, and answers in the words of `EXPLAIN (ANALYZE, BUFFERS)`.
    async fn explain(&self, selection: &Selection, limit: usize) -> Result<String, IndexError> {
        self.read((selection, limit), |client, (selection, limit)| {
            Box::pin(work::explain(client, selection, *limit))
        })
        .await
    }

    async fn claim_folding(&self, aggregates: Incarnation) -> Result<(), IndexError> {
        let found = self
            .write(gate::ALONE, aggregates.to_string(), |transaction, ours| {
                Box::pin(async move {
                    Ok(transaction
                        .query_one(sql::CLAIM_FOLDING, &[ours])
                        .await?
                        .try_get(0)?)
                })
            })
            .await;
        let folds: String = found?;
        let by = incarnation(&folds)?;
        if by == aggregates {
            return Ok(());
        }
        Err(IndexError::FoldedElsewhere { by })
    }

    async fn folded_by(&self) -> Result<Option<Incarnation>, IndexError> {
        let found = self
            .read((), |client, ()| {
                Box::pin(async move { Ok(client.query_one(sql::FOLDED_BY, &[]).await?.try_get(0)?) })
            })
            .await;
        let folds: Option<String> = found?;
        folds.as_deref().map(incarnation).transpose()
    }

    async fn generation(&self) -> Result<u64, IndexError> {
        self.read((), |client, ()| {
            Box::pin(async move { row::count(&client.query_one(sql::GENERATION, &[]).await?, 0) })
        })
        .await
    }

    async fn set_generation(&self, swap: Swap) -> Result<bool, IndexError> {
        self.write(gate::ALONE, swap, |transaction, swap| {
            Box::pin(retain_work::swap(transaction, swap))
        })
        .await
    }
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// An incarnation, as the database has its text.
fn incarnation(text: &str) -> Result<Incarnation, IndexError> {
    text.parse().map_err(|_| {
        IndexError::Database(format!(
            "highwater_index.totals says that `{text}` folds, which is no incarnation"
        ))
    })
}

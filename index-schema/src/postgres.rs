//! The index in PostgreSQL, for several processes that share one: edges, Lambdas, aggregators, APIs.
//!
//! What does not live here: the tables ([`schema`], [`views`]), the statements ([`sql`], [`retain_sql`]), rows ([`row`]),
//! what takes several statements ([`insert`], [`work`], [`retain_work`], [`months`]), connections ([`pool`], [`call`]).

mod call;
mod failure;
mod insert;
mod limits;
mod migrate;
mod months;
mod pool;
mod retain;
mod retain_sql;
mod retain_work;
mod row;
mod schema;
mod server;
mod settings;
mod sql;
mod tls;
mod views;
mod work;

use std::sync::Arc;

use async_trait::async_trait;
use call::Gate;
use deadpool_postgres::{ClientWrapper, Transaction};
use failure::Failure;
pub use months::DroppedMonth;
use ping::ChunkId;
use pool::Connections;
pub use server::{SeenServer, ServerIdentity};
pub use settings::PostgresSettings;

use crate::{
    Floors, Index, IndexEntry, IndexError, IndexTotals, Inserted, PartitionCount, PartitionOrder,
    PendingChunk, ProductCount, Selection, SetAside,
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
        let index = Self {
            connections: Connections::new(&settings)?,
        };
        let migrated = migrate::migrate(&index.connections).await;
        migrated.map_err(|failure| failure.into_index(&index.connections.name))?;
        Ok(Arc::new(index))
    }

    /// The server that was seen last, looked at with each new connection.
    pub fn server(&self) -> SeenServer {
        let seen = self.connections.servers.now();
        seen.expect("opening it took a connection, and each looks at its server first")
    }

    /// Returns when another server than before is seen, or one that went back in time: after `changes` of them were.
    /// See [`SeenServer::changes`] for what is to be done then.
    pub async fn server_changed(&self, changes: u64) -> SeenServer {
        self.connections.servers.changed(changes).await
    }

    /// Drops the entries of all months that lie wholly below the floors of pings and of errors, each at once: for whoever
    /// deletes their objects by day (a lifecycle rule), not one by one by [`RetainIndex::remove`](crate::RetainIndex).
    ///
    /// # Errors
    /// When the database refused, or questions that run hold the tables for more than some seconds: then nothing was
    /// dropped, and the next call goes on.
    pub async fn drop_months(&self) -> Result<Vec<DroppedMonth>, IndexError> {
        let dropped = months::drop_below(&self.connections, false).await;
        dropped.map_err(|failure| failure.into_index(&self.connections.name))
    }

    async fn read<T>(
        &self,
        work: impl AsyncFn(&ClientWrapper) -> Result<T, Failure>,
    ) -> Result<T, IndexError> {
        let answer = self.connections.read(work).await;
        answer.map_err(|failure| failure.into_index(&self.connections.name))
    }

    async fn write<T>(
        &self,
        gate: Gate,
        work: impl AsyncFn(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, IndexError> {
        let answer = self.connections.write(gate, work).await;
        answer.map_err(|failure| failure.into_index(&self.connections.name))
    }
}

#[async_trait]
impl Index for PostgresIndex {
    async fn insert(&self, entries: &[IndexEntry]) -> Result<Inserted, IndexError> {
        if entries.is_empty() {
            return Ok(Inserted::default());
        }
        let named = |failure: Failure| failure.into_index(&self.connections.name);
        for _ in 0..limits::ATTEMPTS {
            let inserted = self
                .connections
                .write(Gate::Shared, async |transaction| {
                    insert::insert(transaction, entries).await
                })
                .await;
            match inserted {
                // The first chunk of a month; or another process drops it, and then the floor refuses the chunk.
                Err(failure) if failure.is_missing_month() => {
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
        let (days, keys) = retain_work::days_and_keys(keys);
        self.read(async |client| {
            let statement = client.prepare_cached(sql::CONTAINS).await?;
            let rows = client.query(&statement, &[&keys, &days]).await?;
            rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
        })
        .await
    }

    async fn pending(&self, limit: usize) -> Result<Vec<PendingChunk>, IndexError> {
        let limit = whole(limit);
        self.read(async |client| {
            let statement = client.prepare_cached(sql::PENDING).await?;
            let rows = client.query(&statement, &[&limit]).await?;
            let read = |row| {
                Ok(PendingChunk {
                    entry: row::read(row)?,
                    failures: work::failures(row, row::COLUMNS)?,
                })
            };
            rows.iter().map(read).collect()
        })
        .await
    }

    async fn settle(&self, folded: &[ChunkId]) -> Result<(), IndexError> {
        let ids = work::texts(folded);
        self.write(Gate::Shared, async |transaction| {
            work::settle(transaction, &ids).await
        })
        .await
    }

    async fn make_pending(&self, chunks: Option<&[ChunkId]>) -> Result<u64, IndexError> {
        let ids = chunks.map(work::texts);
        self.write(Gate::Alone, async |transaction| match &ids {
            None => work::make_all_pending(transaction).await,
            Some(ids) => work::make_pending(transaction, ids).await,
        })
        .await
    }

    async fn fail(&self, chunk: ChunkId, reason: &str) -> Result<u32, IndexError> {
        let id = chunk.to_string();
        self.write(Gate::Shared, async |transaction| {
            work::fail(transaction, &id, reason).await
        })
        .await
    }

    async fn note_unreadable(&self, key: &str, reason: &str) -> Result<bool, IndexError> {
        let date = crate::ChunkKey::parse(key).ok().map(|_| row::day_of_key(key));
        let (key, reason) = (row::text(key), row::text(reason));
        self.write(Gate::Shared, async |transaction| {
            let statement = transaction.prepare_cached(sql::NOTE_UNREADABLE).await?;
            let changed = transaction.execute(&statement, &[&key, &date, &reason]).await?;
            Ok(changed > 0)
        })
        .await
    }

    async fn clear_gone(&self, keys: &[String]) -> Result<u64, IndexError> {
        self.write(Gate::Alone, async |transaction| {
            retain_work::clear_gone(transaction, keys).await
        })
        .await
    }

    async fn floors(&self) -> Result<Floors, IndexError> {
        self.read(async |client| {
            let statement = client.prepare_cached(retain_sql::FLOORS).await?;
            retain_work::read_floors(&client.query_one(&statement, &[]).await?)
        })
        .await
    }

    async fn set_aside(&self) -> Result<Vec<SetAside>, IndexError> {
        self.read(async |client| {
            let rows = client.query(sql::LIST_SET_ASIDE, &[]).await?;
            let read = |row: &tokio_postgres::Row| {
                Ok(SetAside {
                    key: row.try_get(0)?,
                    reason: row.try_get(1)?,
                })
            };
            rows.iter().map(read).collect()
        })
        .await
    }

    async fn select(
        &self,
        selection: &Selection,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<IndexEntry>, IndexError> {
        self.read(async |client| work::select(client, selection, after, limit).await)
            .await
    }

    async fn entry(&self, chunk: ChunkId) -> Result<Option<IndexEntry>, IndexError> {
        let id = chunk.to_string();
        self.read(async |client| {
            let statement = client.prepare_cached(sql::ENTRY).await?;
            let row = client.query_opt(&statement, &[&id]).await?;
            row.as_ref().map(row::read).transpose()
        })
        .await
    }

    async fn totals(&self) -> Result<IndexTotals, IndexError> {
        self.read(async |client| work::totals(client).await).await
    }

    async fn products(&self) -> Result<Vec<ProductCount>, IndexError> {
        self.read(async |client| {
            let rows = client.query(sql::PRODUCTS, &[]).await?;
            let read = |row: &tokio_postgres::Row| {
                Ok(ProductCount {
                    namespace: row.try_get(0)?,
                    doc_type: row.try_get(1)?,
                    app_name: row.try_get(2)?,
                    records: row::count(row, 3)?,
                })
            };
            rows.iter().map(read).collect()
        })
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
        let (limit, from) = (whole(limit), whole(from));
        self.read(async |client| {
            let rows = client.query(statement, &[&limit, &from]).await?;
            rows.iter().map(row::read_partition).collect()
        })
        .await
    }

    async fn generation(&self) -> Result<u64, IndexError> {
        self.read(async |client| row::count(&client.query_one(sql::GENERATION, &[]).await?, 0))
            .await
    }

    async fn set_generation(&self, generation: u64) -> Result<(), IndexError> {
        self.write(Gate::Alone, async |transaction| {
            let generation = row::integer(generation)?;
            transaction.execute(sql::SET_GENERATION, &[&generation]).await?;
            retain_work::count_unfolded_anew(transaction).await
        })
        .await
    }
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

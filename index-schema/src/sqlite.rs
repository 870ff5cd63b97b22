//! The index in one SQLite file: one connection that writes, on its own thread, and a few that read.
//!
//! What does not live here: the statements ([`sql`]), rows ([`row`]), what takes several statements ([`work`]).

mod floor_sql;
mod floors;
mod open;
mod path;
mod retain;
mod retain_sql;
mod retain_work;
mod row;
mod source_floors;
mod sql;
mod work;
mod worker;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use ping::{ChunkId, Dimension};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use worker::Worker;

use crate::stored::COLUMNS;
use crate::{
    AllFloors, ChunkKey, Floors, Index, IndexEntry, IndexError, IndexTotals, Inserted, PartitionCount,
    PartitionOrder, PendingChunk, ProductCount, ProductList, Selection, SetAside, Swap,
};

/// Connections that read. Readers never wait for the writer, only for each other.
const READERS: usize = 2;

/// The index in one SQLite file. Several processes may open it; each write is one transaction, synced before it is
/// answered.
#[derive(Debug)]
pub struct SqliteIndex {
    writer: Option<Worker>,
    readers: Vec<Worker>,
    next_reader: AtomicUsize,
}

impl SqliteIndex {
    /// Opens the index for reading and writing; makes it where there is none, and migrates an older schema.
    ///
    /// # Errors
    /// [`IndexError::Newer`] for a newer schema; when the file cannot be opened.
    pub fn open(path: &Path) -> Result<Arc<Self>, IndexError> {
        let writer = Worker::start("index-writer", open::writer(path)?)?;
        Self::with(Some(writer), path)
    }

    /// Opens an existing index for reading, beside whoever writes it.
    ///
    /// # Errors
    /// [`IndexError::Newer`] for a newer schema; when there is no index, or an older one.
    pub fn open_read_only(path: &Path) -> Result<Arc<Self>, IndexError> {
        Self::with(None, path)
    }

    fn with(writer: Option<Worker>, path: &Path) -> Result<Arc<Self>, IndexError> {
        let reader = |_| Worker::start("index-reader", open::reader(path)?);
        let readers = (0..READERS).map(reader).collect::<Result<_, _>>()?;
        Ok(Arc::new(Self {
            writer,
            readers,
            next_reader: AtomicUsize::new(0),
        }))
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, IndexError> {
        let next = self.next_reader.fetch_add(1, Ordering::Relaxed) % self.readers.len();
        self.readers[next].call(|connection| work(connection)).await
    }

    /// Runs `work` in one transaction, which is rolled back when it fails.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, IndexError> {
        let read_only = || IndexError::Database("it was opened for reading only".to_owned());
        let writer = self.writer.as_ref().ok_or_else(read_only)?;
        writer
            .call(|connection| {
                let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let answer = work(&transaction)?;
                transaction.commit()?;
                Ok(answer)
            })
            .await
    }
}

#[async_trait]
impl Index for SqliteIndex {
    async fn insert(&self, entries: &[IndexEntry]) -> Result<Inserted, IndexError> {
        let entries = entries.to_vec();
        self.write(move |transaction| work::insert(transaction, &entries))
            .await
    }

    async fn contains(&self, keys: &[String]) -> Result<Vec<bool>, IndexError> {
        let keys = keys.to_vec();
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(sql::HAS_KEY)?;
            keys.iter().map(|key| statement.exists([key])).collect()
        })
        .await
    }

    async fn pending(&self, limit: usize) -> Result<Vec<PendingChunk>, IndexError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(sql::PENDING)?;
            let rows = statement.query_map([limit], |row| {
                Ok(PendingChunk {
                    entry: row::read(row)?,
                    failures: row.get(COLUMNS)?,
                })
            })?;
            rows.collect()
        })
        .await
    }

    async fn settle(&self, folded: &[ChunkId]) -> Result<(), IndexError> {
        let folded = folded.to_vec();
        self.write(move |transaction| {
            for chunk in folded {
                let id = chunk.to_string();
                transaction.prepare_cached(sql::SETTLE_PENDING)?.execute([&id])?;
                transaction
                    .prepare_cached(sql::SETTLE_SET_ASIDE)?
                    .execute([&id])?;
            }
            Ok(())
        })
        .await
    }

    async fn make_pending(&self, chunks: Option<&[ChunkId]>) -> Result<u64, IndexError> {
        let chunks = chunks.map(<[_]>::to_vec);
        self.write(move |transaction| match chunks {
            None => work::make_all_pending(transaction),
            Some(chunks) => work::make_pending(transaction, &chunks),
        })
        .await
    }

    async fn fail(&self, chunk: ChunkId, reason: &str) -> Result<u32, IndexError> {
        let reason = reason.to_owned();
        self.write(move |transaction| work::fail(transaction, &chunk.to_string(), &reason))
            .await
    }

    async fn note_unreadable(&self, key: &str, reason: &str) -> Result<bool, IndexError> {
        let (key, reason) = (key.to_owned(), reason.to_owned());
        let parsed = ChunkKey::parse(&key).ok();
        let date = parsed.map(|key| key.partition.get(Dimension::SubmissionDate).to_owned());
        self.write(move |transaction| {
            let changed = transaction
                .prepare_cached(sql::NOTE_UNREADABLE)?
                .execute(params![key, date, reason])?;
            Ok(changed > 0)
        })
        .await
    }

    async fn clear_gone(&self, keys: &[String]) -> Result<u64, IndexError> {
        let keys = keys.to_vec();
        self.write(move |transaction| retain_work::clear_gone(transaction, &keys))
            .await
    }

    async fn floors(&self) -> Result<Floors, IndexError> {
        self.read(floors::floors).await
    }

    async fn all_floors(&self) -> Result<AllFloors, IndexError> {
        self.read(floors::all_floors).await
    }

    async fn set_aside(&self) -> Result<Vec<SetAside>, IndexError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(sql::LIST_SET_ASIDE)?;
            let rows = statement.query_map([], |row| {
                Ok(SetAside {
                    key: row.get(0)?,
                    reason: row.get(1)?,
                })
            })?;
            rows.collect()
        })
        .await
    }

    async fn select(
        &self,
        selection: &Selection,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<IndexEntry>, IndexError> {
        let (selection, after) = (selection.clone(), after.map(str::to_owned));
        self.read(move |connection| work::select(connection, &selection, after.as_deref(), limit))
            .await
    }

    /// In the words of `EXPLAIN QUERY PLAN`.
    async fn explain(&self, selection: &Selection, limit: usize) -> Result<String, IndexError> {
        let selection = selection.clone();
        self.read(move |connection| work::explain(connection, &selection, limit))
            .await
    }

    async fn entry(&self, chunk: ChunkId) -> Result<Option<IndexEntry>, IndexError> {
        self.read(move |connection| {
            connection
                .prepare_cached(sql::ENTRY)?
                .query_row([chunk.to_string()], row::read)
                .optional()
        })
        .await
    }

    async fn totals(&self) -> Result<IndexTotals, IndexError> {
        self.read(|connection| {
            connection.prepare_cached(sql::TOTALS)?.query_row([], |row| {
                Ok(IndexTotals {
                    chunks: row::count(row, 0)?,
                    records: row::count(row, 1)?,
                    stored_bytes: row::count(row, 2)?,
                    received_bytes: row::count(row, 3)?,
                    pending_chunks: row::count(row, 4)?,
                    set_aside: row::count(row, 5)?,
                    removed_chunks: row::count(row, 6)?,
                    removed_records: row::count(row, 7)?,
                    removed_stored_bytes: row::count(row, 8)?,
                    refused_chunks: row::count(row, 9)?,
                    refused_records: row::count(row, 10)?,
                    unfolded_records: row::count(row, 11)?,
                    rebuild_wanted: row.get(12)?,
                })
            })
        })
        .await
    }

    async fn products(&self, limit: usize) -> Result<ProductList, IndexError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(sql::PRODUCTS)?;
            let mut rows = statement.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
            let mut found = ProductList::default();
            while let Some(row) = rows.next()? {
                found.products.push(ProductCount {
                    namespace: row.get(0)?,
                    doc_type: row.get(1)?,
                    app_name: row.get(2)?,
                    records: row::count(row, 3)?,
                });
                found.left_out = row::count(row, 4)?.saturating_sub(found.products.len() as u64);
            }
            Ok(found)
        })
        .await
    }

    async fn partitions(
        &self,
        order: PartitionOrder,
        from: usize,
        limit: usize,
    ) -> Result<Vec<PartitionCount>, IndexError> {
        let whole = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let statement = match order {
            PartitionOrder::StoredBytes => sql::PARTITIONS_BY_BYTES,
            PartitionOrder::Records => sql::PARTITIONS_BY_RECORDS,
        };
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(statement)?;
            let rows = statement.query_map([whole(limit), whole(from)], row::read_partition)?;
            rows.collect()
        })
        .await
    }

    async fn generation(&self) -> Result<u64, IndexError> {
        self.read(|connection| {
            connection
                .prepare_cached(sql::GENERATION)?
                .query_row([], |row| row::count(row, 0))
        })
        .await
    }

    async fn set_generation(&self, swap: Swap) -> Result<bool, IndexError> {
        self.write(move |transaction| retain_work::swap(transaction, &swap))
            .await
    }
}

//! The store in a SQLite file: opening, closing, and the door's methods handed to the threads.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ping::{ChunkId, DocumentKey, RecordId};
use rusqlite::{Connection, OpenFlags};
use service::task;
use tokio::sync::mpsc;

use super::commit::Writer;
use super::decoded::Cache;
use super::limits::{
    BUSY_TIMEOUT_MS, FOLD_READERS, READER_CACHE_KIB, READERS, STATEMENTS_KEPT, WAITING_READS, WAITING_WRITES,
    WAL_BYTES_KEPT, WRITER_CACHE_KIB,
};
use super::reading::Reading;
use super::workers::Workers;
use super::{fold_version, layers, retried, schema};
use crate::layer::{Held, LayerStamp, LayerStatus, Part};
use crate::{
    AboutSource, AggregateError, AggregateReads, AggregateStore, Batch, Bounds, CellQuery, Committed,
    DateClock, Dimension, ErroredRow, Filter, FilterOptions, FoldVersion, Listed, SeenIds, SeenRow, Series,
    Source, SourcePings, Status, StoredMetric, UserDay, UserQuery, ValueOf, VersionDate,
};

/// Aggregates in one SQLite file with a write-ahead log, synced at each commit.
///
/// Memory: 64 MiB of pages and up to 64 MiB of names for the writer, 16 MiB of pages for each of five readers, up to 64 MiB of
/// decoded cells, and about 28 bytes for each cell of the batch being written.
#[derive(Debug)]
pub struct SqliteAggregates {
    /// Declared first, so that the writer is the last to close the file: then SQLite moves all pages into it.
    readers: Workers<Connection>,
    /// What the fold asks never waits behind what others ask.
    fold_readers: Workers<Connection>,
    /// None when opened for reading only.
    writer: Option<Workers<Writer>>,
    /// What is kept of what was read; none where another process writes.
    decoded: Option<Arc<Cache>>,
}

impl SqliteAggregates {
    /// Opens a file for reading and writing; makes it, or brings its tables up to date, if need be. One process may do
    /// so at a time. The folder must be there. Blocks until it is open.
    ///
    /// # Errors
    /// [`AggregateError::Newer`] when a newer program wrote it; or when the file cannot be used.
    pub fn open(path: &Path) -> Result<Self, AggregateError> {
        let place = path.display().to_string();
        Self::open_at(path, &place).map_err(|error| error.while_opening(&place))
    }

    fn open_at(path: &Path, place: &str) -> Result<Self, AggregateError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut connection = connect(path, flags, WRITER_CACHE_KIB)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
        schema::migrate(&mut connection, place)?;
        let decoded = Arc::new(Cache::default());
        let writer = Writer::new(connection, Arc::clone(&decoded))?;
        let workers = Workers::start("aggregates-write", vec![writer], WAITING_WRITES);
        Ok(Self {
            readers: start_readers(path, "aggregates-read", READERS)?,
            fold_readers: start_readers(path, "aggregates-look-up", FOLD_READERS)?,
            writer: Some(workers.map_err(no_thread)?),
            decoded: Some(decoded),
        })
    }

    /// Opens a file for reading only, also beside a process that writes it.
    ///
    /// # Errors
    /// [`AggregateError::Absent`] when there is none, [`AggregateError::Older`] or [`AggregateError::Newer`] when
    /// another program wrote it; or when the file cannot be used.
    pub fn open_read_only(path: &Path) -> Result<Self, AggregateError> {
        let place = path.display().to_string();
        if !path.exists() {
            return Err(AggregateError::Absent { place });
        }
        connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, READER_CACHE_KIB)
            .and_then(|connection| schema::check(&connection, &place))
            .and_then(|()| {
                Ok(Self {
                    readers: start_readers(path, "aggregates-read", READERS)?,
                    fold_readers: start_readers(path, "aggregates-look-up", FOLD_READERS)?,
                    writer: None,
                    decoded: None,
                })
            })
            .map_err(|error| error.while_opening(&place))
    }

    /// Ends the threads after what they were told to do, and closes the file. Dropping does the same, but blocks.
    pub async fn close(self) {
        task::blocking(move || drop(self)).await;
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut Writer) -> Result<T, AggregateError> + Send + 'static,
    ) -> Result<T, AggregateError> {
        let writer = self.writer.as_ref().ok_or(AggregateError::ReadOnly)?;
        let told = move |writer: &mut Writer| {
            let outcome = work(writer);
            writer.tell();
            outcome
        };
        writer.run(doing, told).await
    }

    /// Looks something up for the fold: every question is a transaction of its own.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, AggregateError> + Send + 'static,
    ) -> Result<T, AggregateError> {
        self.fold_readers
            .run(doing, |connection| work(&*connection.transaction()?))
            .await
    }

    /// Questions whose answers include what is held.
    pub(crate) fn reading(&self, held: Arc<Held>) -> Reading<'_> {
        Reading::new(&self.readers, &self.fold_readers, held, self.decoded.as_ref())
    }

    fn reading_alone(&self) -> Reading<'_> {
        self.reading(Arc::default())
    }

    /// Writes a layer in one transaction. If one of its chunks is folded already, nothing is written; if the layer
    /// itself was written already, that is well.
    pub(crate) async fn commit_layer(
        &self,
        stamp: LayerStamp,
        parts: Vec<Arc<Part>>,
    ) -> Result<Committed, AggregateError> {
        self.write("write a layer", move |writer| {
            let batches: Vec<&Batch> = parts.iter().map(|part| part.batch()).collect();
            writer.commit(&batches, Some(stamp))
        })
        .await
    }

    /// The number of the layer that a writer wrote last.
    pub(crate) async fn newest_layer(&self, writer: [u8; 16]) -> Result<Option<u64>, AggregateError> {
        self.read("read what was written last", move |connection| {
            layers::newest(connection, writer)
        })
        .await
    }
}

fn start_readers(
    path: &Path,
    name: &'static str,
    threads: usize,
) -> Result<Workers<Connection>, AggregateError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connections = (0..threads).map(|_| connect(path, flags, READER_CACHE_KIB));
    let connections = connections.collect::<Result<_, _>>()?;
    Workers::start(name, connections, WAITING_READS).map_err(no_thread)
}

fn connect(path: &Path, flags: OpenFlags, cache_kib: u32) -> Result<Connection, AggregateError> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))?;
    // SQLite takes a negative number for KiB.
    connection.pragma_update(None, "cache_size", -i64::from(cache_kib))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    rusqlite::vtab::array::load_module(&connection)?;
    Ok(connection)
}

fn no_thread(error: std::io::Error) -> AggregateError {
    AggregateError::Database {
        doing: "start a thread for the aggregates",
        source: Box::new(error),
    }
}

#[async_trait]
impl AggregateStore for SqliteAggregates {
    async fn commit(&self, batch: Batch) -> Result<Committed, AggregateError> {
        self.write("commit a batch", move |writer| writer.commit(&[&batch], None))
            .await
    }

    async fn commit_parts(&self, parts: mpsc::Receiver<Batch>) -> Result<Committed, AggregateError> {
        self.write("commit a batch in parts", move |writer| {
            writer.commit_parts(parts)
        })
        .await
    }

    async fn folded(&self, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        self.reading_alone().folded(chunks).await
    }

    async fn folded_ids(&self, after: Option<ChunkId>, limit: usize) -> Result<Vec<ChunkId>, AggregateError> {
        self.reading_alone().folded_ids(after, limit).await
    }

    async fn fold_version(&self) -> Result<Option<FoldVersion>, AggregateError> {
        self.read("read the fold version", fold_version::get).await
    }

    async fn set_fold_version(&self, version: &FoldVersion) -> Result<(), AggregateError> {
        let version = version.clone();
        self.write("set the fold version", move |writer| {
            fold_version::set(&writer.connection, &version)
        })
        .await
    }

    async fn replace_fold_version(
        &self,
        known: &FoldVersion,
        version: &FoldVersion,
    ) -> Result<(), AggregateError> {
        let (known, version) = (known.clone(), version.clone());
        self.write("replace the fold version", move |writer| {
            fold_version::replace(&mut writer.connection, &known, &version)
        })
        .await
    }

    async fn retried(&self, chunks: &[ChunkId]) -> Result<Vec<u64>, AggregateError> {
        let chunks = chunks.to_vec();
        self.read("look up retried chunks", move |connection| {
            chunks
                .into_iter()
                .map(|id| retried::find(connection, id))
                .collect()
        })
        .await
    }
}

#[async_trait]
impl SeenIds for SqliteAggregates {
    async fn seen(&self, documents: &[DocumentKey]) -> Result<Vec<SeenRow>, AggregateError> {
        self.reading_alone().seen(documents).await
    }
}

#[async_trait]
impl AggregateReads for SqliteAggregates {
    async fn channels(&self, source: &Source, limit: usize) -> Result<Listed<String>, AggregateError> {
        self.reading_alone().channels(source, limit).await
    }

    async fn dates(
        &self,
        source: &Source,
        clock: DateClock,
        channel: &str,
        limit: usize,
    ) -> Result<Listed<VersionDate>, AggregateError> {
        self.reading_alone().dates(source, clock, channel, limit).await
    }

    async fn filter_options(
        &self,
        source: &Source,
        channel: &str,
        version: &str,
        limit: usize,
    ) -> Result<FilterOptions, AggregateError> {
        self.reading_alone()
            .filter_options(source, channel, version, limit)
            .await
    }

    async fn values_of(
        &self,
        query: &CellQuery,
        of: ValueOf,
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        self.reading_alone().values_of(query, of, limit).await
    }

    async fn series(&self, query: &CellQuery, bounds: Bounds) -> Result<Series, AggregateError> {
        self.reading_alone().series(query, bounds).await
    }

    async fn sources(&self, limit: usize) -> Result<Listed<Source>, AggregateError> {
        self.reading_alone().sources(limit).await
    }

    async fn about(&self, source: &Source) -> Result<Option<AboutSource>, AggregateError> {
        self.reading_alone().about(source).await
    }

    async fn dimension_values(
        &self,
        source: &Source,
        dimension: &Dimension,
        filters: &[Filter],
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        self.reading_alone()
            .dimension_values(source, dimension, filters, limit)
            .await
    }

    async fn metrics(
        &self,
        source: &Source,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StoredMetric>, AggregateError> {
        self.reading_alone().metrics(source, after, limit).await
    }

    async fn user_groups(&self, query: &UserQuery, limit: usize) -> Result<Listed<String>, AggregateError> {
        self.reading_alone().user_groups(query, limit).await
    }

    async fn users(&self, query: &UserQuery, limit: usize) -> Result<Vec<UserDay>, AggregateError> {
        self.reading_alone().users(query, limit).await
    }

    async fn status(&self) -> Result<Status, AggregateError> {
        self.reading_alone().status().await
    }

    async fn source_pings(&self, limit: usize) -> Result<Listed<SourcePings>, AggregateError> {
        self.reading_alone().source_pings(limit).await
    }

    async fn layer(&self) -> Result<LayerStatus, AggregateError> {
        self.reading_alone().layer().await
    }

    async fn errored(
        &self,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<ErroredRow>, AggregateError> {
        self.reading_alone().errored(after, limit).await
    }

    async fn dump(&self, lines: mpsc::Sender<String>) -> Result<(), AggregateError> {
        self.reading_alone().dump(lines).await
    }
}

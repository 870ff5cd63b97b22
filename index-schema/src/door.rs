//! The one door to index entries. Inserting is idempotent: creation events come twice, late, out of order, or never.

use std::fmt;

use async_trait::async_trait;
use ping::{ChunkId, Incarnation, Partition};

use crate::{AllFloors, ChunkKind, Floors, IndexEntry, Selection, Swap};

/// A chunk that could not be folded so often is set aside: a passing failure of disk or network is over by then.
pub const FAILURES_MAX: u32 = 3;

/// So many products are told apart; the pings of further ones are counted under `OTHER`. Whoever sends pings names products,
/// so their number needs a bound; Mozilla's pipeline had some hundreds.
pub const PRODUCTS_MAX: u64 = 2_000;

/// The index of chunks, and the list of those that wait to be folded.
#[async_trait]
pub trait Index: fmt::Debug + Send + Sync + 'static {
    /// Adds entries, each with its pending row, in one transaction. An entry whose key or id is there already changes
    /// nothing. One below the floor of its kind or of its source is refused and counted once; one below a floor of aggregates gets
    /// no pending row; one that was forgotten on purpose is refused.
    ///
    /// # Errors
    /// When the database refused: then nothing was added.
    async fn insert(&self, entries: &[IndexEntry]) -> Result<Inserted, IndexError>;

    /// Which of these keys need not be looked at: they have an entry, or were refused or forgotten. In the order asked.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn contains(&self, keys: &[String]) -> Result<Vec<bool>, IndexError>;

    /// Chunks that wait to be folded, oldest pending row first, without those set aside.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn pending(&self, limit: usize) -> Result<Vec<PendingChunk>, IndexError>;

    /// Removes the pending rows of folded chunks.
    ///
    /// # Errors
    /// When the database refused: then nothing was removed.
    async fn settle(&self, folded: &[ChunkId]) -> Result<(), IndexError>;

    /// Puts a pending row back for every indexed chunk, or for those named, as a rebuild needs; forgets failures.
    /// Answers how many of them are pending now.
    ///
    /// # Errors
    /// When the database refused: then nothing was changed.
    async fn make_pending(&self, chunks: Option<&[ChunkId]>) -> Result<u64, IndexError>;

    /// Notes that a pending chunk could not be folded, and answers how often that happened. The third time it is set
    /// aside: no longer pending, and the status says so. A chunk that is not pending is left as it is; the answer is
    /// then 0, or how often it failed before it was set aside.
    ///
    /// # Errors
    /// When the database refused.
    async fn fail(&self, chunk: ChunkId, reason: &str) -> Result<u32, IndexError>;

    /// Notes an object that is no readable chunk, with the reason; noted again, the reason is replaced. Answers whether
    /// that is news.
    ///
    /// # Errors
    /// When the database refused.
    async fn note_unreadable(&self, key: &str, reason: &str) -> Result<bool, IndexError>;

    /// Clears what was set aside or unreadable under these keys, since the objects are gone; answers how many that
    /// were. A chunk that was set aside counts among the unfolded from now on, and comes back when its object does.
    ///
    /// # Errors
    /// When the database refused: then nothing was cleared.
    async fn clear_gone(&self, keys: &[String]) -> Result<u64, IndexError>;

    /// Before which days nothing is indexed or folded any more.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn floors(&self) -> Result<Floors, IndexError>;

    /// The same, with those of sources beside them.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn all_floors(&self) -> Result<AllFloors, IndexError>;

    /// What was set aside or could not be read, by key.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn set_aside(&self) -> Result<Vec<SetAside>, IndexError>;

    /// Entries that can hold records of the selection, in byte order of keys, after the key `after`.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn select(
        &self,
        selection: &Selection,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<IndexEntry>, IndexError>;

    /// How the database finds the first `limit` entries of a selection, in its own words; for a person.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn explain(&self, selection: &Selection, limit: usize) -> Result<String, IndexError>;

    /// The entry of one chunk.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn entry(&self, chunk: ChunkId) -> Result<Option<IndexEntry>, IndexError>;

    /// Sums over the whole index.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn totals(&self) -> Result<IndexTotals, IndexError>;

    /// Records by namespace, document type and application, largest first, at most `limit`; not those that were deleted
    /// since. There are about [`PRODUCTS_MAX`] at most, the rest is one named `OTHER`.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn products(&self, limit: usize) -> Result<ProductList, IndexError>;

    /// Chunks by partition, largest first by what `order` says, from the one at place `from` on. Reads the whole index.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn partitions(
        &self,
        order: PartitionOrder,
        from: usize,
        limit: usize,
    ) -> Result<Vec<PartitionCount>, IndexError>;

    /// Says whose aggregates the pending chunks are folded into. The first stays: two that each fold a part of what is
    /// pending would both answer wrongly. An index that lies in the data directory of its only aggregates has nothing to
    /// say to that.
    ///
    /// # Errors
    /// [`IndexError::FoldedElsewhere`] when others were first; when the database refused.
    async fn claim_folding(&self, aggregates: Incarnation) -> Result<(), IndexError> {
        let _ = aggregates;
        Ok(())
    }

    /// Whose aggregates the pending chunks are folded into, if anybody ever said so; `None` where an index has nothing to
    /// say to that.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn folded_by(&self) -> Result<Option<Incarnation>, IndexError> {
        Ok(None)
    }

    /// The number of the aggregates that are in use; 0 until one was set.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn generation(&self) -> Result<u64, IndexError>;

    /// Puts other aggregates into use: the swap at the end of a rebuild. Of what was removed, refused or is below the floor of
    /// aggregates they hold what the swap says; all else of it counts as unfolded from now on. When they hold any of it, a rebuild
    /// that was wanted stays so, for some of it may have been forgotten. Answers whether that was done: not when more was removed
    /// since than the swap knows of, or floors are others; then nothing changes.
    ///
    /// # Errors
    /// When the database refused: then the aggregates in use are as before.
    async fn set_generation(&self, swap: Swap) -> Result<bool, IndexError>;
}

/// How an insert ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inserted {
    /// Entries that are new.
    pub added: u64,
    /// Entries that were there before.
    pub known: u64,
    /// Entries below the floor, or of objects that were forgotten.
    pub refused: u64,
}

/// A chunk that waits to be folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingChunk {
    /// Its entry.
    pub entry: IndexEntry,
    /// How often folding it failed.
    pub failures: u32,
}

/// Something that stands outside the folded whole until it is repaired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// The object's key.
    pub key: String,
    /// Why.
    pub reason: String,
}

/// Sums over the whole index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexTotals {
    /// Chunks.
    pub chunks: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes as stored.
    pub stored_bytes: u64,
    /// Bytes of bodies as received.
    pub received_bytes: u64,
    /// Chunks that wait to be folded.
    pub pending_chunks: u64,
    /// Chunks set aside, and objects that are no readable chunk.
    pub set_aside: u64,
    /// Chunks that were deleted on purpose: by retention, or forgotten.
    pub removed_chunks: u64,
    /// Records in them.
    pub removed_records: u64,
    /// Bytes as stored that they took.
    pub removed_stored_bytes: u64,
    /// Chunks that came below the floor, and were not indexed before: they are objects and not indexed.
    pub refused_chunks: u64,
    /// Records in them.
    pub refused_records: u64,
    /// Records, of all that were ever indexed or refused, that the aggregates in use never counted and will not.
    pub unfolded_records: u64,
    /// Whether the aggregates hold what was forgotten: a rebuild takes it out.
    pub rebuild_wanted: bool,
}

impl IndexTotals {
    /// Records that ever arrived at the index: those in it, those deleted since, and those refused below the floor.
    pub const fn records_ever(&self) -> u64 {
        self.records
            .saturating_add(self.removed_records)
            .saturating_add(self.refused_records)
    }
}

/// Products, largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductList {
    /// The largest.
    pub products: Vec<ProductCount>,
    /// How many more there are.
    pub left_out: u64,
}

/// How many pings of one product are indexed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductCount {
    /// The namespace.
    pub namespace: String,
    /// The document type.
    pub doc_type: String,
    /// The application.
    pub app_name: String,
    /// Its records.
    pub records: u64,
}

/// By what partitions are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionOrder {
    /// Bytes as stored.
    StoredBytes,
    /// Records.
    Records,
}

/// What the chunks of one partition sum up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionCount {
    /// What they hold.
    pub kind: ChunkKind,
    /// Their dimension values.
    pub partition: Partition,
    /// How many there are.
    pub chunks: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes as stored.
    pub stored_bytes: u64,
}

/// The index could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The database failed.
    #[error("index: {0}")]
    Database(String),
    /// The database was written by a newer program.
    #[error(
        "index: its schema has version {found}, this program knows {known}: use a newer highwater, or point it at another data directory"
    )]
    Newer {
        /// The version found.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// Its pending chunks are folded into other aggregates.
    #[error(
        "index: its chunks are folded into other aggregates, {by}: run `highwater edge` here, or move the folding here for good \
         (docs/sql.md, \"Which aggregates\")"
    )]
    FoldedElsewhere {
        /// The incarnation of those aggregates, or of the data directory that they lie in.
        by: Incarnation,
    },
    /// The process is ending.
    #[error("index: closed")]
    Closed,
}

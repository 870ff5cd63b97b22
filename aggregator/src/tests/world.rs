//! Chunks in a store, an index over them, aggregates: what the aggregator works on, in a folder of its own.

use std::sync::Arc;
use std::time::Duration;

use aggregate_store::AggregateStore;
use bytes::Bytes;
use chunk::{ChunkHead, ChunkWriter, Tail, entry_of};
use disk::RealDisk;
use index_schema::{ChunkKey, ChunkKind, Index, SqliteIndex};
use ping::{ChunkId, Incarnation, Partition};
use service::clock::HandClock;
use store::{MemoryStore, Payload, Store};

use super::memory::MemoryAggregates;
use super::records::{Stored, at};
use crate::{Aggregator, AggregatorSettings, Share, Step};
use service::current::Current;

pub(super) struct World {
    pub(super) folder: tempfile::TempDir,
    pub(super) store: MemoryStore,
    pub(super) index: Arc<SqliteIndex>,
    pub(super) aggregates: Arc<MemoryAggregates>,
    pub(super) clock: Arc<HandClock>,
}

impl World {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            store: MemoryStore::new(Arc::new(RealDisk)),
            index: SqliteIndex::open(&folder.path().join("index.sqlite")).expect("an index"),
            aggregates: Arc::default(),
            clock: HandClock::at_micros(0),
            folder,
        }
    }

    /// A new process over the same data.
    pub(super) fn aggregator(&self) -> Arc<Aggregator> {
        self.aggregator_with(AggregatorSettings::default())
    }

    pub(super) fn aggregator_with(&self, settings: AggregatorSettings) -> Arc<Aggregator> {
        self.aggregator_over(Arc::new(self.store.clone()), settings)
    }

    pub(super) fn aggregator_over(
        &self,
        store: Arc<dyn Store>,
        settings: AggregatorSettings,
    ) -> Arc<Aggregator> {
        let aggregates: Arc<dyn AggregateStore> = Arc::clone(&self.aggregates) as _;
        let index: Arc<dyn Index> = Arc::clone(&self.index) as _;
        Aggregator::new(
            index,
            store,
            Arc::new(Current::new(aggregates)),
            Arc::clone(&self.clock) as _,
            settings,
        )
    }

    /// One of several over the same data.
    pub(super) fn aggregator_with_share(
        &self,
        store: Arc<dyn Store>,
        settings: AggregatorSettings,
        share: Arc<Share>,
    ) -> Arc<Aggregator> {
        let aggregates: Arc<dyn AggregateStore> = Arc::clone(&self.aggregates) as _;
        Aggregator::sharing(
            Arc::clone(&self.index) as _,
            store,
            Arc::new(Current::new(aggregates)),
            Arc::clone(&self.clock) as _,
            settings,
            share,
        )
    }

    /// Puts a chunk with these records into the store and indexes it.
    pub(super) async fn add_chunk(&self, plan: u64, kind: ChunkKind, records: &[Stored]) -> String {
        self.add_chunk_of(plan, kind, records, ("x", "x")).await
    }

    /// The same of this namespace and document type.
    pub(super) async fn add_chunk_of(
        &self,
        plan: u64,
        kind: ChunkKind,
        records: &[Stored],
        (namespace, document_type): (&str, &str),
    ) -> String {
        let mut partition = Partition::new(std::array::from_fn(|_| "x".to_owned()));
        partition.set(ping::Dimension::SourceName, namespace);
        partition.set(ping::Dimension::DocType, document_type);
        let (key, bytes) = chunk_in(plan, kind, records, partition);
        let total = bytes.len() as u64;
        let tail = Tail::parse(&bytes, total).expect("a chunk");
        let entry = entry_of(&key, &tail, total).expect("an entry");
        self.store
            .put_if_absent(&key, Payload::Bytes(bytes))
            .await
            .expect("a put");
        self.index.insert(&[entry]).await.expect("an insert");
        key
    }
}

/// A chunk's key and bytes.
pub(super) fn chunk_of(plan: u64, kind: ChunkKind, records: &[Stored]) -> (String, Bytes) {
    let partition = Partition::new(std::array::from_fn(|_| "x".to_owned()));
    chunk_in(plan, kind, records, partition)
}

fn chunk_in(plan: u64, kind: ChunkKind, records: &[Stored], mut partition: Partition) -> (String, Bytes) {
    let id = ChunkId {
        incarnation: Incarnation::from_bytes([7; 16]),
        boot: 1,
        plan,
    };
    let date = records[0].head.submission_date.to_string();
    partition.set(ping::Dimension::SubmissionDate, date);
    let head = ChunkHead {
        id,
        kind,
        partition: partition.clone(),
        writer: "test".to_owned(),
        replaces: Vec::new(),
    };
    let mut writer = ChunkWriter::new(Vec::new(), head).expect("a writer");
    for record in records {
        writer.append(&record.head, &record.body).expect("a record");
    }
    let finished = writer.finish(at(0)).expect("a chunk");
    let key = ChunkKey {
        prefix: "pings".to_owned(),
        kind,
        partition,
        id,
    };
    (key.to_string(), Bytes::from(finished.sink))
}

/// Folds until nothing is pending; answers how many batches it took.
pub(super) async fn settle(aggregator: &Aggregator) -> usize {
    let mut batches = 0;
    while aggregator.step().await.expect("a step") != Step::Idle {
        batches += 1;
    }
    batches
}

/// Settings under which every chunk is a batch of its own.
pub(super) fn small_batches() -> AggregatorSettings {
    AggregatorSettings {
        batch_time: Duration::ZERO,
        ..AggregatorSettings::default()
    }
}

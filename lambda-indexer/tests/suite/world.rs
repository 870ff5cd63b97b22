//! A store with chunks and an empty index, for the tests beside.

use std::sync::Arc;

use bytes::Bytes;
use chunk::{ChunkHead, ChunkWriter, RecordHead};
use disk::RealDisk;
use index_schema::{ChunkKey, ChunkKind, SqliteIndex};
use lambda_indexer::Indexer;
use ping::{ChunkId, Incarnation, Partition, RecordId, SubmissionDate};
use store::{MemoryStore, Payload, Put, Store};
use tempfile::TempDir;

/// A store in memory and an index in a folder that is removed at the end.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) index: Arc<SqliteIndex>,
    _folder: TempDir,
}

fn head(plan: u64, kind: ChunkKind) -> ChunkHead {
    let values = [
        "20170131",
        "telemetry",
        "4",
        "main",
        "Firefox",
        "nightly",
        "54.0a1",
        "20170130030205",
    ];
    ChunkHead {
        id: ChunkId {
            incarnation: Incarnation::from_bytes([7; 16]),
            boot: 1,
            plan,
        },
        kind,
        partition: Partition::new(values.map(str::to_owned)),
        writer: "test".to_owned(),
        replaces: Vec::new(),
    }
}

fn key(plan: u64, kind: ChunkKind) -> String {
    let ChunkHead {
        id, kind, partition, ..
    } = head(plan, kind);
    ChunkKey {
        prefix: "pings".to_owned(),
        kind,
        partition,
        id,
    }
    .to_string()
}

fn chunk(plan: u64, kind: ChunkKind) -> Vec<u8> {
    let date: SubmissionDate = "20170131".parse().expect("a date");
    let mut writer = ChunkWriter::new(Vec::new(), head(plan, kind)).expect("a writer");
    for sequence in 1..4 {
        let record = RecordHead {
            id: RecordId {
                incarnation: Incarnation::from_bytes([7; 16]),
                sequence: plan * 10 + sequence,
            },
            received: date.start(),
            submission_date: date,
            uri: Bytes::from_static(b"/submit/telemetry/x/main"),
            headers: Vec::new(),
            received_bytes: 10,
            error: (kind == ChunkKind::Errors).then(|| "gzip_cut".to_owned()),
            client_hash: None,
        };
        writer.append(&record, b"{}").expect("appended");
    }
    writer.finish(date.start()).expect("finished").sink
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            store: Arc::new(MemoryStore::new(RealDisk::shared())),
            index: SqliteIndex::open(&folder.path().join("index.sqlite")).expect("opened"),
            _folder: folder,
        }
    }

    pub(crate) fn indexer(&self) -> Indexer {
        Indexer::new(self.store.clone(), self.index.clone())
    }

    /// Puts a chunk of three records, and answers its key.
    pub(crate) async fn put(&self, plan: u64, kind: ChunkKind) -> String {
        self.put_under(key(plan, kind), chunk(plan, kind)).await
    }

    /// Puts any bytes under the key of a chunk.
    pub(crate) async fn keep(&self, plan: u64, bytes: &[u8]) -> String {
        self.put_under(key(plan, ChunkKind::Pings), bytes.to_vec()).await
    }

    async fn put_under(&self, key: String, bytes: Vec<u8>) -> String {
        let put = self.store.put_if_absent(&key, Payload::Bytes(bytes.into())).await;
        assert_eq!(put, Ok(Put::Created));
        key
    }
}

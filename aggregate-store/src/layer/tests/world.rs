//! A file, layers before it, and batches whose sums are known.

use std::path::PathBuf;
use std::sync::Arc;

use service::clock::HandClock;
use sketch::Cell;
use tempfile::TempDir;

use crate::conformance::{cell_batch, chunk_id, folded_chunk};
use crate::{Batch, CellKey, LayeredAggregates, SqliteAggregates};

pub(super) const WRITER: [u8; 16] = [7; 16];

pub(super) struct World {
    pub(super) folder: TempDir,
    pub(super) clock: Arc<HandClock>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            clock: HandClock::at_micros(1_000_000),
        }
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join("aggregates.sqlite")
    }

    /// A new process over the same file.
    pub(super) async fn start(&self) -> Arc<LayeredAggregates> {
        let base = Arc::new(SqliteAggregates::open(&self.file()).expect("the file opens"));
        let layered = LayeredAggregates::over(base, WRITER, self.clock.clone()).await;
        layered.expect("the file answers")
    }
}

/// A batch of these cells, of one chunk with one counted ping.
pub(super) fn batch(plan: u64, additions: &[(CellKey, Cell)]) -> Batch {
    let mut batch = Batch {
        chunks: vec![folded_chunk(chunk_id(1, 1, plan))],
        ..cell_batch(additions)
    };
    batch.counters.folded = 1;
    batch
}

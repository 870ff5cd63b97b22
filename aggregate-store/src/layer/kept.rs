//! What is told of the layer: to who folds, and to who asks.

use std::time::Duration;

use ping::{ChunkId, Timestamp};

/// What became of a batch that was given to be held.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Kept {
    /// It is written and synced: there is no layer here.
    Written,
    /// It is in memory, visible to readers of this process. A crash loses it: its chunks are then folded again, so they
    /// stay pending until [`persist`](crate::AggregateStore::persist) names them.
    Held,
    /// It was dropped: these of its chunks are folded already.
    AlreadyFolded(Vec<ChunkId>),
    /// It was dropped: what it was folded on top of is gone. Fold it again.
    Outdated,
}

/// How a persist ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Persisted {
    /// There was nothing to write.
    Nothing,
    /// The layer is written and synced. It held these chunks.
    Written(Vec<ChunkId>),
    /// Another writer folded these chunks first. Everything held was dropped, and is to be folded again.
    Dropped(Vec<ChunkId>),
}

/// How much is held, for who decides when to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldSize {
    /// Bytes of memory, about.
    pub bytes: usize,
    /// Of these, bytes being written now or to be written next; the rest came later.
    pub frozen_bytes: usize,
    /// Batches.
    pub batches: usize,
    /// Chunks.
    pub chunks: usize,
    /// For how long the oldest batch has waited for its transaction; `None` when nothing is held.
    pub age: Option<Duration>,
    /// For how long no batch has come since the newest; `None` when nothing is held.
    pub quiet: Option<Duration>,
    /// How often everything held was dropped. A batch is held only if this is as it was when its fold began.
    pub drops: u64,
}

/// What is in memory and not written yet, for who asks. The other answers include it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerStatus {
    /// Chunks in memory only.
    pub chunks: u64,
    /// Records of these chunks.
    pub pings: u64,
    /// Bytes of memory they take, about.
    pub bytes: u64,
    /// When a layer was last written; `None` before the first one.
    pub persisted_at: Option<Timestamp>,
}

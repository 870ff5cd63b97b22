//! Reads a chunk from the store in bounded memory: its end first, then one data frame at a time.

use std::sync::Arc;

use chunk::limits::TAIL_BYTES;
use chunk::{DataFrame, FrameDecoder, Tail, TailError};
use index_schema::IndexEntry;
use ping::ChunkId;
use service::task;
use store::{Store, StoreError};

use crate::error::AggregatorError;

/// What is read of a chunk's end at once: enough for all but the largest.
const TAIL_FIRST_BYTES: u64 = 128 << 10;

/// Opens chunks and decodes their frames, with one decoder and one buffer that are used again.
#[derive(Debug)]
pub(crate) struct Reader {
    store: Arc<dyn Store>,
    tools: Option<Box<Tools>>,
}

/// What decoding takes.
#[derive(Debug, Default)]
struct Tools {
    decoder: FrameDecoder,
    raw: Vec<u8>,
}

/// A chunk whose end was read and found to be that of its entry.
#[derive(Debug)]
pub(crate) struct OpenChunk {
    id: ChunkId,
    key: String,
    tail: Tail,
}

impl OpenChunk {
    /// Its identity.
    pub(crate) const fn id(&self) -> ChunkId {
        self.id
    }

    /// Its data frames.
    pub(crate) fn frames(&self) -> &[DataFrame] {
        &self.tail.data_frames
    }

    /// The frame that holds the record at a position.
    pub(crate) fn frame_of(&self, position: u32) -> Option<DataFrame> {
        let position = u64::from(position);
        let holds = |frame: &&DataFrame| {
            (frame.first_record..frame.first_record + u64::from(frame.records)).contains(&position)
        };
        self.tail.data_frames.iter().find(holds).copied()
    }
}

impl Reader {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, tools: None }
    }

    /// Reads a chunk's end and holds it against its index entry.
    pub(crate) async fn open(&self, entry: &IndexEntry) -> Result<OpenChunk, AggregatorError> {
        let unreadable = |source| unreadable(entry.id, source);
        let mut length = TAIL_FIRST_BYTES;
        let tail = loop {
            let (bytes, total) = self
                .store
                .get_tail(&entry.key, length)
                .await
                .map_err(unreadable)?;
            match Tail::parse(&bytes, total) {
                Ok(tail) => break tail,
                Err(TailError::NeedMore(more)) if more > length && more <= TAIL_BYTES => length = more,
                Err(error) => return Err(broken(entry.id, &error)),
            }
        };
        if (tail.id, tail.kind, tail.summary.records) != (entry.id, entry.kind, entry.records) {
            return Err(broken(entry.id, &"the object under its key is another chunk"));
        }
        Ok(OpenChunk {
            id: entry.id,
            key: entry.key.clone(),
            tail,
        })
    }

    /// Reads and decodes a frame, for [`with_loaded`](Self::with_loaded).
    pub(crate) async fn load(&mut self, chunk: &OpenChunk, frame: DataFrame) -> Result<(), AggregatorError> {
        let stored = self.store.get_range(&chunk.key, frame.range()).await;
        let stored = stored.map_err(|source| unreadable(chunk.id, source))?;
        let mut tools = self.tools.take().unwrap_or_default();
        let (tools, done) = task::blocking(move || {
            let Tools { decoder, raw } = &mut *tools;
            let done = decoder.decode(&frame, &stored, raw);
            (tools, done)
        })
        .await;
        self.tools = Some(tools);
        done.map_err(|damage| broken(chunk.id, &damage))
    }

    /// Hands the raw bytes of the frame that was loaded last to `work`, with what it works on, on a thread that may block.
    pub(crate) async fn with_loaded<S: Send + 'static, T: Send + 'static>(
        &mut self,
        state: S,
        work: impl FnOnce(S, &[u8]) -> (S, T) + Send + 'static,
    ) -> (S, T) {
        let tools = self.tools.take().unwrap_or_default();
        let (tools, done) = task::blocking(move || {
            let done = work(state, &tools.raw);
            (tools, done)
        })
        .await;
        self.tools = Some(tools);
        done
    }
}

/// An absent object is the chunk's fault; any other failure is the store's.
fn unreadable(chunk: ChunkId, source: StoreError) -> AggregatorError {
    match source {
        StoreError::NotFound { .. } => broken(chunk, &source),
        source => AggregatorError::Unreachable { chunk, source },
    }
}

/// The chunk cannot be folded as it is.
pub(crate) fn broken(chunk: ChunkId, reason: &dyn std::fmt::Display) -> AggregatorError {
    AggregatorError::Chunk {
        chunk,
        reason: reason.to_string(),
    }
}

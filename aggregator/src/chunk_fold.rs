//! The fold of one chunk as if nothing else were stored: for who measures or compares it. Pure.

use aggregate_store::Batch;
use chunk::RecordError;
use ping::ChunkId;

use crate::batch_fold::BatchFold;
use crate::fold::FoldSettings;
use crate::scope::Scope;

/// The fold of one chunk.
#[derive(Debug)]
pub struct ChunkFold {
    chunk: ChunkId,
    position: u32,
    fold: BatchFold,
}

impl ChunkFold {
    /// Of a chunk of which nothing was read yet.
    #[must_use]
    pub fn new(settings: FoldSettings, chunk: ChunkId) -> Self {
        Self {
            chunk,
            position: 0,
            fold: BatchFold::new(settings, Scope::default()),
        }
    }

    /// Folds the chunk's next data frame, decoded. Copies of one document must come in the order in which they were received: none is
    /// taken back.
    ///
    /// # Errors
    /// When the frame is no sequence of whole records.
    pub fn frame(&mut self, frame: &[u8]) -> Result<(), RecordError> {
        let unknown = self.fold.unknown_documents(frame)?;
        self.fold.load(&unknown, Vec::new());
        self.position += self.fold.fold_frame(self.chunk, self.position, frame, |_| {})?;
        Ok(())
    }

    /// What a store would be given of the frames so far, but for the note that the chunk is folded.
    #[must_use]
    pub fn finish(self) -> Batch {
        self.fold.finish()
    }
}

//! Room for chunks on their way from the log to the store: taken before one is gathered, given back when it is put, or given up.
//!
//! What does not live here: which room a chunk tries, in `fit.rs`.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::fit::{ChunkBuffer, LARGE_BYTES, Sizes};
use crate::staging::Extent;

/// What one permit stands for, so that their number fits whatever the budget.
const PERMIT_BYTES: u64 = 1 << 10;

/// Room in files of the staging folder, and in memory for one large chunk.
#[derive(Debug)]
pub(crate) struct StagingRoom {
    sizes: Sizes,
    files: Arc<Semaphore>,
    permits: u32,
    large: Arc<Semaphore>,
}

/// Room that was taken, for as long as it lives.
#[derive(Debug)]
pub(crate) struct TakenRoom {
    /// How large the chunk may grow.
    pub(crate) extent: Extent,
    files: Option<OwnedSemaphorePermit>,
    _large: Option<OwnedSemaphorePermit>,
}

impl StagingRoom {
    /// So much.
    pub(crate) fn of(sizes: Sizes) -> Self {
        let permits = u32::try_from(sizes.file_bytes / PERMIT_BYTES).unwrap_or(u32::MAX >> 4);
        Self {
            sizes,
            files: Arc::new(Semaphore::new(permits as usize)),
            permits,
            large: Arc::new(Semaphore::new(1)),
        }
    }

    /// How much there is.
    pub(crate) const fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// Waits for room. Nobody who waits holds other room, so it comes as soon as chunks are put or given up.
    pub(crate) async fn take(&self, buffer: ChunkBuffer, whole: bool) -> TakenRoom {
        match buffer {
            // A plan's chunk has the size that it has.
            ChunkBuffer::Small if whole => self.room(self.sizes.memory_bytes, u64::MAX),
            ChunkBuffer::Small => self.room(self.sizes.memory_bytes, 0),
            ChunkBuffer::File(bytes) => {
                let permits = u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX);
                let files = Arc::clone(&self.files).acquire_many_owned(permits.min(self.permits));
                TakenRoom {
                    files: files.await.ok(),
                    ..self.room(self.sizes.memory_bytes, if whole { u64::MAX } else { bytes })
                }
            }
            ChunkBuffer::Large => TakenRoom {
                _large: Arc::clone(&self.large).acquire_owned().await.ok(),
                ..self.room(LARGE_BYTES, 0)
            },
        }
    }

    /// The room for one large chunk, if nobody has it.
    pub(crate) fn try_large(&self) -> Option<TakenRoom> {
        let large = Arc::clone(&self.large).try_acquire_owned().ok()?;
        Some(TakenRoom {
            _large: Some(large),
            ..self.room(LARGE_BYTES, 0)
        })
    }

    const fn room(&self, memory_bytes: u64, file_bytes: u64) -> TakenRoom {
        TakenRoom {
            extent: Extent {
                memory_bytes,
                file_bytes,
            },
            files: None,
            _large: None,
        }
    }
}

impl TakenRoom {
    /// Gives back what a file of so many bytes does not need.
    pub(crate) fn keep(&mut self, file_bytes: u64) {
        if let Some(files) = &mut self.files {
            let needed = usize::try_from(file_bytes.div_ceil(PERMIT_BYTES)).unwrap_or(usize::MAX);
            drop(files.split(files.num_permits().saturating_sub(needed)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    const SIZES: Sizes = Sizes {
        memory_bytes: 1 << 10,
        file_bytes: 10 << 10,
        chunk_bytes: 1 << 20,
    };

    #[tokio::test]
    async fn no_more_is_staged_at_once_than_there_is_room_for_and_what_is_not_needed_comes_back() {
        let room = StagingRoom::of(SIZES);
        let mut six = room.take(ChunkBuffer::File(6 << 10), false).await;
        assert_eq!(six.extent.file_bytes, 6 << 10);
        let mut context = Context::from_waker(Waker::noop());
        let mut five = pin!(room.take(ChunkBuffer::File(5 << 10), false));
        assert!(five.as_mut().poll(&mut context).is_pending());
        six.keep((5 << 10) + 1);
        assert!(five.as_mut().poll(&mut context).is_pending());
        six.keep(4 << 10);
        assert!(five.as_mut().poll(&mut context).is_ready());
    }

    #[tokio::test]
    async fn one_large_chunk_is_in_memory_at_a_time() {
        let room = StagingRoom::of(SIZES);
        let large = room.try_large().expect("nobody has it");
        assert!(room.try_large().is_none());
        drop(large);
        assert!(room.try_large().is_some());
    }
}

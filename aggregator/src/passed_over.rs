//! What a pass could not read and went on behind, to be named at its end.

use ping::ChunkId;

/// So many chunks are named; the others are counted.
const NAMED_MAX: usize = 20;

/// Chunks that a pass over many of them could not read. Nothing of them is lost: they are read by a later pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassedOver {
    /// How many chunks.
    pub chunks: u64,
    /// The first of them, at most 20, each with what was wrong.
    pub named: Vec<(ChunkId, String)>,
}

impl PassedOver {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.chunks == 0
    }

    pub(crate) fn note(&mut self, chunk: ChunkId, reason: String) {
        self.chunks += 1;
        if self.named.len() < NAMED_MAX {
            self.named.push((chunk, reason));
        }
    }
}

/// Each chunk that is named, with what was wrong, and how many others there are.
impl std::fmt::Display for PassedOver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, (chunk, reason)) in self.named.iter().enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}{chunk}: {reason}")?;
        }
        match self.chunks.saturating_sub(self.named.len() as u64) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

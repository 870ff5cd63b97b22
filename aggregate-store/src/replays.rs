//! What a transaction folds of chunks that are folded already: a rebuild that is under way may have folded the same pings as errored
//! ones, and would come into use so.

use std::collections::BTreeSet;

use ping::ChunkId;

use crate::{Batch, Counters};

/// What the batches of one transaction replay, or try again, of what is in use.
#[derive(Debug, Default)]
pub(crate) struct Replays {
    chunks: BTreeSet<ChunkId>,
    /// How many pings count otherwise than as errored ones.
    pings: i64,
}

impl Replays {
    /// Notes what a batch replays.
    pub(crate) fn note(&mut self, batch: &Batch) {
        if batch.rebuild.is_some() {
            return;
        }
        self.chunks.extend(batch.replayed_chunks());
        let Counters {
            folded,
            repeated,
            stored_only,
            errored_pings: _,
        } = batch.counters;
        self.pings += folded + repeated + stored_only;
    }

    /// The chunks of which something was replayed; none if all of it is errored still. A rebuild that has folded one of them begins
    /// anew, in the same transaction.
    pub(crate) fn into_chunks(self) -> Vec<ChunkId> {
        match self.pings {
            0 => Vec::new(),
            _ => self.chunks.into_iter().collect(),
        }
    }
}

//! Chunks that could not be folded and rest before they are tried again: so that what passes within seconds, such as damage
//! on the way from the store, sets none of them aside. Pure: it is told the time.

use std::collections::HashMap;
use std::time::Duration;

use index_schema::IndexEntry;
use ping::ChunkId;

/// How long a chunk rests after its first failure, and after its second; after the third it is set aside.
const RESTS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// Until when which chunks rest.
#[derive(Debug, Default)]
pub(crate) struct Rests(HashMap<ChunkId, Duration>);

impl Rests {
    /// Has a chunk rest that failed so often.
    pub(crate) fn begin(&mut self, chunk: ChunkId, failures: u32, now: Duration) {
        let before = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
        match RESTS.get(before) {
            Some(rest) => self.0.insert(chunk, now.saturating_add(*rest)),
            None => self.0.remove(&chunk),
        };
    }

    /// Leaves out what rests.
    pub(crate) fn leave_out(&mut self, entries: &mut Vec<IndexEntry>, now: Duration) {
        self.0.retain(|_, until| *until > now);
        if !self.0.is_empty() {
            entries.retain(|entry| !self.0.contains_key(&entry.id));
        }
    }
}

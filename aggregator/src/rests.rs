//! Chunks that could not be folded and rest before they are tried again: so that what passes within seconds, such as damage
//! on the way from the store, sets none of them aside, and those that cannot be reached do not hold up the others. Pure: it
//! is told the time.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use index_schema::IndexEntry;
use ping::ChunkId;
use service::backoff::Backoff;

/// How long a chunk rests after its first failure, and after its second; after the third it is set aside.
const RESTS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// How long a chunk rests that cannot be reached: it doubles up to [`UNREACHABLE_MAX`].
const UNREACHABLE_MIN: Duration = Duration::from_secs(1);
const UNREACHABLE_MAX: Duration = Duration::from_secs(60);

/// Until when which chunks rest.
#[derive(Debug, Default)]
pub(crate) struct Rests {
    failed: HashMap<ChunkId, Duration>,
    unreachable: HashMap<ChunkId, Unreached>,
    /// What was said of the last chunk that could not be reached.
    said: String,
}

/// A chunk that the store does not give.
#[derive(Clone, Copy, Debug)]
struct Unreached {
    backoff: Backoff,
    until: Duration,
}

impl Rests {
    /// Has a chunk rest that failed so often.
    pub(crate) fn begin(&mut self, chunk: ChunkId, failures: u32, now: Duration) {
        let before = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
        match RESTS.get(before) {
            Some(rest) => self.failed.insert(chunk, now.saturating_add(*rest)),
            None => self.failed.remove(&chunk),
        };
    }

    /// Has a chunk rest that could not be reached, as is said, each time longer. Answers how long.
    pub(crate) fn begin_unreachable(&mut self, chunk: ChunkId, said: String, now: Duration) -> Duration {
        self.said = said;
        let unreached = self.unreachable.entry(chunk).or_insert_with(|| Unreached {
            backoff: Backoff::new(UNREACHABLE_MIN, UNREACHABLE_MAX),
            until: now,
        });
        let rest = unreached.backoff.grow();
        unreached.until = now.saturating_add(rest);
        rest
    }

    /// Chunks that were folded. If one of them could not be reached before, the others are tried at once: the store is back.
    pub(crate) fn end<'a>(&mut self, folded: impl Iterator<Item = &'a ChunkId>) {
        let before = self.unreachable.len();
        for chunk in folded {
            self.unreachable.remove(chunk);
        }
        if self.unreachable.len() < before {
            for unreached in self.unreachable.values_mut() {
                unreached.until = Duration::ZERO;
            }
        }
    }

    /// How many chunks could not be reached when that was tried last, and what was said of the last of them.
    pub(crate) fn out_of_reach(&self) -> Option<(usize, String)> {
        let chunks = self.unreachable.len();
        (chunks > 0).then(|| (chunks, self.said.clone()))
    }

    /// Chunks that rest, or rested and were not folded since.
    pub(crate) fn len(&self) -> usize {
        self.failed.len() + self.unreachable.len()
    }

    /// Forgets chunks that could not be reached and are not pending any more.
    pub(crate) fn keep_pending(&mut self, pending: &[IndexEntry]) {
        if !self.unreachable.is_empty() {
            let pending: HashSet<ChunkId> = pending.iter().map(|entry| entry.id).collect();
            self.unreachable.retain(|chunk, _| pending.contains(chunk));
        }
    }

    /// Leaves out what rests.
    pub(crate) fn leave_out(&mut self, entries: &mut Vec<IndexEntry>, now: Duration) {
        self.failed.retain(|_, until| *until > now);
        if self.len() > 0 {
            let rests = |chunk: &ChunkId| {
                let unreached = self.unreachable.get(chunk);
                self.failed.contains_key(chunk) || unreached.is_some_and(|unreached| unreached.until > now)
            };
            entries.retain(|entry| !rests(&entry.id));
        }
    }
}

//! How indexing ended.

use std::ops::AddAssign;

/// What became of objects that were created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Chunks that are new in the index.
    pub added: u64,
    /// Chunks that were in it.
    pub known: u64,
    /// Chunks below the floor date, or forgotten on purpose: they stay objects and are not indexed.
    pub refused: u64,
    /// Objects that are no readable chunk: noted in the index with the reason.
    pub unreadable: u64,
    /// Objects that are not there any more.
    pub gone: u64,
    /// Objects that do not claim to be chunks: their keys do not end in `.zst`.
    pub foreign: u64,
}

impl Outcome {
    /// How many of each, by the names that metrics and log lines have for them.
    pub const fn counts(&self) -> [(&'static str, u64); 6] {
        let Self {
            added,
            known,
            refused,
            unreadable,
            gone,
            foreign,
        } = *self;
        [
            ("added", added),
            ("known", known),
            ("refused", refused),
            ("unreadable", unreadable),
            ("gone", gone),
            ("foreign", foreign),
        ]
    }
}

/// What a comparison of store and index found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Objects listed.
    pub listed: u64,
    /// What became of those that the index lacked: `added` were never announced, or not yet.
    pub outcome: Outcome,
    /// Chunks that could not be read now, because the store did not answer: the next comparison finds them again.
    pub unanswered: u64,
    /// What was set aside or unreadable and is no longer, since its object is gone.
    pub cleared: u64,
}

impl AddAssign for Outcome {
    fn add_assign(&mut self, other: Self) {
        let Self {
            added,
            known,
            refused,
            unreadable,
            gone,
            foreign,
        } = other;
        self.added += added;
        self.known += known;
        self.refused += refused;
        self.unreadable += unreadable;
        self.gone += gone;
        self.foreign += foreign;
    }
}

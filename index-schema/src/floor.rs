//! The floor dates, and what is below them. What lives here: the words. What does not: how they are stored and raised.

use std::collections::BTreeSet;

use ping::{ChunkId, SubmissionDate};

use crate::{ChunkKind, Selection};

/// Before these days nothing is indexed or folded any more. A floor is raised before anything below it is deleted, and
/// lowered by a person only, after a wrong clock raised it; `None` lies below every day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Floors {
    /// Of chunks of pings.
    pub pings: Option<SubmissionDate>,
    /// Of chunks of errored pings.
    pub errors: Option<SubmissionDate>,
    /// Of aggregates: chunks below it may be kept, and are not folded.
    pub aggregates: Option<SubmissionDate>,
}

impl Floors {
    /// The floor of chunks of one kind.
    pub const fn of(&self, kind: ChunkKind) -> Option<SubmissionDate> {
        match kind {
            ChunkKind::Pings => self.pings,
            ChunkKind::Errors => self.errors,
        }
    }

    /// Whether a chunk of this kind and day may be in the index.
    pub fn admit(&self, kind: ChunkKind, date: SubmissionDate) -> bool {
        self.of(kind).is_none_or(|floor| date >= floor)
    }

    /// Whether a chunk of this kind and day may be folded.
    pub fn fold(&self, kind: ChunkKind, date: SubmissionDate) -> bool {
        self.admit(kind, date) && self.aggregates.is_none_or(|floor| date >= floor)
    }

    /// Each floor where it is higher.
    #[must_use]
    pub fn raised(&self, to: &Self) -> Self {
        Self {
            pings: self.pings.max(to.pings),
            errors: self.errors.max(to.errors),
            aggregates: self.aggregates.max(to.aggregates),
        }
    }

    /// Each floor where it is lower than this day; where there is none, none.
    #[must_use]
    pub fn lowered(&self, to: SubmissionDate) -> Self {
        self.each(|floor| floor.min(to))
    }

    /// The day before which a ping that is received would not be indexed, whatever is in it.
    pub fn objects(&self) -> Option<SubmissionDate> {
        self.pings.max(self.errors)
    }

    /// The floors a week lower: keys of removed chunks are kept so far, for what was read or put before and comes late.
    #[must_use]
    pub(crate) fn a_week_lower(&self) -> Self {
        self.each(|floor| floor.plus_days(-7))
    }

    fn each(&self, change: impl Fn(SubmissionDate) -> SubmissionDate) -> Self {
        Self {
            pings: self.pings.map(&change),
            errors: self.errors.map(&change),
            aggregates: self.aggregates.map(&change),
        }
    }

    /// The chunks among which those are that a rebuild folds: those on or above the floor of aggregates.
    pub fn foldable(&self) -> Selection {
        Selection {
            received_from: self.aggregates.map(SubmissionDate::start),
            ..Selection::default()
        }
    }
}

/// What the index has of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredDay {
    /// The day.
    pub date: SubmissionDate,
    /// Chunks.
    pub chunks: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes as stored.
    pub stored_bytes: u64,
}

/// The days of which there were chunks when somebody decided which floors to raise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenDays {
    /// Of pings.
    pub pings: BTreeSet<SubmissionDate>,
    /// Of errored pings.
    pub errors: BTreeSet<SubmissionDate>,
}

impl SeenDays {
    /// The days of one kind.
    pub const fn of(&self, kind: ChunkKind) -> &BTreeSet<SubmissionDate> {
        match kind {
            ChunkKind::Pings => &self.pings,
            ChunkKind::Errors => &self.errors,
        }
    }
}

/// What raising floors did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raised {
    /// The floors are these now.
    To(Floors),
    /// Nothing: there are chunks that would go, of a day that was not seen when this was decided.
    Unseen(ChunkKind, SubmissionDate),
}

/// An object that was deleted on purpose: it is not indexed again until the floor passes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// Its key.
    pub key: String,
    /// The chunk that it was.
    pub chunk: ChunkId,
    /// Why it was forgotten, in the words of who did.
    pub why: String,
}

/// What lowering the floors did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lowered {
    /// The floors now.
    pub floors: Floors,
    /// Chunks that were refused below the floors of before and are not any more: a comparison of store and index adds them.
    pub admitted: u64,
    /// Whether chunks that are in the index may be missing in the aggregates, so that the index wants a rebuild.
    pub rebuild_wanted: bool,
}

/// What forgetting an object found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgotten {
    /// It was folded: its pings stay in the aggregates until a rebuild.
    Folded,
    /// It was indexed and not folded.
    Indexed,
    /// The index did not know it.
    Unknown,
    /// It was forgotten before.
    Before,
}

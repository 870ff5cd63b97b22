//! How far a rebuild into an epoch is, and where its next step goes on.

use std::collections::BTreeSet;
use std::time::Duration;

use aggregate_store::Rebuild;
use ping::ChunkId;

use crate::passed_over::PassedOver;
use crate::progress::RebuildProgress;

/// How far the rebuild of a source is, or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRebuild {
    /// Which.
    pub rebuild: Rebuild,
    /// What is done of it.
    pub progress: RebuildProgress,
    /// Chunks that are folded in what is in use and cannot be read: it waits for them.
    pub unreadable: PassedOver,
    /// How long it has been going on in this process.
    pub elapsed: Duration,
}

/// What is known between two steps.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    pub(crate) told: Option<SourceRebuild>,
    pub(crate) begun: Duration,
    /// Behind which key the next step looks on.
    pub(crate) after: Option<String>,
    pub(crate) seen: Seen,
    /// Whether nothing was lacking since the walk began at the first key.
    pub(crate) is_complete: bool,
    pub(crate) unreadable: BTreeSet<ChunkId>,
    /// Until when it rests.
    pub(crate) rests_until: Duration,
    /// Since when something may not be in use any more.
    pub(crate) unused_since: Option<Duration>,
}

/// What was seen to be done on this walk.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Of the pages before.
    passed: RebuildProgress,
    /// Of the one that is looked at.
    page: RebuildProgress,
    /// How many bytes of that one were done when it was looked at first.
    page_found: Option<u64>,
}

impl Walk {
    /// Notes how much is done of the page that is looked at, by whomever.
    pub(crate) fn note(&mut self, page: RebuildProgress) {
        let seen = &mut self.seen;
        seen.page = RebuildProgress {
            found_bytes: *seen.page_found.get_or_insert(page.bytes),
            ..page
        };
        let done = seen.passed.and(&seen.page);
        if let Some(told) = &mut self.told
            && told.progress.chunks < done.chunks
        {
            told.progress = told.progress.at(&done);
        }
    }

    /// Goes on behind a page, whose last key this is.
    pub(crate) fn pass(&mut self, last: &str) {
        self.seen = Seen {
            passed: self.seen.passed.and(&self.seen.page),
            ..Seen::default()
        };
        self.after = Some(last.to_owned());
    }

    /// Goes on at the first page.
    pub(crate) fn begin_anew(&mut self) {
        (self.after, self.seen) = (None, Seen::default());
    }
}

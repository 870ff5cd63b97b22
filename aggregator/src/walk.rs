//! How far the rebuild of a source is, and where its next step goes on.

use std::collections::BTreeSet;
use std::time::Duration;

use aggregate_store::Rebuild;
use ping::ChunkId;

use crate::passed_over::PassedOver;
use crate::progress::RebuildProgress;

/// How far the rebuild of a source is.
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
    /// Whether nothing was lacking since the walk began at the first key.
    pub(crate) is_complete: bool,
    pub(crate) unreadable: BTreeSet<ChunkId>,
    /// Until when it rests.
    pub(crate) rests_until: Duration,
    /// Since when something may not be in use any more.
    pub(crate) unused_since: Option<Duration>,
}

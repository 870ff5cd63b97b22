//! The door for who folds a source anew beside what is in use: the epochs, what is under way, and how it comes into use.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use ping::ChunkId;

use crate::{AggregateError, Days, Epochs, FoldVersion, Lease, Source};

/// Rebuilds of one source, or of all, each into an epoch of its own. What is in use is never touched by a batch of a rebuild
/// ([`Batch::rebuild`](crate::Batch::rebuild)), and readers see it until the rebuild comes into use, in one transaction.
#[async_trait]
pub trait Rebuilds: fmt::Debug + Send + Sync + 'static {
    /// The epochs in use.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn epochs(&self) -> Result<Epochs, AggregateError>;

    /// The rules of sources that have some of their own (the texts of declarations), by which they are folded.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn source_rules(&self) -> Result<BTreeMap<String, String>, AggregateError>;

    /// Gives a source of which nothing was counted yet rules of its own. False, and nothing is changed, if something was, or
    /// it has rules: then a rebuild is needed. It changes the number of the epochs.
    ///
    /// # Errors
    /// When the database refused.
    async fn adopt_rules(&self, source: &Source, rules: &str) -> Result<bool, AggregateError>;

    /// Rebuilds under way, ascending by epoch.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn rebuilds(&self) -> Result<Vec<Rebuild>, AggregateError>;

    /// Begins a rebuild, in place of another one of the same source; one of all in place of every other. The same wish again is
    /// the rebuild that is under way.
    ///
    /// # Errors
    /// [`AggregateError::NotCountedBySource`] where one source's share of the counters is not known,
    /// [`NotCountedByDay`](AggregateError::NotCountedByDay) where that of some days is not;
    /// [`AggregateError::RebuildUnderWay`] beside one of all; when the database refused.
    async fn begin_rebuild(&self, wish: &RebuildWish) -> Result<Rebuild, AggregateError>;

    /// Ends a rebuild without a trace in use. One that is not under way is no error.
    ///
    /// # Errors
    /// When the database refused.
    async fn give_up_rebuild(&self, epoch: u32) -> Result<(), AggregateError>;

    /// Which of these chunks a rebuild has folded, in the order asked.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn rebuilt(&self, epoch: u32, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError>;

    /// Puts a rebuild into use, in one transaction. The caller vouches that it has folded all that is folded, of its source and
    /// days, as long as nobody claims one of the shards of `fences`. Of all sources: what it has folded of these days is what
    /// is folded, by its rules.
    ///
    /// # Errors
    /// [`AggregateError::NotCountedByDay`] for some days of all sources, where what these count is not known; when the database
    /// refused. Then nothing is changed.
    async fn put_into_use(&self, flip: &Flip) -> Result<Flipped, AggregateError>;

    /// Removes the next slice of what is in use no more and belongs to no rebuild: cells, users, sets, errored pings. False when
    /// nothing was left. Who asked before a rebuild came into use may still read it: whoever calls waits for the longest answer.
    ///
    /// # Errors
    /// When the database refused: then nothing of this slice was removed.
    async fn remove_unused(&self) -> Result<bool, AggregateError>;
}

/// What is to be folded anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RebuildWish {
    /// The source; `None` is all of them.
    pub source: Option<String>,
    /// Pings of which days; the others stay as they are.
    pub days: Days,
    /// The source's own rules by which it is folded then: the text of its declaration. `None` where it has none. Of a rebuild of all
    /// those of all that are to have rules, as [`rules_of`](Self::rules_of) writes them; other sources keep theirs.
    pub rules: Option<String>,
    /// Of a rebuild of all: the rules by which everything is folded then. Of one source those in use stay.
    pub version: Option<FoldVersion>,
}

impl RebuildWish {
    /// The rules of many sources, as a wish for a rebuild of all bears them: a JSON object of texts by source. The same ones are
    /// the same text.
    #[must_use]
    pub fn rules_of(sources: &BTreeMap<String, String>) -> Option<String> {
        (!sources.is_empty()).then(|| serde_json::json!(sources).to_string())
    }

    /// The rules that sources have when this is in use, if it gives them any.
    ///
    /// # Errors
    /// [`AggregateError::Damaged`] when they cannot be read.
    pub fn rules_by_source(&self) -> Result<BTreeMap<String, String>, AggregateError> {
        match (&self.source, &self.rules) {
            (_, None) => Ok(BTreeMap::new()),
            (Some(source), Some(rules)) => Ok([(source.clone(), rules.clone())].into()),
            (None, Some(rules)) => serde_json::from_str(rules)
                .map_err(|error| AggregateError::Damaged(format!("the rules of a rebuild of all: {error}"))),
        }
    }
}

/// A rebuild under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuild {
    /// The number of what it makes; no number is given twice.
    pub epoch: u32,
    /// What was wished.
    pub wish: RebuildWish,
}

/// How a rebuild comes into use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flip {
    /// Which.
    pub epoch: u32,
    /// On which days: at most those of the wish.
    pub days: Days,
    /// The leases under which it was seen that nothing is missing.
    pub fences: Vec<Lease>,
    /// How many pings were [accounted for](crate::Counters::accounted) when that was seen: if it is another number now, somebody
    /// folded since. `None` does not look.
    pub accounted: Option<u64>,
}

/// How that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Flipped {
    /// It is in use.
    InUse,
    /// It is not under way any more, a shard was claimed, or something was folded since: nothing is changed.
    Outdated,
}

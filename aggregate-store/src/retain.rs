//! The door for who deletes: by submission date, in slices, so that no transaction is long.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use async_trait::async_trait;
use ping::SubmissionDate;

use crate::AggregateError;

/// Aggregates, for who deletes. Nothing may be folded any more below the days given here: whoever deletes has raised the
/// floor first, and what was under way then is written. A crash between two slices is gone on from by beginning anew.
#[async_trait]
pub trait RetainAggregates: fmt::Debug + Send + Sync + 'static {
    /// Deletes the next slice of what lies below, in one transaction.
    ///
    /// # Errors
    /// When the database refused: then nothing of this slice was deleted.
    async fn delete_below(&self, below: &Below, at: DeletePlace) -> Result<Deleted, AggregateError>;

    /// Deletes the next slice of what of some sources lies below their days, in one transaction: cells, users and sets; errored
    /// pings. What is counted by source and day stays. Nothing was left when nothing was deleted.
    ///
    /// # Errors
    /// When the database refused: then nothing of this slice was deleted.
    async fn delete_of_sources(&self, below: &[BelowOfSource]) -> Result<Deleted, AggregateError>;

    /// Days of which there are dimension sets of these sources, ascending.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn days_of_sources(
        &self,
        sources: &[String],
    ) -> Result<BTreeMap<String, BTreeSet<SubmissionDate>>, AggregateError>;

    /// Days that have cells or users, ascending.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn days(&self) -> Result<Vec<SubmissionDate>, AggregateError>;

    /// What each day takes of cells, users and dimension sets, ascending: what the deletion of aggregates below a day gives
    /// back. Counted row by row, with a share of what finds it; a database does not shrink by it, but uses it again. Reads
    /// all of them.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn day_bytes(&self) -> Result<Vec<DayBytes>, AggregateError>;

    /// The same of copies. Reads all of them.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn copy_bytes(&self) -> Result<Vec<DayBytes>, AggregateError>;
}

/// What a day takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayBytes {
    /// The day.
    pub date: SubmissionDate,
    /// Bytes.
    pub bytes: u64,
}

/// Before which submission dates rows are deleted; `None` deletes none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Below {
    /// Cells and user sketches.
    pub aggregates: Option<SubmissionDate>,
    /// Rows of errored pings in chunks of pings.
    pub errored: Option<SubmissionDate>,
    /// Copies. They decide for as long as the repeat window which later ones count, so this lies that far below the floor,
    /// unless copies have a bound of their own.
    pub seen: Option<SubmissionDate>,
    /// Folded chunks of pings. At most `errored` and, once copies below it are deleted, `seen`: their rows name chunks.
    pub chunks: Option<SubmissionDate>,
    /// Folded chunks of errored pings. Copies and errored pings that lie in them stay until their own day is reached, and say
    /// so; no new chunk is taken for one of these.
    pub error_chunks: Option<SubmissionDate>,
}

/// Before which submission dates rows of one source are deleted; `None` deletes none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BelowOfSource {
    /// The source, in all its epochs.
    pub source: String,
    /// Cells and user sketches.
    pub aggregates: Option<SubmissionDate>,
    /// Rows of errored pings.
    pub errored: Option<SubmissionDate>,
}

/// Where the next slice begins. The default is the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeletePlace(pub(crate) Stage);

/// What is deleted, in this order: dictionaries after what names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// User sketches.
    #[default]
    Users,
    /// Cells, after this metric and dimension set.
    Cells(i64, i64),
    /// Dimension sets without cells.
    Sets,
    /// Errored pings.
    Errored,
    /// Copies, after this document.
    Seen(Vec<u8>),
    /// Folded chunks.
    Folded,
}

/// What a slice deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Cells and user sketches.
    pub aggregates: u64,
    /// Other rows.
    pub rows: u64,
    /// Where to go on; `None` when nothing is left.
    pub next: Option<DeletePlace>,
}

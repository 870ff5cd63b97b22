//! The door to aggregates, in three parts: for who folds, for who asks, and for what was seen.

use std::fmt;

use async_trait::async_trait;
use ping::{ChunkId, DocumentKey, RecordId};
use tokio::sync::mpsc;

use crate::{
    AboutSource, AggregateError, Batch, Bounds, CellQuery, DateClock, Dimension, ErroredRow, Filter,
    FilterOptions, FoldVersion, HeldSize, Kept, LayerStatus, Listed, Persisted, Rebuilds, SeenRow, Series,
    Source, SourcePings, Status, StoredMetric, UserDay, UserQuery, ValueOf, VersionDate,
};

/// Aggregates, for who folds.
#[async_trait]
pub trait AggregateStore: AggregateReads + SeenIds + Rebuilds {
    /// Writes a batch in one transaction. If one of its chunks is folded already, or what it replays was replayed, nothing
    /// at all is written; nor where several processes write, and another one changed what the batch was folded on top of.
    ///
    /// # Errors
    /// When the database refused: then nothing was written.
    async fn commit(&self, batch: Batch) -> Result<Committed, AggregateError>;

    /// Adds a batch to the layer in memory, where readers of this process see it at once. `drops` is what
    /// [`held`](Self::held) said before the batch was folded. A store without a layer commits it.
    ///
    /// # Errors
    /// When the batch is wrong, or the database failed: then nothing of it is held.
    async fn hold(&self, batch: Batch, drops: u64) -> Result<Kept, AggregateError> {
        let _ = drops;
        Ok(match self.commit(batch).await? {
            Committed::Written => Kept::Written,
            Committed::AlreadyFolded(chunks) => Kept::AlreadyFolded(chunks),
            Committed::Outdated => Kept::Outdated,
        })
    }

    /// Writes what is held by now in one transaction. One at a time: another call waits.
    ///
    /// # Errors
    /// When the database refused: then everything is still held, and the next call tries again.
    async fn persist(&self) -> Result<Persisted, AggregateError> {
        Ok(Persisted::Nothing)
    }

    /// How much is held.
    fn held(&self) -> HeldSize {
        HeldSize::default()
    }

    /// Which of these chunks are folded and written, so that a crash cannot lose them; in the order asked.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn written(&self, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        self.folded(chunks).await
    }

    /// Writes a batch that comes in parts, in one transaction: sums and error rows first; the last part is the only one
    /// that names chunks, folded or tried again. If one of those is folded already, nothing at all is written. The store takes a part when it
    /// has written the one before, so that memory stays bounded. Without a way of its own it puts all together.
    ///
    /// # Errors
    /// [`AggregateError::Unfinished`] when no last part came; when the database refused. Then nothing was written.
    async fn commit_parts(&self, mut parts: mpsc::Receiver<Batch>) -> Result<Committed, AggregateError> {
        let mut whole = Batch::default();
        while let Some(part) = parts.recv().await {
            whole.append(part);
            if whole.is_last() {
                return self.commit(whole).await;
            }
        }
        Err(AggregateError::Unfinished)
    }

    /// Which of these chunks are folded, in the order asked.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn folded(&self, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError>;

    /// Folded chunks in ascending order, after `after`, at most `limit`.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn folded_ids(&self, after: Option<ChunkId>, limit: usize) -> Result<Vec<ChunkId>, AggregateError>;

    /// The rules under which everything here was folded; `None` before they were set.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn fold_version(&self) -> Result<Option<FoldVersion>, AggregateError>;

    /// Sets the rules, once. Setting the same ones again changes nothing.
    ///
    /// # Errors
    /// [`AggregateError::OtherFoldVersion`] when other ones are set; or when the database refused.
    async fn set_fold_version(&self, version: &FoldVersion) -> Result<(), AggregateError>;

    /// Puts other rules in the place of `known` ones. The caller vouches that nothing folded under those would be folded
    /// otherwise under the new ones. When the new ones are set already, nothing changes.
    ///
    /// # Errors
    /// [`AggregateError::OtherFoldVersion`] when neither is set; or when the database refused.
    async fn replace_fold_version(
        &self,
        known: &FoldVersion,
        version: &FoldVersion,
    ) -> Result<(), AggregateError>;

    /// Under which caps the bodies of these chunks were tried ([`RetriedChunk`]), in bytes, in the order asked; 0 for one
    /// that never was.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn retried(&self, chunks: &[ChunkId]) -> Result<Vec<u64>, AggregateError>;
}

/// Which copies of a document are known. A door of its own: at thousands of pings a second another structure serves it
/// better than a table.
#[async_trait]
pub trait SeenIds: fmt::Debug + Send + Sync + 'static {
    /// All known copies of these documents, ascending by document, receive time and record.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn seen(&self, documents: &[DocumentKey]) -> Result<Vec<SeenRow>, AggregateError>;
}

/// Aggregates, for who asks. Every answer is of one moment: of all of a batch or nothing of it.
///
/// Every answer has a bound, which whoever asks states. Of a list with more values than `limit` those are there that have
/// the most cells (of equals, any); then what is held in memory is not looked at. A question that nobody waits for any more
/// ends; those of [`AggregateStore`] and [`SeenIds`], [`status`](Self::status), [`layer`](Self::layer) and
/// [`errored`](Self::errored) never wait behind the others.
#[async_trait]
pub trait AggregateReads: fmt::Debug + Send + Sync + 'static {
    /// Channels of a source that have data, ascending.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn channels(&self, source: &Source, limit: usize) -> Result<Listed<String>, AggregateError>;

    /// Versions and dates of a source and channel that have data, ascending by version and date as texts. A build date may be
    /// [`ping::UNKNOWN`].
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn dates(
        &self,
        source: &Source,
        clock: DateClock,
        channel: &str,
        limit: usize,
    ) -> Result<Listed<VersionDate>, AggregateError>;

    /// Which values have data in a source, channel and version, of each kind at most `limit`. All lists are empty when it has none.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn filter_options(
        &self,
        source: &Source,
        channel: &str,
        version: &str,
        limit: usize,
    ) -> Result<FilterOptions, AggregateError>;

    /// Which values of a dimension, or which processes, the cells have that match, ascending by bytes; of more than `limit` the last ones. No sum is
    /// made for it.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn values_of(
        &self,
        query: &CellQuery,
        of: ValueOf,
        limit: usize,
    ) -> Result<Listed<String>, AggregateError>;

    /// Sums of one metric's cells, and how far what is counted reaches at that moment.
    ///
    /// # Errors
    /// [`AggregateError::TooLarge`]; when the question could not be answered.
    async fn series(&self, query: &CellQuery, bounds: Bounds) -> Result<Series, AggregateError>;

    /// Sources that have cells, ascending; of more than `limit` the first ones. What was taken back to the last cell has none.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn sources(&self, limit: usize) -> Result<Listed<Source>, AggregateError>;

    /// Dimensions and days of a source; `None` when nothing of it is stored.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn about(&self, source: &Source) -> Result<Option<AboutSource>, AggregateError>;

    /// Values of a dimension, the day among them, of the sets of a source that match, ascending by bytes; [`ping::UNKNOWN`] where
    /// some state none. Of more than `limit` those are there that most sets bear. What was taken back to the last cell may still be listed.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn dimension_values(
        &self,
        source: &Source,
        dimension: &Dimension,
        filters: &[Filter],
        limit: usize,
    ) -> Result<Listed<String>, AggregateError>;

    /// Metrics of a source that have cells, ascending by bytes, those after `after`; fewer than `limit` are the last.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn metrics(
        &self,
        source: &Source,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StoredMetric>, AggregateError>;

    /// The largest groups of a question by the bytes of their sketches, which grow with users: at most `limit`, ascending. None
    /// without a dimension to group by.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn user_groups(&self, query: &UserQuery, limit: usize) -> Result<Listed<String>, AggregateError>;

    /// Users by day and group, ascending by both, at most `limit` rows; those of all other groups come last on each day. A
    /// day and group without users is absent.
    ///
    /// # Errors
    /// [`AggregateError::TooLarge`]; when the question could not be answered.
    async fn users(&self, query: &UserQuery, limit: usize) -> Result<Vec<UserDay>, AggregateError>;

    /// What was counted.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn status(&self) -> Result<Status, AggregateError>;

    /// The pings of each source over all days, ascending by source; of more than `limit` those with the most. What an older
    /// program counted is not among them.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn source_pings(&self, limit: usize) -> Result<Listed<SourcePings>, AggregateError>;

    /// What of this is in memory only.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn layer(&self) -> Result<LayerStatus, AggregateError> {
        Ok(LayerStatus::default())
    }

    /// Errored pings ascending by record, after `after`, at most `limit`.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn errored(&self, after: Option<RecordId>, limit: usize)
    -> Result<Vec<ErroredRow>, AggregateError>;

    /// Sends every cell and then every user sketch as a line of JSON (without its line end), ascending by names. Two
    /// stores of equal content send equal lines, however they came to it. Ends early when nobody receives.
    ///
    /// # Errors
    /// When not everything could be read.
    async fn dump(&self, lines: mpsc::Sender<String>) -> Result<(), AggregateError>;
}

/// How a commit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Committed {
    /// Everything is written and synced.
    Written,
    /// Nothing is written: these chunks of the batch are folded already, or what it replays of them was replayed.
    AlreadyFolded(Vec<ChunkId>),
    /// Nothing is written: another writer added copies of documents meanwhile of which the batch has copies, too, or claimed
    /// a shard that it names. Fold again what is left.
    Outdated,
}

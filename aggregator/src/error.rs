//! What can go wrong around the fold, told apart by what happens next.

use aggregate_store::{AggregateError, FoldVersion};
use index_schema::IndexError;
use ping::{ChunkId, SubmissionDate};
use store::StoreError;

/// Folding could not go on.
#[derive(Debug, thiserror::Error)]
pub enum AggregatorError {
    /// The index failed; tried again later.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The aggregates failed; tried again later.
    #[error(transparent)]
    Aggregates(#[from] AggregateError),
    /// The objects cannot be reached; tried again later. Says nothing against the chunk.
    #[error("chunk {chunk} cannot be read now: {source}")]
    Unreachable {
        /// The chunk.
        chunk: ChunkId,
        /// What the store says.
        source: StoreError,
    },
    /// A chunk cannot be folded. Counted against it; the third time it is set aside.
    #[error("chunk {chunk} cannot be folded: {reason}")]
    Chunk {
        /// The chunk.
        chunk: ChunkId,
        /// What is wrong with it.
        reason: String,
    },
    /// What is stored was folded under lower caps: nothing is folded until a replay of errored pings takes ours over.
    #[error(
        "the aggregates were folded by rules {} with settings {}, this program accepts more pings, by rules {} with \
         settings {}: run `highwater replay-errors` with the settings of this process (where many share the aggregates, with its \
         --store, --index and --aggregates, too), until then nothing is folded",
        stored.code, stored.settings, ours.code, ours.settings
    )]
    AcceptsMore {
        /// What is stored.
        stored: FoldVersion,
        /// What this program would fold by.
        ours: FoldVersion,
    },
    /// A source was folded by a declaration that this program cannot read: nothing is folded.
    #[error(
        "{source_name} is folded by a declaration that this program does not read (an older or newer one took it): start this \
         program with `--products` and a declaration of it, and run `highwater rebuild`; until then nothing is folded"
    )]
    Declaration {
        /// The source.
        source_name: String,
    },
    /// A rebuild of all would lose what cannot be made again.
    #[error(
        "folding everything anew would lose the aggregates of {source_name} of days before {floor}, whose pings were deleted: fold the \
         sources anew that need it, one by one (`highwater rebuild --source`), which leaves those days as they are, or all without \
         them (`highwater rebuild --forget-older`)"
    )]
    WouldLose {
        /// The source.
        source_name: String,
        /// From which day on its pings are there.
        floor: SubmissionDate,
    },
    /// What is stored was folded under other rules: nothing is folded until a rebuild.
    #[error(
        "the aggregates were folded by rules {} with settings {}, this program folds by rules {} with settings {}: \
         run `highwater rebuild` with the settings of this process (where many share the aggregates, with its --store, --index and \
         --aggregates, too), until then nothing is folded",
        stored.code, stored.settings, ours.code, ours.settings
    )]
    OtherFoldVersion {
        /// What is stored.
        stored: FoldVersion,
        /// What this program would fold by.
        ours: FoldVersion,
    },
}

impl AggregatorError {
    /// Whether the aggregates in use were folded by rules that this program does not fold by: until somebody acts, it folds
    /// nothing into them.
    pub(crate) const fn is_of_rules(&self) -> bool {
        matches!(
            self,
            Self::OtherFoldVersion { .. } | Self::AcceptsMore { .. } | Self::Declaration { .. }
        )
    }

    /// Whether trying again in this process cannot help: a database's thread has ended, most likely by a panic.
    pub(crate) const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Index(IndexError::Closed) | Self::Aggregates(AggregateError::Ended)
        )
    }
}

//! Why a run did not end. The next one goes on where it stopped.

use aggregate_store::AggregateError;
use index_schema::{IndexError, KeyError, SOURCE_FLOORS_MAX};
use ping::SubmissionDate;
use store::StoreError;

use crate::Kind;

/// Something could not be deleted now. What was decided stays decided.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The aggregates failed.
    #[error(transparent)]
    Aggregates(#[from] AggregateError),
    /// Objects cannot be deleted; those that could be are.
    #[error(
        "{objects} objects could not be deleted and are tried again by the next run, the first of them {key}: {source}"
    )]
    Store {
        /// How many.
        objects: u64,
        /// The first of them.
        key: String,
        /// Why the first one was not.
        source: StoreError,
    },
    /// Folding could not be held up, so no floor was raised and nothing forgotten.
    #[error("nothing was deleted, for folding could not be held up meanwhile: {0}")]
    Standstill(String),
    /// Whenever a floor was to be raised, something had come that nobody looked at when this was decided.
    #[error(
        "no floor was raised, for {of} of {day} came at the very moment: the next run looks at them, too"
    )]
    Unseen {
        /// Of what.
        of: Kind,
        /// Of which day.
        day: SubmissionDate,
    },
    /// More sources would have floors of their own than may.
    #[error(
        "no floor of a source was raised, for more than {SOURCE_FLOORS_MAX} sources would have one: let fewer declarations have `keep`"
    )]
    TooManySources,
    /// A floor was raised for the size of the aggregates, and their size is as before.
    #[error(
        "aggregates below their floor take as much room as before they were deleted, {bytes} bytes in all: no more of them are deleted for their size"
    )]
    InVain {
        /// What all days take.
        bytes: u64,
    },
    /// What should be forgotten is no key of a chunk.
    #[error(transparent)]
    Key(#[from] KeyError),
}

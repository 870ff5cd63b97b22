//! What can go wrong at the door to objects, told apart by what the caller may do next.

/// What the cause begins with of a call that was refused because the clocks of this machine and of the store differ: while
/// they do, every call is, and only whoever keeps this machine can mend it.
pub const CLOCK_SKEW: &str = "the clocks differ too much: ";

/// A failed call. Retrying is decided by the kind: a determinate failure surely did not happen, an indeterminate one
/// may have, so the caller looks before it assumes either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no object of that key.
    #[error("no object `{key}`")]
    NotFound {
        /// The key asked for.
        key: String,
    },
    /// The file that was to be put cannot be relied on: a sync of it failed, it cannot be read, or what is read is not what
    /// was written. Nothing was put. Whoever has what it was made of writes another file, under a new name; a further put of
    /// this one may succeed and keep bytes that are lost.
    #[error("put `{key}` failed and changed nothing: the file to put cannot be relied on: {cause}")]
    File {
        /// The key it was to be put under.
        key: String,
        /// What is wrong with the file.
        cause: String,
    },
    /// The call surely changed nothing.
    #[error("{action} `{key}` failed and changed nothing: {cause}")]
    Determinate {
        /// What was tried, such as `put`.
        action: &'static str,
        /// The key it was tried on.
        key: String,
        /// Why it failed.
        cause: String,
    },
    /// The call may or may not have taken effect.
    #[error("{action} `{key}` failed and may have happened: {cause}")]
    Indeterminate {
        /// What was tried, such as `put`.
        action: &'static str,
        /// The key it was tried on.
        key: String,
        /// Why its end is unknown.
        cause: String,
    },
}

impl StoreError {
    /// Whether the call was refused because this machine's clock is wrong ([`CLOCK_SKEW`]).
    pub fn is_clock_skew(&self) -> bool {
        match self {
            Self::Determinate { cause, .. } | Self::Indeterminate { cause, .. } => {
                cause.starts_with(CLOCK_SKEW)
            }
            Self::NotFound { .. } | Self::File { .. } => false,
        }
    }
}

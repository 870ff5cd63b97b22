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
            Self::NotFound { .. } => false,
        }
    }
}

//! Why nothing of a body is read as a Glean ping.

use crate::json::JsonError;

/// Nothing of the ping counts. Of several reasons that hold, the first in this order is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum GleanError {
    /// It asks for an erasure, and is no use of the application.
    #[error("a deletion-request is not read")]
    DeletionRequest,
    /// The walk over it ended early.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// It is JSON, but no object.
    #[error("not a JSON object")]
    NotAnObject,
    /// It has no `ping_info`, and nothing says that its namespace is Glean's.
    #[error("no Glean ping: it has no ping_info, and its namespace is not declared as Glean's")]
    NotGlean,
    /// A key that is read stands twice in one object: a document with two answers has none (decision 0007).
    #[error("a key stands twice in one object")]
    DuplicateKey,
}

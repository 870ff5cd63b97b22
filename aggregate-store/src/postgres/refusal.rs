//! What the database refused, as the store says it; and the store's own words on their way through a transaction.

use postgres_connections::Failure;

use crate::{AggregateError, Committed};

/// Rolls a transaction back in which nothing may be written: this is how the commit ended.
#[derive(Debug, thiserror::Error)]
#[error("nothing was written: {0:?}")]
pub(super) struct Unwritten(pub(super) Committed);

impl From<Unwritten> for Failure {
    fn from(unwritten: Unwritten) -> Self {
        Self::Other(Box::new(unwritten))
    }
}

impl From<AggregateError> for Failure {
    fn from(error: AggregateError) -> Self {
        Self::Other(Box::new(error))
    }
}

/// A failure for whoever called.
pub(super) fn aggregate_error(failure: Failure, doing: &'static str, name: &str) -> AggregateError {
    match failure {
        Failure::Newer { found, known } => AggregateError::Newer {
            place: format!("PostgreSQL at {name}"),
            found,
            known,
        },
        Failure::Closed => AggregateError::Ended,
        Failure::Other(error) | Failure::Unfinished(error) => match error.downcast() {
            Ok(error) => *error,
            Err(source) => AggregateError::Database { doing, source },
        },
        other => AggregateError::Database {
            doing,
            source: other.told(name).into(),
        },
    }
}

/// How a commit ended: an end without writing came as a failure.
pub(super) fn committed(ended: Result<Committed, Failure>) -> Result<Committed, Failure> {
    match ended {
        Err(Failure::Other(error)) => match error.downcast::<Unwritten>() {
            Ok(unwritten) => Ok(unwritten.0),
            Err(error) => Err(Failure::Other(error)),
        },
        other => other,
    }
}

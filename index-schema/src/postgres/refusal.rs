//! What the database refused, as the index says it.

use postgres_connections::Failure;
use tokio_postgres::error::SqlState;

use crate::IndexError;

/// A failure for whoever called, with the database's name and what to do.
pub(super) fn index_error(failure: Failure, name: &str) -> IndexError {
    match failure {
        Failure::Newer { found, known } => IndexError::Newer { found, known },
        Failure::Closed => IndexError::Closed,
        other => IndexError::Database(other.told(name)),
    }
}

/// Whether a row was refused since its month has no partition yet: unlike any other check, that has no name.
pub(super) fn is_missing_month(failure: &Failure) -> bool {
    let Failure::Postgres(error) = failure else {
        return false;
    };
    error.as_db_error().is_some_and(|error| {
        *error.code() == SqlState::CHECK_VIOLATION && error.constraint().is_none() && error.table().is_some()
    })
}

//! How a refusal of SQLite becomes the store's error.

use rusqlite::ErrorCode;

use crate::AggregateError;

impl From<rusqlite::Error> for AggregateError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database {
            doing: "use the aggregates",
            source: Box::new(error),
        }
    }
}

impl AggregateError {
    /// The same error, met while a file was opened.
    pub(super) fn while_opening(self, place: &str) -> Self {
        let cause = match &self {
            Self::Database { source, .. } => match source.downcast_ref::<rusqlite::Error>() {
                Some(error) if may_be_damaged(error) => error.to_string(),
                _ => return self,
            },
            Self::Damaged(what) => what.clone(),
            _ => return self,
        };
        let place = place.to_owned();
        Self::File { place, cause }
    }

    /// The same error, a refusal saying what was being done.
    pub(super) fn while_doing(self, doing: &'static str) -> Self {
        match self {
            Self::Database { source, .. } => Self::Database { doing, source },
            other => other,
        }
    }
}

/// Whether what went wrong may lie in the file itself.
fn may_be_damaged(error: &rusqlite::Error) -> bool {
    !matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory
        )
    )
}

//! How a refusal of SQLite becomes the store's error, and the conversions of numbers that can fail.

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

/// A number as the database holds it.
pub(super) fn stored(number: u64) -> Result<i64, AggregateError> {
    i64::try_from(number).map_err(|_| AggregateError::Batch("a number in it is above 2^63 - 1"))
}

/// A number that the database held.
pub(super) fn unstored<T: TryFrom<i64>>(number: i64) -> Result<T, AggregateError> {
    T::try_from(number)
        .map_err(|_| AggregateError::Damaged(format!("the number {number} is out of its range")))
}

/// Sixteen bytes that the database held.
pub(super) fn sixteen(bytes: &[u8]) -> Result<[u8; 16], AggregateError> {
    let sixteen = bytes.try_into();
    sixteen.map_err(|_| AggregateError::Damaged("an identity has not 16 bytes".to_owned()))
}

/// A submission date that the database held.
pub(super) fn date(number: i64) -> Result<ping::SubmissionDate, AggregateError> {
    ping::SubmissionDate::from_yyyymmdd(unstored(number)?)
        .ok_or_else(|| AggregateError::Damaged(format!("{number} is no day")))
}

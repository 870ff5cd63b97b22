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
                Some(error) if is_denied(error) => {
                    return Self::Denied {
                        place: place.to_owned(),
                        cause: error.to_string(),
                    };
                }
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

/// Whether the rights of the file or of its folder are in the way.
fn is_denied(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
    )
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
                | ErrorCode::OutOfMemory
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_that_are_in_the_way_are_said_to_be_that_and_no_damage() {
        for code in [rusqlite::ffi::SQLITE_READONLY, rusqlite::ffi::SQLITE_PERM] {
            let refused = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            let words = AggregateError::from(refused)
                .while_opening("DIR/a.sqlite")
                .to_string();
            assert!(
                words.starts_with("DIR/a.sqlite: ") && words.contains("mend the rights"),
                "{words}"
            );
            assert!(!words.contains("damaged"), "{words}");
        }
        let refused =
            rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOTADB), None);
        let words = AggregateError::from(refused)
            .while_opening("DIR/a.sqlite")
            .to_string();
        assert!(words.contains("if the file is damaged"), "{words}");
    }
}

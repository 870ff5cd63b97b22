//! Opens the database: settings of a connection, and the schema's version brought up to date.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};

use super::sql::MIGRATIONS;
use crate::IndexError;

/// How long a statement waits for another process before it fails.
const BUSY: Duration = Duration::from_secs(10);

/// What the write-ahead log of the file keeps of its room once it was checkpointed: a migration needs as much as the file.
const WAL_BYTES_KEPT: u32 = 64 << 20;

/// Statements that a connection keeps prepared: all fixed ones, and some selections.
const STATEMENTS: usize = 64;

/// The version that this program writes.
const NEWEST: u32 = MIGRATIONS.len() as u32;

/// Opens for writing; makes the file and brings its schema up to date.
pub(super) fn writer(path: &Path) -> Result<Connection, IndexError> {
    let mut connection = Connection::open(path).map_err(|error| describe(path, &error))?;
    let prepared = (|| {
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
        connection.pragma_update(None, "foreign_keys", "OFF")?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        migrate(&mut connection)
    })();
    match prepared.map_err(|error| describe(path, &error))? {
        found if found > NEWEST => Err(IndexError::Newer { found, known: NEWEST }),
        _ => Ok(connection),
    }
}

/// Opens an existing, up-to-date database for reading.
pub(super) fn reader(path: &Path) -> Result<Connection, IndexError> {
    if !path.exists() {
        let message = format!(
            "there is none at {}: start `highwater serve` there first",
            path.display()
        );
        return Err(IndexError::Database(message));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| describe(path, &error))?;
    let found = connection
        .busy_timeout(BUSY)
        .and_then(|()| version(&connection))
        .map_err(|error| describe(path, &error))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    match found {
        found if found > NEWEST => Err(IndexError::Newer { found, known: NEWEST }),
        NEWEST => Ok(connection),
        older => Err(IndexError::Database(format!(
            "{} has schema version {older}, this program reads {NEWEST}: start `highwater serve` there once, or wait while it starts",
            path.display()
        ))),
    }
}

/// Brings the schema up to date in one transaction; answers the version found when it is newer than known.
fn migrate(connection: &mut Connection) -> rusqlite::Result<u32> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    if found >= NEWEST {
        return Ok(found);
    }
    transaction.execute_batch("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")?;
    for migration in &MIGRATIONS[found as usize..] {
        transaction.execute_batch(migration)?;
    }
    transaction.execute("DELETE FROM schema_version", [])?;
    transaction.execute("INSERT INTO schema_version (version) VALUES ($1)", [NEWEST])?;
    transaction.commit()?;
    Ok(NEWEST)
}

/// The schema's version; 0 when the database is empty.
fn version(connection: &Connection) -> rusqlite::Result<u32> {
    let table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'";
    if connection.query_row(table, [], |_| Ok(())).optional()?.is_none() {
        return Ok(0);
    }
    Ok(connection
        .query_row("SELECT version FROM schema_version", [], |row| row.get(0))
        .optional()?
        .unwrap_or(0))
}

fn describe(path: &Path, error: &rusqlite::Error) -> IndexError {
    let advice = if is_denied(error) {
        ": this user may not write there, which reading needs, too: run this as the user of the process, or mend the rights of the \
         file, of its -wal and -shm, and of its folder"
    } else if may_be_damaged(error) {
        ": if it is damaged, move it away, with its -wal and -shm, and start again: it is made anew from the store"
    } else {
        ""
    };
    IndexError::Database(format!("{}: {error}{advice}", path.display()))
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
        let said = |code| {
            let refused = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            describe(Path::new("DIR/index.sqlite"), &refused).to_string()
        };
        for code in [rusqlite::ffi::SQLITE_READONLY, rusqlite::ffi::SQLITE_PERM] {
            let words = said(code);
            assert!(
                words.contains("DIR/index.sqlite: ") && words.contains("mend the rights"),
                "{words}"
            );
            assert!(!words.contains("damaged"), "{words}");
        }
        assert!(said(rusqlite::ffi::SQLITE_NOTADB).contains("if it is damaged"));
    }

    #[test]
    fn an_index_of_any_earlier_version_is_brought_up_to_date_with_all_that_is_in_it() {
        for version in 1..NEWEST {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("index.sqlite");
            let old = Connection::open(&path).expect("made");
            for migration in &MIGRATIONS[..version as usize] {
                old.execute_batch(migration).expect("the schema of that time");
            }
            let filled = format!(
                "CREATE TABLE schema_version (version INTEGER NOT NULL);
                 INSERT INTO schema_version (version) VALUES ({version});
                 INSERT INTO unreadable (object_key, submission_date, reason) VALUES ('key', '20170101', 'why');"
            );
            old.execute_batch(&filled).expect("filled");
            drop(old);
            let new = writer(&path).expect("opened");
            assert_eq!(super::version(&new), Ok(NEWEST));
            let reason = new.query_row("SELECT reason FROM unreadable", [], |row| row.get(0));
            assert_eq!(reason, Ok("why".to_owned()), "from version {version}");
        }
    }
}

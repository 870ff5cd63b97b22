//! The upgrade of earlier schemas of the index in SQLite.

use std::path::Path;
use std::sync::Arc;

use index_schema::conformance::Dice;
use index_schema::{Condition, Index, IndexError, Selection, SqliteIndex};
use ping::Dimension;
use rusqlite::Connection;
use tempfile::TempDir;

fn index() -> (Arc<SqliteIndex>, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let index = SqliteIndex::open(&folder.path().join("index.sqlite")).expect("opened");
    (index, folder)
}

/// A database as the first program left it, made by undoing what versions 2 to 5 changed.
fn make_first(path: &Path) {
    let connection = Connection::open(path).expect("opened");
    let undo = "DROP INDEX chunk_by_version; DROP INDEX chunk_by_build; DROP INDEX chunk_by_date; \
         CREATE INDEX chunk_by_date ON chunk (submission_date, app_update_channel, app_version, object_key); \
         DROP TABLE floor; DROP TABLE tombstone; DROP TABLE refused; DROP TABLE source_floor; UPDATE schema_version SET version = 1;";
    connection.execute_batch(undo).expect("undone");
    for column in [
        "removed_chunks",
        "removed_records",
        "removed_stored_bytes",
        "refused_chunks",
        "refused_records",
        "unfolded_records",
        "rebuild_wanted",
    ] {
        let drop = format!("ALTER TABLE totals DROP COLUMN {column}");
        connection.execute_batch(&drop).expect("dropped");
    }
}

#[tokio::test]
async fn the_first_schema_is_migrated_in_one_transaction() {
    let (index, folder) = index();
    let path = folder.path().join("index.sqlite");
    let entries = Dice::new(5).entries(9);
    index.insert(&entries).await.expect("inserted");
    let before = index.totals().await.expect("totals");
    drop(index);
    make_first(&path);
    let error = SqliteIndex::open_read_only(&path).expect_err("it is older");
    assert!(
        error.to_string().contains("start `highwater serve` there once"),
        "{error}"
    );
    // A migration that fails half way leaves the schema as it was.
    let connection = Connection::open(&path).expect("opened");
    connection
        .execute_batch("CREATE TABLE refused (in_the_way)")
        .expect("made");
    assert!(SqliteIndex::open(&path).is_err());
    let floors = "SELECT count(*) FROM sqlite_schema WHERE name = 'floor'";
    let made: i64 = connection
        .query_row(floors, [], |row| row.get(0))
        .expect("counted");
    assert_eq!(made, 0);
    connection
        .execute_batch("DROP TABLE refused")
        .expect("out of the way");
    let index = SqliteIndex::open(&path).expect("migrated");
    assert_eq!(index.totals().await.expect("totals"), before);
    assert_eq!(index.pending(99).await.expect("pending").len(), 9);
    // Each of the indexes that were made holds what was there.
    for dimension in [
        Dimension::SubmissionDate,
        Dimension::AppVersion,
        Dimension::AppUpdateChannel,
    ] {
        for entry in &entries {
            let value = entry.partition.get(dimension).to_owned();
            let selection = Selection {
                conditions: vec![(dimension, Condition::OneOf(vec![value]))],
                ..Selection::default()
            };
            let found = index.select(&selection, None, 99).await.expect("answered");
            let expected = entries.iter().filter(|entry| selection.can_match(entry)).count();
            assert!(found.contains(entry) && found.len() == expected, "{selection:?}");
        }
    }
}

#[tokio::test]
async fn a_newer_database_is_refused_and_left_as_it_is() {
    let (index, folder) = index();
    let path = folder.path().join("index.sqlite");
    drop(index);
    let connection = Connection::open(&path).expect("opened");
    connection
        .execute_batch("UPDATE schema_version SET version = 6; CREATE TABLE unheard_of (of); PRAGMA wal_checkpoint(TRUNCATE)")
        .expect("made newer");
    drop(connection);
    let before = std::fs::read(&path).expect("read");
    let error = SqliteIndex::open(&path).expect_err("it is newer");
    assert!(
        matches!(error, IndexError::Newer { found: 6, known: 5 }),
        "{error}"
    );
    assert_eq!(std::fs::read(&path).expect("read"), before);
}

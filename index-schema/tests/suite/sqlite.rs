//! The index in SQLite: it does what every back end must, and what only a file can.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use index_schema::conformance::{Database, Dice, run};
use index_schema::{ChunkKind, Condition, Index, IndexError, RetainIndex, Selection, SqliteIndex};
use ping::{Dimension, Timestamp};
use tempfile::TempDir;

struct Folder {
    folder: TempDir,
}

impl Folder {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("index.sqlite")
    }
}

#[async_trait]
impl Database for Folder {
    async fn open(&self) -> Arc<dyn RetainIndex> {
        SqliteIndex::open(&self.path()).expect("opened")
    }
}

fn sqlite(path: &Path, statement: &str) {
    rusqlite::Connection::open(path)
        .and_then(|connection| connection.execute_batch(statement))
        .expect("done");
}

#[tokio::test]
async fn it_does_what_every_back_end_must() {
    run(Folder::new).await;
}

#[tokio::test]
async fn a_command_reads_beside_the_process_that_writes() {
    let folder = Folder::new();
    let writer = SqliteIndex::open(&folder.path()).expect("opened");
    let reader = SqliteIndex::open_read_only(&folder.path()).expect("opened");
    let entries = Dice::new(1).entries(5);
    writer.insert(&entries).await.expect("inserted");
    assert_eq!(reader.totals().await.expect("totals").chunks, 5);
    let refused = reader.insert(&entries).await.expect_err("it only reads");
    assert!(refused.to_string().contains("reading only"), "{refused}");
    drop((writer, reader));
    let alone = SqliteIndex::open_read_only(&folder.path()).expect("no writer is needed");
    assert_eq!(alone.pending(9).await.expect("pending").len(), 5);
}

#[tokio::test]
async fn a_selection_by_day_by_version_or_by_build_is_answered_from_an_index_alone() {
    let folder = Folder::new();
    let index = SqliteIndex::open(&folder.path()).expect("opened");
    let one_of = |value: &str| Condition::OneOf(vec![value.to_owned()]);
    let range = |from: &str, to: &str| Condition::Range {
        from: Some(from.to_owned()),
        to: Some(to.to_owned()),
    };
    let questions = [
        (
            "chunk_by_date",
            vec![(Dimension::SubmissionDate, one_of("20170131"))],
        ),
        (
            "chunk_by_date (submission_date=? AND app_update_channel=?)",
            vec![
                (Dimension::AppUpdateChannel, one_of("nightly")),
                (Dimension::SubmissionDate, range("20170101", "20170301")),
            ],
        ),
        (
            "chunk_by_version",
            vec![
                (Dimension::AppVersion, Condition::Versions(vec!["54".to_owned()])),
                (Dimension::SubmissionDate, range("20170101", "20170301")),
            ],
        ),
        (
            "chunk_by_build",
            vec![
                (Dimension::AppUpdateChannel, one_of("nightly")),
                (Dimension::AppBuildId, range("20170101", "20170131")),
            ],
        ),
    ];
    for (by, conditions) in questions {
        for also in Dimension::ALL {
            let mut selection = Selection {
                conditions: conditions.clone(),
                received_from: Some(Timestamp::from_micros(1)),
                received_before: Some(Timestamp::from_micros(2)),
                kind: Some(ChunkKind::Pings),
            };
            selection.conditions.push((also, one_of("20170131")));
            for limit in [1_000, 1_001] {
                let plan = index.explain(&selection, limit).await.expect("explained");
                let is_covered = plan.contains(" USING COVERING INDEX ") && !plan.contains(" USING INDEX ");
                assert!(is_covered, "{by}, {also}: {plan}");
            }
        }
        let selection = Selection {
            conditions,
            ..Selection::default()
        };
        let plan = index.explain(&selection, 1_000).await.expect("explained");
        assert!(plan.contains(&format!(" USING COVERING INDEX {by}")), "{plan}");
    }
}

#[tokio::test]
async fn reading_where_there_is_no_index_says_so() {
    let folder = Folder::new();
    let error = SqliteIndex::open_read_only(&folder.path()).expect_err("there is none");
    assert!(error.to_string().contains("highwater serve"), "{error}");
    assert!(!folder.path().exists());
}

#[tokio::test]
async fn a_newer_schema_is_refused_with_a_clear_word() {
    let folder = Folder::new();
    drop(SqliteIndex::open(&folder.path()).expect("opened"));
    sqlite(&folder.path(), "UPDATE schema_version SET version = 7");
    for opened in [
        SqliteIndex::open(&folder.path()),
        SqliteIndex::open_read_only(&folder.path()),
    ] {
        let error = opened.expect_err("it is newer");
        assert!(matches!(error, IndexError::Newer { found: 7, .. }), "{error}");
        assert!(error.to_string().contains("use a newer highwater"), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let folder = Folder::new();
    std::fs::write(folder.path(), vec![b'x'; 8_192]).expect("written");
    assert!(SqliteIndex::open(&folder.path()).is_err());
    assert!(SqliteIndex::open_read_only(&folder.path()).is_err());
}

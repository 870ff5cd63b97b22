//! What a file must keep: across restarts, beside readers, after a crash, from newer programs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use sketch::Cell;
use tempfile::TempDir;

use super::limits::{READERS, WAITING_READS};
use crate::conformance::{
    Oracle, any_additions, cell_batch, chunk_id, dump_of, every_back_end_keeps_the_law,
    every_back_end_notes_one_client_secret, folded_chunk,
};
use crate::layer::Part;
use crate::{
    AggregateError, AggregateReads, AggregateStore, Batch, CellKey, ClientSecrets, Committed, SeenIds,
    SqliteAggregates,
};

pub(super) fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("00000001.sqlite")
}

pub(super) fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

pub(super) fn open(path: &Path) -> SqliteAggregates {
    SqliteAggregates::open(path).expect("the file opens")
}

/// Some hundred cells, always the same ones.
fn additions() -> Vec<(CellKey, Cell)> {
    use proptest::strategy::{Strategy, ValueTree};
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let tree = proptest::collection::vec(any_additions(), 10).new_tree(&mut runner);
    tree.expect("samples can be drawn").current().concat()
}

fn batch(additions: &[(CellKey, Cell)], plan: u64) -> Batch {
    Batch {
        chunks: vec![folded_chunk(chunk_id(1, 1, plan))],
        ..cell_batch(additions)
    }
}

pub(super) async fn commit(store: &SqliteAggregates, batch: Batch) {
    assert_eq!(
        store.commit(batch).await.expect("the batch is written"),
        Committed::Written
    );
}

#[test]
fn it_keeps_the_law() {
    let folder = folder();
    let made = std::sync::atomic::AtomicU32::new(0);
    every_back_end_keeps_the_law(async || {
        let number = made.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let store: Arc<dyn AggregateStore> = Arc::new(open(&folder.path().join(format!("{number}.sqlite"))));
        store
    });
}

#[tokio::test]
async fn a_client_secret_is_noted_once() {
    let folder = folder();
    every_back_end_notes_one_client_secret(&open(&file(&folder))).await;
    let again = open(&file(&folder)).client_secret().await.expect("an answer");
    assert_eq!(again.as_deref(), Some("bb"), "also after a restart");
}

#[tokio::test]
async fn a_restart_keeps_all() {
    let (folder, additions) = (folder(), additions());
    let (first, second) = additions.split_at(additions.len() / 2);
    let store = open(&file(&folder));
    commit(&store, batch(first, 1)).await;
    let before = (dump_of(&store).await, store.status().await.expect("the counters"));
    store.close().await;
    let store = open(&file(&folder));
    assert_eq!(
        (dump_of(&store).await, store.status().await.expect("the counters")),
        before
    );
    assert_eq!(
        store.commit(batch(first, 1)).await.expect("an answer"),
        Committed::AlreadyFolded(vec![chunk_id(1, 1, 1)])
    );
    commit(&store, batch(second, 2)).await;
    assert_eq!(Oracle::of_dump(&dump_of(&store).await), Oracle::of(&additions));
}

#[tokio::test]
async fn parts_are_one_transaction_and_without_the_last_one_nothing() {
    use crate::{Counters, Source};
    let (folder, additions) = (folder(), additions());
    let counted = |folded| Counters {
        folded,
        ..Counters::default()
    };
    let pieces = || additions.chunks(additions.len() / 5 + 1).map(cell_batch);
    let send = async |parts: Vec<Batch>| {
        let (sender, receiver) = tokio::sync::mpsc::channel(parts.len());
        for part in parts {
            sender.send(part).await.expect("room");
        }
        receiver
    };
    let whole = open(&folder.path().join("whole.sqlite"));
    let mut one = batch(&additions, 1);
    one.counters = counted(5);
    commit(&whole, one).await;
    let store = open(&file(&folder));
    let unfinished = store.commit_parts(send(pieces().collect()).await).await;
    assert!(
        matches!(unfinished, Err(AggregateError::Unfinished)),
        "{unfinished:?}"
    );
    assert_eq!(dump_of(&store).await, Vec::<String>::new());
    assert_eq!(
        store
            .channels(&Source::telemetry_main(), 9)
            .await
            .expect("a list")
            .values,
        Vec::<String>::new()
    );
    let parts = || {
        let mut parts: Vec<Batch> = pieces().collect();
        for part in &mut parts {
            part.counters = counted(1);
        }
        let last = parts.last_mut().expect("a part");
        last.chunks = vec![folded_chunk(chunk_id(1, 1, 1))];
        last.counters.folded = 6 - i64::try_from(pieces().count()).expect("few");
        parts
    };
    let committed = store.commit_parts(send(parts()).await).await;
    assert_eq!(committed.expect("an answer"), Committed::Written);
    let again = store.commit_parts(send(parts()).await).await;
    let known = Committed::AlreadyFolded(vec![chunk_id(1, 1, 1)]);
    assert_eq!(again.expect("an answer"), known);
    assert_eq!(dump_of(&store).await, dump_of(&whole).await);
    assert_eq!(
        store.status().await.expect("the counters").counters,
        whole.status().await.expect("the counters").counters
    );
}

#[tokio::test]
async fn closing_leaves_one_file() {
    let folder = folder();
    let store = open(&file(&folder));
    commit(&store, batch(&additions(), 1)).await;
    store.close().await;
    let names = std::fs::read_dir(folder.path()).expect("the folder is there");
    assert_eq!(names.count(), 1, "the write-ahead log is moved into the file");
}

#[tokio::test]
async fn a_reader_beside_a_writer_sees_each_batch_and_writes_none() {
    let (folder, additions) = (folder(), additions());
    let writer = open(&file(&folder));
    let reader = SqliteAggregates::open_read_only(&file(&folder)).expect("it opens beside the writer");
    assert_eq!(dump_of(&reader).await, Vec::<String>::new());
    commit(&writer, batch(&additions, 1)).await;
    assert_eq!(Oracle::of_dump(&dump_of(&reader).await), Oracle::of(&additions));
    let refused = reader.commit(batch(&additions, 2)).await;
    assert!(matches!(refused, Err(AggregateError::ReadOnly)));
    writer.close().await;
    assert_eq!(
        Oracle::of_dump(&dump_of(&reader).await),
        Oracle::of(&additions),
        "the reader outlives the writer"
    );
    drop(reader);
    let reader = SqliteAggregates::open_read_only(&file(&folder)).expect("it opens without a writer");
    assert_eq!(Oracle::of_dump(&dump_of(&reader).await), Oracle::of(&additions));
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let folder = folder();
    drop(open(&file(&folder)));
    let set = |version: &str| {
        let connection = Connection::open(file(&folder)).expect("the file opens");
        let changed = connection.execute(
            "UPDATE meta SET value = ?1 WHERE name = 'schema_version'",
            [version],
        );
        assert_eq!(changed.expect("the version is changed"), 1);
    };
    set("6");
    let before = std::fs::read(file(&folder)).expect("the file is read");
    for refused in [
        SqliteAggregates::open(&file(&folder)),
        SqliteAggregates::open_read_only(&file(&folder)),
    ] {
        let error = refused.expect_err("a newer schema is refused");
        assert!(
            matches!(
                error,
                AggregateError::Newer {
                    found: 6,
                    known: 5,
                    ..
                }
            ),
            "{error}"
        );
        assert!(error.to_string().contains("use a newer program"), "{error}");
    }
    assert_eq!(std::fs::read(file(&folder)).expect("the file is read"), before);
    set("0");
    let older = SqliteAggregates::open_read_only(&file(&folder)).expect_err("a reader cannot migrate");
    assert!(
        matches!(
            older,
            AggregateError::Older {
                found: 0,
                known: 5,
                ..
            }
        ),
        "{older}"
    );
    set("5");
    assert!(SqliteAggregates::open(&file(&folder)).is_ok());
}

#[test]
fn tables_of_the_first_schema_become_these() {
    let folder = folder();
    let connection = Connection::open(file(&folder)).expect("the file opens");
    connection
        .execute_batch(include_str!("schema_1.sql"))
        .expect("the first tables");
    connection
        .execute(
            "INSERT INTO meta (name, value) VALUES ('schema_version', '1')",
            [],
        )
        .expect("a version");
    drop(connection);
    drop(open(&file(&folder)));
    let connection = Connection::open(file(&folder)).expect("the file opens");
    let layers: i64 = connection
        .query_row("SELECT count(*) FROM layer", [], |row| row.get(0))
        .expect("the table of layers is there");
    assert_eq!(layers, 0);
}

/// Columns and keys of all tables and indexes, by their names.
fn shape_of(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).expect("the file opens");
    let all = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).expect("a question");
        let rows = statement.query_map([], |row| row.get(0)).expect("an answer");
        rows.collect::<Result<_, _>>().expect("texts")
    };
    let columns = all(
        "SELECT m.name || ' ' || m.type || ' ' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' || c.pk
         FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table' ORDER BY m.name, c.cid",
    );
    let indexes = all(
        "SELECT m.name || ' ' || l.origin || ' ' || l.\"unique\" || ' ' || l.partial || ' '
         || (SELECT group_concat(i.name) FROM pragma_index_info(l.name) AS i)
         FROM sqlite_schema AS m JOIN pragma_index_list(m.name) AS l WHERE m.type = 'table' ORDER BY 1",
    );
    let options = all(
        "SELECT name || ' ' || wr || ' ' || strict FROM pragma_table_list WHERE schema = 'main' ORDER BY 1",
    );
    let values = all("SELECT name || ' ' || value FROM meta ORDER BY 1");
    [columns, indexes, options, values].concat()
}

#[test]
fn tables_that_are_made_at_once_are_those_that_all_steps_make() {
    let (at_once, by_steps) = (folder(), folder());
    drop(open(&file(&at_once)));
    let connection = Connection::open(file(&by_steps)).expect("the file opens");
    connection
        .execute_batch(include_str!("schema_1.sql"))
        .and_then(|()| connection.execute_batch("INSERT INTO meta VALUES ('schema_version', '1')"))
        .expect("the first tables");
    drop(connection);
    drop(open(&file(&by_steps)));
    assert_eq!(shape_of(&file(&at_once)), shape_of(&file(&by_steps)));
}

/// Rows of the second schema may name numbers that are no chunk's any more: they are found, and no chunk gets such a number.
#[tokio::test]
async fn rows_of_the_second_schema_that_name_a_chunk_that_is_gone_are_found_and_no_other_chunk_is_taken_for_it()
 {
    let (folder, date) = (folder(), folded_chunk(chunk_id(1, 1, 1)).submission_date);
    let connection = Connection::open(file(&folder)).expect("the file opens");
    for step in [include_str!("schema_1.sql"), include_str!("schema_2.sql")] {
        connection.execute_batch(step).expect("the tables of the time");
    }
    connection
        .execute_batch(&format!(
            "INSERT INTO meta (name, value) VALUES ('schema_version', '2');
             INSERT INTO incarnation (id, bits) VALUES (1, x'{own}');
             INSERT INTO chunk (id, incarnation, boot, plan) VALUES (1, x'{own}', 1, 1);
             INSERT INTO seen VALUES (x'{one}', 1, 5, 7, {date}, 1, 0, 1), (x'{two}', 1, 6, 7, {date}, 2, 0, 1);
             INSERT INTO errored VALUES (x'{own}', 8, {date}, 3, 0, 'odd');",
            own = "09".repeat(16),
            one = "01".repeat(16),
            two = "02".repeat(16),
            date = date.as_yyyymmdd(),
        ))
        .expect("rows of the time");
    drop(connection);
    let store = open(&file(&folder));
    let document = |byte| ping::DocumentKey::from_bytes([byte; 16]);
    let documents = [document(1), document(2)];
    let (seen, errored) = (
        store.seen(&documents).await.expect("copies"),
        store.errored(None, 9).await.expect("errored pings"),
    );
    assert_eq!((seen.len(), errored.len()), (2, 1));
    assert_eq!(seen[0].chunk, chunk_id(9, 1, 1));
    let nobodys = chunk_id(0, 0, 0);
    assert_eq!((seen[1].chunk, errored[0].chunk), (nobodys, nobodys));
    for plan in 2..9 {
        commit(&store, batch(&[], plan)).await;
    }
    assert_eq!(store.seen(&documents).await.expect("copies"), seen);
    assert_eq!(store.errored(None, 9).await.expect("errored pings"), errored);
}

#[test]
fn nothing_to_read_is_said() {
    let folder = folder();
    let error = SqliteAggregates::open_read_only(&file(&folder)).expect_err("there is nothing");
    assert!(matches!(error, AggregateError::Absent { .. }), "{error}");
    assert!(!file(&folder).exists());
}

/// The files as a power cut leaves them in the midst of a transaction that has spilled into the write-ahead log.
#[tokio::test]
async fn a_crash_in_a_commit_leaves_the_old_state() {
    let (folder, crashed, additions) = (folder(), folder(), additions());
    let store = open(&file(&folder));
    commit(&store, batch(&additions, 1)).await;
    let before = dump_of(&store).await;
    let other = Connection::open(file(&folder)).expect("a second connection");
    other
        .execute_batch(
            "PRAGMA cache_size = 10; BEGIN IMMEDIATE; DELETE FROM cell WHERE layout = 1; DELETE FROM folded;
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
             INSERT INTO string (text) SELECT 'a name that is never committed ' || i FROM n;",
        )
        .expect("half a transaction");
    let wal = |folder: &TempDir| folder.path().join("00000001.sqlite-wal");
    assert!(
        wal(&folder).metadata().expect("there is a log").len() > 1 << 20,
        "it has spilled"
    );
    std::fs::copy(file(&folder), file(&crashed)).expect("the file is copied");
    std::fs::copy(wal(&folder), wal(&crashed)).expect("the log is copied");
    let after = open(&file(&crashed));
    assert_eq!(dump_of(&after).await, before);
    assert_eq!(
        after.folded(&[chunk_id(1, 1, 1)]).await.expect("an answer"),
        [true]
    );
}

#[tokio::test]
async fn a_damaged_cell_is_said_to_be_damaged() {
    let folder = folder();
    let store = open(&file(&folder));
    commit(&store, batch(&additions(), 1)).await;
    let other = Connection::open(file(&folder)).expect("a second connection");
    other
        .execute("UPDATE cell SET value = x'01'", [])
        .expect("cells are damaged");
    let (sender, _receiver) = tokio::sync::mpsc::channel(1);
    let error = store.dump(sender).await.expect_err("a damaged cell is no cell");
    assert!(error.to_string().contains("rebuild"), "{error}");
    let error = store
        .commit(batch(&additions(), 2))
        .await
        .expect_err("nor can it be added to");
    assert!(error.to_string().contains("rebuild"), "{error}");
}

/// Not a check but a figure: `cargo test --release -p aggregate-store -- --ignored --nocapture large`.
#[tokio::test]
#[ignore = "a figure, not a check"]
async fn a_large_batch_takes_this_long() {
    let clock = service::clock::SystemClock::shared();
    let folder = folder();
    let store = open(&file(&folder));
    for (what, plan) in [("new", 1), ("merged", 2)] {
        let batch = large_batch(plan);
        let (cells, start) = (batch.cells.len(), clock.monotonic());
        commit(&store, batch).await;
        let took = (clock.monotonic() - start).as_secs_f64();
        println!(
            "{cells} cells {what} in {took:.2} s: {:.0} a second",
            cells as f64 / took
        );
    }
    let query = crate::CellQuery {
        source: crate::Source::telemetry_main(),
        metric: "METRIC_7".to_owned(),
        filters: vec![
            crate::Filter::is(crate::Dimension::CHANNEL, "nightly"),
            crate::Filter::is(crate::Dimension::VERSION, "41"),
        ],
        label: None,
        processes: None,
        group_by: vec![crate::Dimension::named(crate::Dimension::BUILD_DATE)],
        by_process: false,
    };
    let start = clock.monotonic();
    let rows = store
        .series(&query, crate::Bounds::NONE)
        .await
        .expect("the question is answered")
        .len();
    println!("{rows} rows of a series in {:?}", clock.monotonic() - start);
    let start = clock.monotonic();
    let options = store
        .filter_options(&query.source, "nightly", "41", usize::MAX)
        .await
        .expect("the question is answered");
    println!(
        "{} metrics listed in {:?}",
        options.metrics.len(),
        clock.monotonic() - start
    );
    let start = clock.monotonic();
    let lines = dump_of(&store).await.len();
    println!("{lines} lines dumped in {:?}", clock.monotonic() - start);
    store.close().await;
    println!(
        "{} bytes",
        file(&folder).metadata().expect("the file is there").len()
    );
}

/// 720 dimension sets of one submission date with 485 metrics each.
pub(crate) fn large_batch(plan: u64) -> Batch {
    let (mut builder, (mut key, _)) = (crate::BatchBuilder::new(), additions().swap_remove(0));
    let bins = [
        (0, 3),
        (1, 12),
        (2, 40),
        (3, 71),
        (5, 66),
        (8, 30),
        (13, 12),
        (20, 4),
        (30, 1),
    ];
    let cell = Cell::new(36, 1_104, bins);
    for set in 0..720 {
        key.dimensions = key
            .dimensions
            .with("channel", ["nightly", "aurora", "beta", "release"][set % 4])
            .with("version", "41")
            .with("build_date", &format!("201506{:02}", set / 4 % 30))
            .with("os_version", &format!("{}", set / 120));
        for metric in 0..485 {
            key.metric = format!("METRIC_{metric}");
            key.process = ["parent", "content"][metric % 2].to_owned();
            builder.add_cell(&key, &cell);
        }
    }
    builder.batch.chunks = vec![folded_chunk(chunk_id(1, 1, plan))];
    builder.build()
}

/// A question that SQLite answers never.
const ENDLESS: &str =
    "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number) SELECT count(*) FROM number";

/// Waits generously.
async fn soon<T>(answer: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        answer = answer => answer,
        () = service::task::sleep(std::time::Duration::from_secs(60)) => panic!("no answer came"),
    }
}

#[tokio::test]
async fn endless_questions_keep_the_fold_not_waiting_and_end_when_nobody_waits_for_them() {
    let folder = folder();
    let store = Arc::new(open(&file(&folder)));
    commit(&store, batch(&additions(), 1)).await;
    let endless = || {
        let store = Arc::clone(&store);
        service::task::spawn("endless question", async move {
            let count = |connection: &Connection, _: &[&Part]| {
                Ok(connection.query_row(ENDLESS, [], |row| row.get::<_, i64>(0))?)
            };
            store.reading(Arc::default()).answer("count", count).await
        })
    };
    // More than there are threads that answer and places in their queue.
    let questions: Vec<_> = (0..READERS + WAITING_READS + 9).map(|_| endless()).collect();
    for _ in 0..9 {
        soon(store.folded(&[chunk_id(1, 1, 1)])).await.expect("looked up");
        soon(store.seen(&[])).await.expect("looked up");
        soon(store.status()).await.expect("looked up");
    }
    for question in &questions {
        question.abort();
    }
    let source = crate::Source::telemetry_main();
    let listed = soon(store.channels(&source, 9)).await;
    assert!(!listed.expect("answered").values.is_empty());
}

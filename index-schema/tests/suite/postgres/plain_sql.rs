//! What is asked in plain SQL: the views, the roles, and the questions of `docs/sql.md`, word for word.

use std::fs;

use index_schema::conformance::Dice;
use index_schema::{
    ChunkKey, Condition, FAILURES_MAX, Floors, Index, IndexEntry, IndexError, PostgresIndex,
    PostgresSettings, RetainIndex, Selection,
};
use ping::{Dimension, Incarnation, Timestamp};

use super::beside::over_months;
use super::test_database::TestDatabase;

/// The paper's questions, by the heading above each.
fn questions() -> Vec<(String, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sql.md");
    let paper = fs::read_to_string(path).expect("the paper");
    let mut questions = Vec::new();
    for part in paper.split("\n### ").skip(1) {
        let heading = part.lines().next().unwrap_or_default().to_owned();
        let query = part
            .split("```sql\n")
            .nth(1)
            .and_then(|rest| rest.split("```").next());
        questions.push((heading, query.expect("a question in SQL").to_owned()));
    }
    questions
}

fn question(begins: &str) -> String {
    let all = questions();
    let found = all.into_iter().find(|(heading, _)| heading.starts_with(begins));
    found
        .unwrap_or_else(|| panic!("docs/sql.md asks nothing that begins with `{begins}`"))
        .1
}

fn entry(plan: u64, values: [&str; 8]) -> IndexEntry {
    let mut entry = Dice::new(plan).entries(1).swap_remove(0);
    entry.id.plan = plan;
    entry.kind = index_schema::ChunkKind::Pings;
    entry.partition = ping::Partition::new(values.map(str::to_owned));
    entry.key = ChunkKey {
        prefix: "pings".to_owned(),
        kind: entry.kind,
        partition: entry.partition.clone(),
        id: entry.id,
    }
    .to_string();
    entry
}

fn nightly(plan: u64, date: &str, version: &str, build: &str) -> IndexEntry {
    entry(
        plan,
        [
            date,
            "telemetry",
            "4",
            "main",
            "Firefox",
            "nightly",
            version,
            build,
        ],
    )
}

#[tokio::test]
async fn every_question_of_the_paper_is_answered() {
    let Some(place) = TestDatabase::new() else { return };
    let index = place.index().await;
    index.insert(&over_months(1, 60)).await.expect("inserted");
    let all = questions();
    assert!(all.len() >= 5, "{all:?}");
    for (heading, query) in all {
        let answered = place.server.try_sql(&place.database, &query);
        assert!(answered.is_ok(), "{heading}: {answered:?}");
    }
}

#[tokio::test]
async fn the_chunks_with_pings_of_some_builds_are_those_of_the_selection() {
    let Some(place) = TestDatabase::new() else { return };
    let index = place.index().await;
    let entries = [
        nightly(1, "20170131", "54.0a1", "20170130030205"),
        nightly(2, "20170131", "54.0a1", "20170131030205"),
        nightly(3, "20170201", "54.0a1", "20170129030205"),
        nightly(4, "20170201", "53.0a1", "20170130030205"),
        nightly(5, "20170201", "OTHER", "OTHER"),
        entry(
            6,
            [
                "20170201",
                "telemetry",
                "4",
                "main",
                "Firefox",
                "beta",
                "54.0a1",
                "20170130030205",
            ],
        ),
    ];
    index.insert(&entries).await.expect("inserted");
    let builds = ["20170130030205", "20170131030205"].map(str::to_owned);
    let selection = Selection {
        conditions: vec![
            (
                Dimension::AppUpdateChannel,
                Condition::OneOf(vec!["nightly".to_owned()]),
            ),
            (Dimension::AppVersion, Condition::Versions(vec!["54".to_owned()])),
            (Dimension::AppBuildId, Condition::OneOf(builds.into())),
        ],
        ..Selection::default()
    };
    let selected = index.select(&selection, None, 99).await.expect("selected");
    let expected: Vec<_> = selected.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(expected.len(), 3);
    let answer = place.sql(&question("Which chunks hold nightly 54 pings"));
    let found: Vec<_> = answer
        .lines()
        .map(|line| line.split('|').next().expect("a key"))
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_day_is_complete_when_nothing_of_it_waits_is_set_aside_or_is_missing() {
    let Some(place) = TestDatabase::new() else { return };
    let index = place.index().await;
    let days = [
        "20170101", "20170102", "20170103", "20170104", "20170105", "20170106",
    ];
    let entries: Vec<_> = (1..)
        .zip(days)
        .map(|(plan, day)| nightly(plan, day, "54.0a1", "20170130030205"))
        .collect();
    index.insert(&entries).await.expect("inserted");
    // The first day is folded, the second waits, the third is set aside, the fourth's object is gone.
    index
        .settle(&[entries[0].id, entries[4].id, entries[5].id])
        .await
        .expect("settled");
    for entry in &entries[2..4] {
        for _ in 0..FAILURES_MAX {
            index.fail(entry.id, "cut").await.expect("noted");
        }
    }
    index
        .clear_gone(&[entries[3].key.clone()])
        .await
        .expect("cleared");
    // The fifth has an object that cannot be read.
    let unreadable = nightly(9, "20170105", "54.0a1", "1").key;
    index.note_unreadable(&unreadable, "cut").await.expect("noted");
    let incomplete = place.sql(&question("Which days are incomplete"));
    let found: Vec<_> = incomplete.lines().map(|line| &line[..8]).collect();
    assert_eq!(found, &days[1..5]);
    let status = place.sql("SELECT status FROM highwater.chunks ORDER BY submission_date");
    assert_eq!(status, "folded\npending\nset aside\ngone\nfolded\nfolded");
    // What is below the floor of aggregates is not folded, so its day is not complete.
    let floors = Floors {
        aggregates: Some("20170102".parse().expect("a date")),
        ..Floors::default()
    };
    index.raise_floors(floors, None).await.expect("raised");
    let incomplete = place.sql(&question("Which days are incomplete"));
    assert!(incomplete.starts_with("20170101"), "{incomplete}");
    index
        .forget(
            &ChunkKey::parse(&entries[5].key).expect("a key"),
            "unwanted",
            Timestamp::from_micros(1),
        )
        .await
        .expect("forgotten");
    let status = place.sql("SELECT status FROM highwater.chunks WHERE submission_date = '20170106'");
    assert_eq!(status, "forgotten");
}

#[tokio::test]
async fn bytes_by_channel_are_those_of_the_entries() {
    let Some(place) = TestDatabase::new() else { return };
    let index = place.index().await;
    let entries = over_months(2, 80);
    index.insert(&entries).await.expect("inserted");
    let answer = place.sql(&question("How many bytes"));
    assert!(!answer.is_empty());
    for line in answer.lines() {
        let mut cells = line.split('|');
        let channel = cells.next().expect("a channel");
        let bytes: u64 = cells.next().expect("bytes").parse().expect("a number");
        // What is no character is not printed by psql.
        let printed = |entry: &IndexEntry| {
            let value = entry.partition.get(Dimension::AppUpdateChannel);
            value.replace('\u{10ffff}', "")
        };
        let of_it = entries.iter().filter(|entry| printed(entry) == channel);
        assert_eq!(
            bytes,
            of_it.map(|entry| entry.stored_bytes).sum::<u64>(),
            "{channel:?}"
        );
    }
}

#[tokio::test]
async fn an_index_is_folded_into_the_aggregates_that_came_first_until_it_is_moved() {
    let Some(place) = TestDatabase::new() else { return };
    let (index, other) = (place.index().await, place.index().await);
    let [first, second] = [1, 2].map(|byte| Incarnation::from_bytes([byte; 16]));
    assert_eq!(other.folded_by().await.expect("an answer"), None);
    index.claim_folding(first).await.expect("nobody folds yet");
    assert_eq!(other.folded_by().await.expect("an answer"), Some(first));
    index.claim_folding(first).await.expect("started again");
    let error = other.claim_folding(second).await.expect_err("others fold");
    assert!(
        matches!(error, IndexError::FoldedElsewhere { by } if by == first),
        "{error}"
    );
    place.sql(&question("Which aggregates"));
    other.claim_folding(second).await.expect("it was moved");
    let error = index.claim_folding(first).await.expect_err("it was moved");
    assert!(error.to_string().contains(&second.to_string()), "{error}");
}

/// The same address with another user, who needs no password on the socket.
fn as_user(place: &TestDatabase, user: &str) -> PostgresSettings {
    let settings = place.settings();
    PostgresSettings {
        url: settings.url.replace("user=postgres", &format!("user={user}")),
        ..settings
    }
}

#[tokio::test]
async fn the_reader_reads_all_and_changes_nothing() {
    let Some(place) = TestDatabase::new() else { return };
    let index = place.index().await;
    let entries = over_months(3, 12);
    index.insert(&entries).await.expect("inserted");
    let user = format!("reader_of_{}", place.database);
    place.sql(&format!("CREATE ROLE {user} LOGIN IN ROLE highwater_reader"));
    let reader = PostgresIndex::open(as_user(&place, &user)).await.expect("opened");
    assert_eq!(reader.totals().await.expect("totals").chunks, 12);
    assert_eq!(
        reader
            .select(&Selection::default(), None, 99)
            .await
            .expect("selected")
            .len(),
        12
    );
    let error = reader.insert(&entries).await.expect_err("it may not");
    assert!(error.to_string().contains("docs/sql.md"), "{error}");
    let ask = format!("SET ROLE {user}; SELECT count(*) FROM highwater.chunks");
    assert_eq!(place.sql(&ask), "12");
    for forbidden in [
        "DELETE FROM highwater.chunks",
        "DELETE FROM highwater_index.pending",
        "SELECT highwater_index.make_month('209901')",
        "CREATE TABLE highwater.mine (n INT)",
    ] {
        let tried = place
            .server
            .try_sql(&place.database, &format!("SET ROLE {user}; {forbidden}"));
        assert!(
            tried.is_err_and(|error| error.contains("permission denied") || error.contains("cannot delete")),
            "{forbidden}"
        );
    }
}

#[tokio::test]
async fn a_role_that_may_only_insert_indexes_chunks_and_gets_new_months() {
    let Some(place) = TestDatabase::new() else { return };
    drop(place.index().await);
    let user = format!("writer_of_{}", place.database);
    let made = question("A role for who indexes").replace("highwater_writer", &user);
    place.sql(&made);
    let writer = PostgresIndex::open(as_user(&place, &user)).await.expect("opened");
    let entries = over_months(4, 12);
    assert_eq!(writer.insert(&entries).await.expect("inserted").added, 12);
    assert!(
        writer
            .note_unreadable("pings/v1/x.zst", "cut")
            .await
            .expect("noted")
    );
    let dropped = place.server.try_sql(
        &place.database,
        &format!("SET ROLE {user}; DROP TABLE highwater_index.chunk_201701"),
    );
    assert!(dropped.is_err_and(|error| error.contains("must be owner")));
}

#[tokio::test]
async fn who_may_make_no_roles_makes_the_schema_all_the_same() {
    let Some(place) = TestDatabase::alone() else {
        return;
    };
    place.sql("CREATE ROLE plain LOGIN");
    place.sql(&format!("GRANT CREATE ON DATABASE {} TO plain", place.database));
    let index = PostgresIndex::open(as_user(&place, "plain"))
        .await
        .expect("opened");
    assert_eq!(index.insert(&over_months(5, 6)).await.expect("inserted").added, 6);
    assert_eq!(
        place.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'highwater_reader'"),
        "0"
    );
}

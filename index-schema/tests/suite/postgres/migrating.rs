//! The schema: made by many at once, by one transaction, left alone where it is newer, and no obstacle to a program that
//! is older and running.

use index_schema::conformance::Dice;
use index_schema::{Index, IndexError, PostgresIndex};
use service::task;

use super::beside::over_months;
use super::test_database::TestDatabase;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_start_at_once_make_the_schema_once() {
    let Some(place) = TestDatabase::new() else { return };
    let opening: Vec<_> = (0..8)
        .map(|_| {
            task::spawn(
                "process",
                PostgresIndex::open(place.clone().with_pool(1).settings()),
            )
        })
        .collect();
    for opened in opening {
        let index = opened.await.expect("it ended").expect("opened");
        assert_eq!(index.totals().await.expect("totals").chunks, 0);
    }
    assert_eq!(
        place.sql("SELECT count(*), max(version) FROM highwater_index.schema_version"),
        "1|2"
    );
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_and_can_be_tried_again() {
    let Some(place) = TestDatabase::new() else { return };
    // The last part of it is in the way of nobody but itself.
    place.sql("CREATE SCHEMA highwater; CREATE TABLE highwater.channels (in_the_way INT)");
    let error = PostgresIndex::open(place.settings())
        .await
        .expect_err("something is in the way");
    assert!(error.to_string().contains("channels"), "{error}");
    assert_eq!(
        place.sql("SELECT to_regnamespace('highwater_index') IS NULL"),
        "t"
    );
    place.sql("DROP TABLE highwater.channels");
    let index = place.index().await;
    assert_eq!(
        index
            .insert(&Dice::new(1).entries(3))
            .await
            .expect("inserted")
            .added,
        3
    );
}

#[tokio::test]
async fn an_older_program_that_runs_survives_an_addition_and_one_that_starts_is_refused_with_words() {
    let Some(place) = TestDatabase::new() else { return };
    let running = place.index().await;
    let entries = over_months(1, 40);
    running.insert(&entries[..10]).await.expect("inserted");
    running
        .select(&index_schema::Selection::default(), None, 9)
        .await
        .expect("answered");
    // What a later migration may do.
    place.sql(
        "BEGIN; ALTER TABLE highwater_index.chunk ADD COLUMN erased TEXT; \
         CREATE INDEX ON highwater_index.chunk (doc_type); \
         CREATE TABLE highwater_index.later (n INT); \
         UPDATE highwater_index.schema_version SET version = 3; COMMIT",
    );
    assert_eq!(running.insert(&entries).await.expect("inserted").added, 30);
    assert_eq!(running.pending(99).await.expect("answered").len(), 40);
    assert_eq!(
        running
            .select(&index_schema::Selection::default(), None, 99)
            .await
            .expect("answered")
            .len(),
        40
    );
    let error = PostgresIndex::open(place.settings())
        .await
        .expect_err("it is newer");
    assert!(
        matches!(error, IndexError::Newer { found: 3, known: 2 }),
        "{error}"
    );
    assert!(error.to_string().contains("use a newer highwater"), "{error}");
}

#[tokio::test]
async fn a_database_of_the_first_version_gets_floors_of_sources_and_who_may_read_floors_may_read_them() {
    let Some(place) = TestDatabase::new() else { return };
    let first = place.index().await;
    first.insert(&Dice::new(1).entries(9)).await.expect("inserted");
    let before = first.totals().await.expect("totals");
    drop(first);
    place.sql(
        "BEGIN; DROP VIEW highwater.source_floors; DROP TABLE highwater_index.source_floor; \
         GRANT SELECT ON highwater_index.floor, highwater.floors TO PUBLIC; \
         UPDATE highwater_index.schema_version SET version = 1; COMMIT",
    );
    let index = place.index().await;
    assert_eq!(index.totals().await.expect("totals"), before);
    assert!(index.all_floors().await.expect("floors").sources.is_empty());
    for table in ["highwater_index.source_floor", "highwater.source_floors"] {
        let may = format!("SELECT has_table_privilege('pg_monitor', '{table}', 'SELECT')");
        assert_eq!(place.sql(&may), "t", "{table}");
    }
}

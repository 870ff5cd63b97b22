//! The schema: made by many at once, beside the index's, and left alone where it is newer.

use aggregate_store::{AggregateError, AggregateReads, PostgresAggregates, Status};
use service::task;

use crate::test_database::TestDatabase;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_start_at_once_make_the_schema_once() {
    let Some(place) = TestDatabase::new() else { return };
    let opening: Vec<_> = (0..8)
        .map(|_| task::spawn("process", PostgresAggregates::open(place.settings())))
        .collect();
    for opened in opening {
        let store = opened.await.expect("it ended").expect("opened");
        assert_eq!(store.status().await.expect("counters"), Status::default());
    }
    let version = "SELECT count(*), max(version) FROM highwater_aggregates.schema_version";
    assert_eq!(place.server.sql(&place.database, version), "1|5");
}

#[tokio::test]
async fn a_newer_schema_is_refused_with_words_and_left_alone() {
    let Some(place) = TestDatabase::new() else { return };
    drop(place.open().await);
    let newer = "UPDATE highwater_aggregates.schema_version SET version = 7";
    place.server.sql(&place.database, newer);
    let error = PostgresAggregates::open(place.settings())
        .await
        .expect_err("it is newer");
    assert!(matches!(error, AggregateError::Newer { found: 7, .. }), "{error}");
    assert!(error.to_string().contains("use a newer program"), "{error}");
}

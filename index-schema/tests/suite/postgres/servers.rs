//! Another server than before is noticed: a promoted standby, another cluster at the same address.

use std::time::Duration;

use index_schema::conformance::Dice;
use index_schema::{Index, PostgresIndex, PostgresSettings};
use postgres_for_tests::Stop;

use super::test_database::TestDatabase;

#[tokio::test]
async fn a_promotion_and_another_cluster_at_the_same_address_are_noticed_and_a_restart_is_not() {
    let Some(place) = TestDatabase::alone() else {
        return;
    };
    let settings = PostgresSettings {
        // Short, so that the first call after the promotion is not the one that waits for its end.
        connect_timeout: Duration::from_secs(60),
        ..place.settings()
    };
    let index = PostgresIndex::open(settings).await.expect("opened");
    let entries = Dice::new(1).entries(4);
    index.insert(&entries).await.expect("inserted");
    let first = index.server();
    assert_eq!((first.identity.timeline, first.changes), (1, 0));
    assert_ne!(first.identity.system, 0);

    place.server.stop(Stop::Immediate);
    place.server.start_again();
    index.totals().await.expect("totals");
    assert_eq!(index.server(), first);

    place.server.stop(Stop::Fast);
    place.server.promote();
    assert_eq!(index.totals().await.expect("totals").chunks, 4);
    let promoted = index.server_changed(0).await;
    assert_eq!(promoted, index.server());
    assert_eq!((promoted.identity.timeline, promoted.changes), (2, 1));
    assert_eq!(promoted.identity.system, first.identity.system);

    place.server.stop(Stop::Fast);
    place.server.replace();
    place
        .server
        .sql("postgres", &format!("CREATE DATABASE {}", place.database));
    let error = index.totals().await.expect_err("it is empty");
    assert!(error.to_string().contains("lacks tables"), "{error}");
    let other = index.server_changed(1).await;
    assert_eq!(other.changes, 2);
    assert_ne!(other.identity.system, first.identity.system);
    drop(place.index().await);
    assert_eq!(index.insert(&entries).await.expect("inserted").added, 4);
}

#[tokio::test]
async fn a_database_that_was_dropped_and_made_again_is_another_one() {
    let Some(place) = TestDatabase::new() else { return };
    let index = place.index().await;
    let before = index.server();
    place.server.sql(
        "postgres",
        &format!("DROP DATABASE {0} WITH (FORCE)", place.database),
    );
    place
        .server
        .sql("postgres", &format!("CREATE DATABASE {}", place.database));
    drop(place.index().await);
    index.totals().await.expect("totals");
    let after = index.server_changed(before.changes).await;
    assert_eq!(after.identity.system, before.identity.system);
    assert_ne!(after.identity.database, before.identity.database);
}

#[tokio::test]
async fn a_server_that_tells_little_of_itself_can_be_used() {
    let Some(place) = TestDatabase::alone() else {
        return;
    };
    place.sql("REVOKE ALL ON FUNCTION pg_control_system() FROM PUBLIC; CREATE ROLE plain LOGIN SUPERUSER");
    place.sql(&format!(
        "GRANT CREATE ON DATABASE {} TO PUBLIC; ALTER ROLE plain NOSUPERUSER",
        place.database
    ));
    let settings = PostgresSettings {
        url: place
            .server
            .url(&place.database)
            .replace("user=postgres", "user=plain"),
        ..place.settings()
    };
    let index = PostgresIndex::open(settings).await.expect("opened");
    assert_eq!((index.server().identity.system, index.server().changes), (0, 0));
    assert_eq!(
        index
            .insert(&Dice::new(2).entries(2))
            .await
            .expect("inserted")
            .added,
        2
    );
}

#[tokio::test]
async fn a_standby_is_refused_with_words() {
    let Some(place) = TestDatabase::alone() else {
        return;
    };
    place.server.stop(Stop::Fast);
    place.server.start_standby();
    let settings = PostgresSettings {
        connect_timeout: Duration::from_millis(300),
        ..place.settings()
    };
    let error = loop {
        let refused = PostgresIndex::open(settings.clone()).await;
        let error = refused.expect_err("it is a standby").to_string();
        // On a busy machine it may not answer in time.
        if !error.contains("is it running") {
            break error;
        }
    };
    assert!(error.contains("name the primary"), "{error}");
}

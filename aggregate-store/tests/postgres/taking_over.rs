//! What the tables of version 1 hold becomes one source among others, and nothing of it is lost.

use aggregate_store::conformance::{any_additions, any_cell_query, cell_batch, dump_of, sources};
use aggregate_store::{
    AggregateError, AggregateReads, AggregateStore, Batch, Below, Bounds, CellKey, CellQuery, Committed,
    Counters, Days, DeletePlace, Flip, Flipped, PostgresAggregates, RebuildWish, Rebuilds, RetainAggregates,
    SqliteAggregates, USER_DIMENSIONS,
};
use ping::{OTHER, UNKNOWN};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestRunner};
use service::task;
use sketch::{Cell, UserSketch, coupon_of};

use crate::dice::{Dice, seeds};
use crate::history;
use crate::test_database::TestDatabase;
use crate::{version_1, version_2, version_3};

struct World {
    /// What version 1 could hold, and what it could not.
    old: Batch,
    new: Batch,
    queries: Vec<CellQuery>,
}

impl World {
    fn drawn(dice: &mut Dice, seed: u64) -> Self {
        let config = Config {
            rng_algorithm: RngAlgorithm::ChaCha,
            rng_seed: RngSeed::Fixed(seed),
            ..Config::default()
        };
        let mut runner = TestRunner::new(config);
        let additions = proptest::collection::vec(any_additions(), 5..8).new_tree(&mut runner);
        let additions = additions.expect("drawn").current().concat();
        let queries = proptest::collection::vec(any_cell_query(), 20).new_tree(&mut runner);
        let is_old = |(key, _): &&(CellKey, Cell)| *key.dimensions.source() == sources()[0];
        let old: Vec<_> = additions.iter().filter(is_old).cloned().collect();
        Self {
            old: with_users(dice, &old),
            new: with_users(dice, &additions),
            queries: queries.expect("drawn").current(),
        }
    }
}

/// These cells, with users of the same sets; of some the ping stated no application, of some nothing at all.
fn with_users(dice: &mut Dice, additions: &[(CellKey, Cell)]) -> Batch {
    let mut batch = cell_batch(additions);
    for (key, _) in additions {
        let mut users = UserSketch::new();
        users.extend((0..dice.below(40)).filter_map(|client| coupon_of(&client.to_string())));
        let kept = &USER_DIMENSIONS[dice.index(5)..];
        batch.users.push((key.dimensions.projected(kept), users));
    }
    batch
}

async fn commit<S: AggregateStore + ?Sized>(store: &S, batch: &Batch) {
    let committed = store.commit(batch.clone()).await;
    assert_eq!(committed.expect("written"), Committed::Written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tables_of_version_1_become_a_source_and_what_is_written_then_meets_it() {
    let Some(first) = TestDatabase::new() else { return };
    for seed in seeds() {
        let place = TestDatabase::on(first.server.clone());
        let mut dice = Dice::new(seed);
        let World { old, new, queries } = World::drawn(&mut dice, seed);
        let folder = tempfile::tempdir().expect("a folder");
        let oracle = SqliteAggregates::open(&folder.path().join("oracle")).expect("opened");
        commit(&oracle, &old).await;
        let lines = dump_of(&oracle).await;
        assert!(lines.iter().any(|line| line.contains(UNKNOWN)));
        version_1::fill(&place, &lines);
        let cells = "SELECT pg_relation_filenode('highwater_aggregates.cell')";
        let before = place.server.sql(&place.database, cells);
        let opening: Vec<_> = (0..4)
            .map(|_| task::spawn("process", PostgresAggregates::open(place.settings())))
            .collect();
        let mut stores = Vec::new();
        for opened in opening {
            stores.push(opened.await.expect("it ended").expect("opened"));
        }
        let store = &*stores[0];
        assert_eq!(
            place.server.sql(&place.database, cells),
            before,
            "cells stay as they are"
        );
        assert_eq!(
            history::image(store, &queries).await,
            history::image(&oracle, &queries).await
        );
        for store in [store as &dyn AggregateStore, &oracle] {
            commit(store, &new).await;
        }
        assert_eq!(
            history::image(store, &queries).await,
            history::image(&oracle, &queries).await
        );
        delete_all(store).await;
        assert_eq!(dump_of(store).await, Vec::<String>::new());
        let left = "SELECT (SELECT count(*) FROM highwater_aggregates.dimension_set) \
             + (SELECT count(*) FROM highwater_aggregates.listing)";
        assert_eq!(place.server.sql(&place.database, left), "0");
    }
}

/// What the program of version 2 ran in each transaction in which it wrote a batch.
const BATCH_OF_VERSION_2: &str =
    "DELETE FROM highwater_aggregates.counter WHERE value = 0 AND kind <> 'counter'";

#[tokio::test]
async fn tables_of_version_2_keep_all_and_one_source_is_rebuilt_alone_once_everything_was() {
    let Some(place) = TestDatabase::new() else { return };
    let World { old, new, queries } = World::drawn(&mut Dice::new(3), 3);
    let folder = tempfile::tempdir().expect("a folder");
    let oracle = SqliteAggregates::open(&folder.path().join("oracle")).expect("opened");
    commit(&oracle, &old).await;
    version_1::fill(&place, &dump_of(&oracle).await);
    version_2::make_of_version_1(&place);
    version_2::fill_rows(&place);
    let sql = |statement: &str| place.server.try_sql(&place.database, statement);
    assert!(sql(BATCH_OF_VERSION_2).is_ok());
    let store = place.open().await;
    sql(BATCH_OF_VERSION_2).expect_err("who does not count by source writes nothing");
    assert_eq!(dump_of(&*store).await, dump_of(&oracle).await);
    assert_eq!(store.status().await.expect("counters").counters.folded, 7);
    assert_eq!(store.folded_ids(None, 9).await.expect("chunks").len(), 1);
    let errored = store.errored(None, 9).await.expect("rows");
    let of: Vec<&str> = errored.iter().map(|row| row.source.as_str()).collect();
    assert_eq!(of, [OTHER], "nobody said where it came from");
    for store in [&*store as &dyn AggregateStore, &oracle] {
        commit(store, &new).await;
    }
    assert_eq!(
        lines_of(&*store, &queries).await,
        lines_of(&oracle, &queries).await
    );
    let one = RebuildWish {
        source: Some("telemetry/main".to_owned()),
        days: Days::ALL,
        rules: None,
        version: None,
    };
    let refused = store
        .begin_rebuild(&one)
        .await
        .expect_err("its share is not known");
    assert!(matches!(refused, AggregateError::NotCountedBySource), "{refused}");
    assert!(
        !store
            .adopt_rules(&sources()[1], "rules")
            .await
            .expect("an answer")
    );
    let all = RebuildWish {
        source: None,
        ..one.clone()
    };
    let flip = Flip {
        epoch: store.begin_rebuild(&all).await.expect("begun").epoch,
        days: Days::ALL,
        fences: Vec::new(),
        accounted: None,
    };
    assert_eq!(
        store.put_into_use(&flip).await.expect("an answer"),
        Flipped::InUse
    );
    assert_eq!(
        store.status().await.expect("counters").counters,
        Counters::default()
    );
    assert_eq!(store.errored(None, 9).await.expect("rows"), []);
    store.begin_rebuild(&one).await.expect("now it is");
}

#[tokio::test]
async fn tables_of_version_3_keep_all_and_a_program_of_that_version_that_still_runs_goes_on() {
    let Some(place) = TestDatabase::new() else { return };
    let World { old, new, queries } = World::drawn(&mut Dice::new(4), 4);
    let folder = tempfile::tempdir().expect("a folder");
    let oracle = SqliteAggregates::open(&folder.path().join("oracle")).expect("opened");
    commit(&oracle, &old).await;
    version_1::fill(&place, &dump_of(&oracle).await);
    version_2::make_of_version_1(&place);
    version_3::make_of_version_2(&place);
    let sql = |statement: &str| place.server.sql(&place.database, statement);
    sql(version_3::WRITE);
    let store = place.open().await;
    assert_eq!(
        lines_of(&*store, &queries).await,
        lines_of(&oracle, &queries).await
    );
    sql(version_3::WRITE);
    for store in [&*store as &dyn AggregateStore, &oracle] {
        commit(store, &new).await;
    }
    sql(version_3::WRITE);
    assert_eq!(
        lines_of(&*store, &queries).await,
        lines_of(&oracle, &queries).await
    );
}

/// What is there of cells and users.
async fn lines_of<S: AggregateStore + ?Sized>(store: &S, queries: &[CellQuery]) -> Vec<String> {
    let mut all = dump_of(store).await;
    for query in queries {
        let series = store.series(query, Bounds::NONE).await.expect("series");
        all.push(format!("{series:?}"));
    }
    all
}

async fn delete_all(store: &PostgresAggregates) {
    let below = Below {
        aggregates: Some("20300101".parse().expect("a day")),
        ..Below::default()
    };
    let mut at = Some(DeletePlace::default());
    while let Some(place) = at {
        at = store.delete_below(&below, place).await.expect("deleted").next;
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_all_to_the_older_program_and_one_that_does_not_leaves_it_nothing() {
    let Some(place) = TestDatabase::new() else { return };
    let World { old, .. } = World::drawn(&mut Dice::new(1), 1);
    let folder = tempfile::tempdir().expect("a folder");
    let oracle = SqliteAggregates::open(&folder.path().join("oracle")).expect("opened");
    commit(&oracle, &old).await;
    let lines = dump_of(&oracle).await;
    version_1::fill(&place, &lines);
    let sql = |statement: &str| place.server.try_sql(&place.database, statement);
    // It is made at the end, when most is done.
    sql("CREATE TABLE highwater_aggregates.union_value (odd INTEGER)").expect("made");
    PostgresAggregates::open(place.settings())
        .await
        .expect_err("its name is taken");
    let of_older =
        "SELECT s.e10s, u.os FROM highwater_aggregates.dimension_set s, highwater_aggregates.users u LIMIT 0";
    assert_eq!(sql(of_older), Ok(String::new()));
    let version = "SELECT version FROM highwater_aggregates.schema_version";
    assert_eq!(sql(version), Ok("1".to_owned()));
    sql("DROP TABLE highwater_aggregates.union_value").expect("dropped");
    let store = place.open().await;
    assert_eq!(dump_of(&*store).await, lines);
    assert!(sql(of_older).is_err());
}

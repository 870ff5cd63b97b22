//! Rebuilds where several processes write and ask.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aggregate_store::conformance::{Oracle, any_additions, cell_batch, chunk_id, dump_of, folded_chunk};
use aggregate_store::{
    AggregateError, AggregateReads, AggregateStore, Batch, Bounds, CellKey, CellQuery, Committed, Counters,
    Days, Flip, Flipped, Lease, Leases, PostgresAggregates, PostgresSettings, RebuildWish, Rebuilds, Source,
    SourceCounts,
};
use ping::OTHER;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use service::task;
use sketch::Cell;
use tokio::sync::mpsc;

use crate::test_database::TestDatabase;

/// Long enough for any test.
const LONG: Duration = Duration::from_secs(3_600);

type Additions = Vec<(CellKey, Cell)>;

fn additions() -> Additions {
    let mut runner = TestRunner::deterministic();
    let tree = proptest::collection::vec(any_additions(), 10).new_tree(&mut runner);
    tree.expect("samples can be drawn").current().concat()
}

fn everything(days: Days) -> RebuildWish {
    RebuildWish {
        source: None,
        days,
        rules: None,
        version: None,
    }
}

async fn begin(store: &PostgresAggregates, days: Days) -> u32 {
    store.begin_rebuild(&everything(days)).await.expect("begun").epoch
}

async fn flip(store: &PostgresAggregates, epoch: u32, days: Days, fences: Vec<Lease>) -> Flipped {
    let flip = Flip {
        epoch,
        days,
        fences,
        accounted: None,
    };
    store.put_into_use(&flip).await.expect("an answer")
}

async fn commit(store: &PostgresAggregates, batch: Batch) -> Committed {
    store.commit(batch).await.expect("an answer")
}

/// A batch of a chunk, with these cells in an epoch.
fn batch(additions: &[(CellKey, Cell)], plan: u64, epoch: u32) -> Batch {
    let placed = additions.iter().map(|(key, cell)| {
        let dimensions = key.dimensions.clone().in_epoch(epoch);
        (
            CellKey {
                dimensions,
                ..key.clone()
            },
            cell.clone(),
        )
    });
    let placed: Additions = placed.collect();
    Batch {
        chunks: vec![folded_chunk(chunk_id(1, 1, plan))],
        ..cell_batch(&placed)
    }
}

#[tokio::test]
async fn a_batch_folded_before_another_process_put_a_rebuild_into_use_is_outdated() {
    let Some(place) = TestDatabase::new() else { return };
    let (one, other) = (place.open().await, place.open().await);
    let additions = additions();
    let late = batch(&additions, 1, 0);
    let epoch = begin(&other, Days::ALL).await;
    assert_eq!(flip(&other, epoch, Days::ALL, Vec::new()).await, Flipped::InUse);
    assert_eq!(commit(&one, late).await, Committed::Outdated);
    assert_eq!(dump_of(&*one).await, Vec::<String>::new());
    let again = Batch {
        epochs: one.epochs().await.expect("answered").number,
        ..batch(&additions, 1, epoch)
    };
    assert_eq!(commit(&one, again).await, Committed::Written);
    assert!(!dump_of(&*other).await.is_empty());
}

#[tokio::test]
async fn a_flip_whose_shard_was_claimed_is_outdated_and_changes_nothing() {
    let Some(place) = TestDatabase::new() else { return };
    let (one, other) = (place.open().await, place.open().await);
    let leases = one.renew([1; 16], LONG).await.expect("leases");
    let additions = additions();
    assert_eq!(commit(&one, batch(&additions, 1, 0)).await, Committed::Written);
    let before = dump_of(&*one).await;
    let epoch = begin(&one, Days::ALL).await;
    let _ = other.renew([2; 16], LONG).await.expect("leases");
    // The first gives the other's share up, which claims it then.
    let _ = one.renew([1; 16], LONG).await.expect("leases");
    let theirs = other.renew([2; 16], LONG).await.expect("leases");
    assert!(!theirs.is_empty());
    assert_eq!(
        flip(&one, epoch, Days::ALL, leases.clone()).await,
        Flipped::Outdated
    );
    assert_eq!(one.epochs().await.expect("answered").number, 0);
    assert_eq!(one.rebuilds().await.expect("one").len(), 1);
    assert_eq!(dump_of(&*one).await, before);
    let mut now = one.renew([1; 16], LONG).await.expect("leases");
    now.extend(theirs);
    assert_eq!(now.len(), leases.len(), "all of them");
    assert_eq!(flip(&one, epoch, Days::ALL, now).await, Flipped::InUse);
    assert_eq!(dump_of(&*one).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flip_waits_for_the_batch_that_is_being_written() {
    let Some(place) = TestDatabase::new() else { return };
    let (one, other) = (place.open().await, place.open().await);
    let additions = additions();
    let epoch = begin(&other, Days::ALL).await;
    let (sender, parts) = mpsc::channel(1);
    let writing = task::spawn("writer", {
        let one = Arc::clone(&one);
        async move { one.commit_parts(parts).await }
    });
    let part = || Batch {
        chunks: Vec::new(),
        ..batch(&additions, 1, 0)
    };
    for _ in 0..3 {
        // The second has room once the first was taken, behind the gate.
        sender.send(part()).await.expect("received");
    }
    let flipping = task::spawn("flipper", {
        let other = Arc::clone(&other);
        async move { flip(&other, epoch, Days::ALL, Vec::new()).await }
    });
    let last = batch(&[], 1, 0);
    sender.send(last).await.expect("received");
    assert_eq!(
        writing.await.expect("it ended").expect("an answer"),
        Committed::Written
    );
    assert_eq!(flipping.await.expect("it ended"), Flipped::InUse);
    assert_eq!(
        dump_of(&*one).await,
        Vec::<String>::new(),
        "the rebuild had nothing"
    );
}

/// Each rebuild folds the same as what it replaces, on all days or from one on, and what it replaced is removed at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_asks_while_rebuilds_come_and_go_is_answered_from_one_moment() {
    let Some(place) = TestDatabase::new() else { return };
    let (one, other) = (place.open().await, place.open().await);
    let additions = additions();
    assert_eq!(commit(&one, batch(&additions, 1, 0)).await, Committed::Written);
    let metrics = one.metrics(&Source::telemetry_main(), None, 99).await;
    let queries: Vec<CellQuery> = metrics
        .expect("metrics")
        .into_iter()
        .map(|metric| CellQuery {
            metric: metric.metric,
            label: None,
            processes: None,
            source: Source::telemetry_main(),
            filters: Vec::new(),
            group_by: Vec::new(),
            by_process: false,
        })
        .collect();
    assert!(!queries.is_empty());
    let image = async |store: &PostgresAggregates| {
        let mut all = Vec::new();
        for query in &queries {
            let series = store.series(query, Bounds::NONE).await.expect("series");
            all.push(format!("{series:?}"));
            let about = store.about(&query.source).await.expect("about");
            all.push(format!("{about:?}"));
        }
        all.extend(dump_of(store).await);
        all
    };
    let expected = image(&one).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let rebuilding = task::spawn("rebuilder", {
        let (additions, is_over) = (additions.clone(), Arc::clone(&is_over));
        async move {
            let first_days = additions.iter().map(|(key, _)| key.dimensions.submission_date());
            let mut first_days: Vec<_> = first_days.collect();
            first_days.sort_unstable();
            first_days.dedup();
            let first_days = first_days.into_iter().map(Some).chain([None]);
            for (epochs, first) in (0..).zip(first_days.cycle().take(8)) {
                let days = Days { first, last: None };
                let epoch = begin(&other, days).await;
                let of_days: Additions = additions
                    .iter()
                    .filter(|(key, _)| days.hold(key.dimensions.submission_date()))
                    .cloned()
                    .collect();
                let anew = Batch {
                    rebuild: Some(epoch),
                    epochs,
                    ..batch(&of_days, 1, epoch)
                };
                assert_eq!(commit(&other, anew).await, Committed::Written);
                assert_eq!(flip(&other, epoch, days, Vec::new()).await, Flipped::InUse);
                while other.remove_unused().await.expect("removed") {}
            }
            is_over.store(true, Ordering::SeqCst);
        }
    });
    let mut asked = 0;
    while !is_over.load(Ordering::SeqCst) {
        assert_eq!(image(&one).await, expected);
        asked += 1;
        assert!(
            !rebuilding.is_finished() || is_over.load(Ordering::SeqCst),
            "it failed"
        );
    }
    rebuilding.await.expect("it ended");
    assert_eq!(image(&one).await, expected);
    println!("asked {asked} times");
}

/// The connection of a question that failed in the middle of its transaction is given to the next one.
#[tokio::test]
async fn who_asks_after_a_question_failed_is_answered_from_a_moment_of_its_own() {
    let Some(place) = TestDatabase::new() else { return };
    let settings = PostgresSettings {
        pool_size: 1,
        ..place.settings()
    };
    let one = PostgresAggregates::open(settings).await.expect("opened");
    let other = place.open().await;
    let additions = additions();
    assert_eq!(commit(&other, batch(&additions, 1, 0)).await, Committed::Written);
    let source = additions[0].0.dimensions.source().clone();
    let query = CellQuery {
        metric: additions[0].0.metric.clone(),
        label: None,
        processes: None,
        source: source.clone(),
        filters: Vec::new(),
        group_by: Vec::new(),
        by_process: false,
    };
    // Of two epochs, so that it asks twice.
    let days = Days {
        first: Some("20400101".parse().expect("a day")),
        last: None,
    };
    let epoch = begin(&other, days).await;
    assert_eq!(flip(&other, epoch, days, Vec::new()).await, Flipped::InUse);
    let sql = |statement: &str| place.server.sql(&place.database, statement);
    sql("ALTER TABLE highwater_aggregates.cell RENAME COLUMN value TO odd");
    for _ in 0..3 {
        one.series(&query, Bounds::NONE)
            .await
            .expect_err("no such column");
    }
    sql("ALTER TABLE highwater_aggregates.cell RENAME COLUMN odd TO value");
    sql("CREATE TABLE whole AS SELECT * FROM highwater_aggregates.cell; \
         UPDATE highwater_aggregates.cell SET value = '\\xff'");
    let damaged = one.series(&query, Bounds::NONE).await.expect_err("it is damaged");
    assert!(matches!(damaged, AggregateError::Damaged(_)), "{damaged}");
    sql(
        "UPDATE highwater_aggregates.cell c SET value = w.value FROM whole w \
         WHERE (c.dimension_set, c.metric, c.process, c.label, c.layout) \
         = (w.dimension_set, w.metric, w.process, w.label, w.layout)",
    );
    let more = Batch {
        epochs: 1,
        ..batch(&additions, 2, 0)
    };
    assert_eq!(commit(&other, more).await, Committed::Written);
    let twice: Additions = [additions.clone(), additions].concat();
    let series = one.series(&query, Bounds::NONE).await.expect("series");
    assert_eq!(series.rows, Oracle::of(&twice).series(&query));
}

#[tokio::test]
async fn sources_beyond_those_that_are_counted_by_name_are_counted_as_others() {
    // And one that every table knows.
    const MAX: usize = 9_999;
    let Some(place) = TestDatabase::new() else { return };
    let store = place.open().await;
    let day = folded_chunk(chunk_id(1, 1, 1)).submission_date;
    let one = SourceCounts {
        counters: Counters {
            stored_only: 1,
            ..Counters::default()
        },
        ..SourceCounts::default()
    };
    let name = |number: usize| Source::named(&format!("a/{number:05}"));
    let count = async |plan: u64, numbers: std::ops::Range<usize>| {
        let by_source: BTreeMap<_, _> = numbers.map(|number| ((name(number), day), one.clone())).collect();
        let batch = Batch {
            chunks: vec![folded_chunk(chunk_id(1, 1, plan))],
            by_source,
            ..Batch::default()
        };
        assert_eq!(commit(&store, batch).await, Committed::Written);
    };
    count(1, 0..MAX - 2).await;
    count(2, MAX - 5..MAX + 5).await;
    count(3, MAX + 1..MAX + 2).await;
    let listed = store.source_pings(usize::MAX).await.expect("counts").values;
    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    for number in (0..MAX - 2).chain(MAX - 5..MAX + 5).chain(MAX + 1..MAX + 2) {
        let name = match number < MAX {
            true => name(number).as_str().to_owned(),
            false => OTHER.to_owned(),
        };
        *expected.entry(name).or_default() += 1;
    }
    let listed: BTreeMap<String, i64> = listed
        .into_iter()
        .map(|pings| (pings.source.as_str().to_owned(), pings.counters.stored_only))
        .collect();
    assert_eq!(listed, expected);
}

/// What some days or one source count is not known of aggregates that an older program began.
#[tokio::test]
async fn some_days_of_all_are_not_folded_anew_where_nobody_knows_what_they_count() {
    let Some(place) = TestDatabase::new() else { return };
    let store = place.open().await;
    let five = Counters {
        folded: 5,
        ..Counters::default()
    };
    let old = Batch {
        chunks: vec![folded_chunk(chunk_id(1, 1, 1))],
        counters: five,
        ..Batch::default()
    };
    assert_eq!(commit(&store, old).await, Committed::Written);
    let all = begin(&store, Days::ALL).await;
    let sql = |statement: &str| place.server.sql(&place.database, statement);
    sql("UPDATE highwater_aggregates.about SET counted_by_source = FALSE");
    let some = Days {
        first: Some("20150603".parse().expect("a day")),
        last: None,
    };
    let refused = store.begin_rebuild(&everything(some)).await.expect_err("refused");
    assert!(matches!(refused, AggregateError::NotCountedByDay), "{refused}");
    assert!(
        refused.to_string().contains("highwater rebuild --forget-older"),
        "{refused}"
    );
    // A floor may rise while everything is folded anew.
    let flip_of = |days| Flip {
        epoch: all,
        days,
        fences: Vec::new(),
        accounted: None,
    };
    let refused = store.put_into_use(&flip_of(some)).await.expect_err("refused");
    assert!(matches!(refused, AggregateError::NotCountedByDay), "{refused}");
    assert_eq!(store.status().await.expect("counters").counters, five);
    assert_eq!(
        store.put_into_use(&flip_of(Days::ALL)).await.expect("an answer"),
        Flipped::InUse
    );
    begin(&store, some).await;
}

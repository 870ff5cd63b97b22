//! Rebuilds over what an older program began, and what else only a file can be made to hold.

use rusqlite::Connection;

use super::tests::{commit, file, folder, open};
use crate::conformance::{chunk_id, folded_chunk};
use crate::{
    AggregateError, AggregateReads, Batch, Counters, Days, Flip, Flipped, RebuildWish, Rebuilds, Source,
    SourceCounts, SqliteAggregates,
};

fn wish(source: Option<&str>, days: Days) -> RebuildWish {
    RebuildWish {
        source: source.map(str::to_owned),
        days,
        rules: None,
        version: None,
    }
}

fn flip(epoch: u32, days: Days) -> Flip {
    Flip {
        epoch,
        days,
        fences: Vec::new(),
        accounted: None,
    }
}

fn folded(pings: i64) -> Counters {
    Counters {
        folded: pings,
        ..Counters::default()
    }
}

fn stored_only(pings: i64) -> SourceCounts {
    SourceCounts {
        counters: Counters {
            stored_only: pings,
            ..Counters::default()
        },
        ..SourceCounts::default()
    }
}

async fn begin(store: &SqliteAggregates, wish: &RebuildWish) -> u32 {
    store.begin_rebuild(wish).await.expect("begun").epoch
}

async fn put(store: &SqliteAggregates, epoch: u32) {
    let flipped = store.put_into_use(&flip(epoch, Days::ALL)).await;
    assert_eq!(flipped.expect("an answer"), Flipped::InUse);
}

#[tokio::test]
async fn some_days_of_all_are_not_folded_anew_where_nobody_knows_what_they_count() {
    let folder = folder();
    let store = open(&file(&folder));
    let old = Batch {
        chunks: vec![folded_chunk(chunk_id(1, 1, 1))],
        counters: folded(5),
        ..Batch::default()
    };
    commit(&store, old).await;
    let all = begin(&store, &wish(None, Days::ALL)).await;
    let beside = Connection::open(file(&folder)).expect("it opens");
    beside
        .execute(
            "UPDATE meta SET value = 'no' WHERE name = 'counted_by_source'",
            [],
        )
        .expect("an older program's");
    let some = Days {
        first: Some("20150603".parse().expect("a day")),
        last: None,
    };
    let refused = store.begin_rebuild(&wish(None, some)).await.expect_err("refused");
    assert!(matches!(refused, AggregateError::NotCountedByDay), "{refused}");
    // A floor may rise while everything is folded anew.
    let refused = store.put_into_use(&flip(all, some)).await.expect_err("refused");
    assert!(matches!(refused, AggregateError::NotCountedByDay), "{refused}");
    assert_eq!(store.status().await.expect("counters").counters, folded(5));
    put(&store, all).await;
    begin(&store, &wish(None, some)).await;
}

#[tokio::test]
async fn what_is_counted_of_deleted_days_stays_when_everything_is_folded_anew() {
    let folder = folder();
    let store = open(&file(&folder));
    let beside = Connection::open(file(&folder)).expect("it opens");
    let source = "(SELECT id FROM source WHERE name = 'telemetry/main')";
    let deleted = format!(
        "INSERT OR IGNORE INTO source (name, epoch) VALUES ('telemetry/main', 0);
         INSERT INTO count_by_day (source, submission_date, folded, repeated, stored_only, errored_pings)
         VALUES ({source}, 0, 3, 0, 0, 0);"
    );
    beside.execute_batch(&deleted).expect("counted");
    let epoch = begin(&store, &wish(None, Days::ALL)).await;
    put(&store, epoch).await;
    assert_eq!(store.status().await.expect("counters").counters, folded(3));
}

/// Pings of sources beyond those that are counted by name are told from the others' in use, and from nothing that was given up.
#[tokio::test]
async fn what_comes_to_light_is_taken_from_no_rebuild_that_was_given_up() {
    let folder = folder();
    let store = open(&file(&folder));
    let day = folded_chunk(chunk_id(1, 1, 1)).submission_date;
    let other = Source::named(ping::OTHER);
    // The one that is given up comes first, as the rows of sources lie.
    let given_up = begin(&store, &wish(Some(ping::OTHER), Days::ALL)).await;
    let of_others = |epoch: u32, plan: u64| Batch {
        chunks: vec![folded_chunk(chunk_id(1, 1, plan))],
        by_source: [((other.in_epoch(epoch), day), stored_only(10))].into(),
        counters: if epoch == 0 {
            stored_only(10).counters
        } else {
            Counters::default()
        },
        rebuild: (epoch > 0).then_some(epoch),
        ..Batch::default()
    };
    commit(&store, of_others(given_up, 1)).await;
    store.give_up_rebuild(given_up).await.expect("given up");
    commit(&store, of_others(0, 1)).await;
    let late = begin(&store, &wish(Some("a/late"), Days::ALL)).await;
    let anew = Batch {
        chunks: vec![folded_chunk(chunk_id(1, 1, 1))],
        by_source: [(
            (Source::named("a/late").in_epoch(late), day),
            SourceCounts {
                counters: folded(4),
                ..SourceCounts::default()
            },
        )]
        .into(),
        rebuild: Some(late),
        ..Batch::default()
    };
    commit(&store, anew).await;
    put(&store, late).await;
    let listed = store.source_pings(9).await.expect("counts").values;
    let others = listed
        .iter()
        .find(|pings| pings.source == other)
        .expect("they are there");
    assert_eq!(others.counters.stored_only, 6, "{listed:?}");
}

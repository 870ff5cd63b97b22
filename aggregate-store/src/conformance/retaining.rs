//! Deletion by date: what is left is what a store has that never knew the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ping::{DocumentKey, Incarnation, RecordId, SubmissionDate};
use sketch::{Cell, UserSketch, coupon_of};
use tokio::runtime::Builder;

use super::law::check;
use super::listed::lists;
use super::retaining_sources::what_is_left_of_other_sources_and_days_is_as_it_was;
use super::{any_additions, asked, cell_batch, chunk_id, dump_of};
use crate::{
    AggregateError, AggregateStore, Batch, Below, CellKey, CellQuery, Committed, DayBytes, DeletePlace,
    Dimension, DimensionSet, ErroredRow, FoldedChunk, RetainAggregates, SeenRow, Source,
};

/// The law of deletion. `make` gives a new, empty store at each call; it is called on a runtime of this function.
pub fn every_back_end_deletes_by_date<S: AggregateStore + RetainAggregates>(make: impl AsyncFn() -> Arc<S>) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a test machine has a thread to give");
    check(
        &runtime,
        &(any_additions(), 0..=DAYS.len()),
        async |(additions, from)| {
            let (store, other) = (make().await, make().await);
            what_is_left_is_as_if_the_rest_was_never_there(store, other, additions, from).await;
        },
    );
    check(
        &runtime,
        &(any_additions(), 0..=DAYS.len()),
        async |(additions, from)| {
            let (store, other) = (make().await, make().await);
            let floor = DAYS
                .get(from)
                .map_or_else(|| day(20_200_101), |number| day(*number));
            what_is_left_of_other_sources_and_days_is_as_it_was(&*store, &*other, &additions, floor).await;
        },
    );
    runtime.block_on(async {
        each_part_goes_below_its_own_day(&*make().await).await;
        rows_outlive_the_chunk_of_errors_that_they_name(&*make().await).await;
    });
}

const DAYS: [u32; 3] = [20_150_602, 20_150_603, 20_161_231];

fn day(number: u32) -> SubmissionDate {
    SubmissionDate::from_yyyymmdd(number).expect("a day")
}

fn document(number: u32) -> DocumentKey {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    DocumentKey::from_bytes(bytes)
}

/// Everything that folding a chunk of this day writes.
fn batch_of(number: u32, additions: &[(CellKey, Cell)], errors: bool) -> Batch {
    let date = day(number);
    let of_day: Vec<_> = additions
        .iter()
        .filter(|(key, _)| key.dimensions.submission_date() == date)
        .cloned()
        .collect();
    let id = chunk_id(1, u64::from(errors), u64::from(number));
    let record = RecordId {
        incarnation: Incarnation::from_bytes([3; 16]),
        sequence: u64::from(number),
    };
    let folder = if errors { "errors/" } else { "" };
    let chunk = FoldedChunk {
        id,
        key: format!("pings/{folder}v1/submission_date={date}/{id}.zst"),
        submission_date: date,
        records: 1,
    };
    if errors {
        return Batch {
            chunks: vec![chunk],
            ..Batch::default()
        };
    }
    let mut users = UserSketch::default();
    users.insert(coupon_of(&number.to_string()).expect("a coupon"));
    let values = [
        (Dimension::APPLICATION, "Firefox"),
        (Dimension::CHANNEL, "esr"),
        (Dimension::VERSION, "41"),
        (Dimension::OS, "Linux"),
    ];
    let user_set = DimensionSet::stating(Source::telemetry_main(), date, &values);
    Batch {
        chunks: vec![chunk],
        users: vec![(user_set, users)],
        seen: vec![SeenRow {
            key: document(number),
            received: date.start(),
            record,
            chunk: id,
            position: 0,
            counted: true,
        }],
        errored: vec![ErroredRow {
            source: Source::telemetry_main(),
            record,
            submission_date: date,
            chunk: id,
            position: 1,
            reason: "odd".to_owned(),
        }],
        ..cell_batch(&of_day)
    }
}

async fn fill<S: AggregateStore + ?Sized>(store: &S, days: &[u32], additions: &[(CellKey, Cell)]) {
    for number in days {
        for errors in [false, true] {
            let committed = store.commit(batch_of(*number, additions, errors)).await;
            assert_eq!(committed.expect("written"), Committed::Written);
        }
    }
}

async fn delete<S: RetainAggregates + ?Sized>(store: &S, below: &Below) -> (u64, u64) {
    let (mut at, mut sums) = (DeletePlace::default(), (0, 0));
    loop {
        let deleted = store.delete_below(below, at).await.expect("deleted");
        sums = (sums.0 + deleted.aggregates, sums.1 + deleted.rows);
        match deleted.next {
            Some(next) => at = next,
            None => return sums,
        }
    }
}

fn bytes(measured: Result<Vec<DayBytes>, AggregateError>) -> BTreeMap<SubmissionDate, u64> {
    let measured = measured.expect("measured");
    assert!(measured.is_sorted_by_key(|day| day.date));
    measured.into_iter().map(|day| (day.date, day.bytes)).collect()
}

async fn what_is_left_is_as_if_the_rest_was_never_there<S: AggregateStore + RetainAggregates>(
    store: Arc<S>,
    other: Arc<S>,
    additions: Vec<(CellKey, Cell)>,
    from: usize,
) {
    let (store, other) = (&*store, &*other);
    fill(store, &DAYS, &additions).await;
    fill(other, &DAYS[from..], &additions).await;
    let floor = DAYS
        .get(from)
        .map_or_else(|| day(20_200_101), |number| day(*number));
    let below = Below {
        aggregates: Some(floor),
        errored: Some(floor),
        seen: Some(floor),
        chunks: Some(floor),
        error_chunks: Some(floor),
    };
    let (days, copies) = (bytes(store.day_bytes().await), bytes(store.copy_bytes().await));
    assert_eq!(days.keys().copied().collect::<Vec<_>>(), DAYS.map(day));
    assert_eq!(copies.keys().copied().collect::<Vec<_>>(), DAYS.map(day));
    assert!(days.values().chain(copies.values()).all(|bytes| *bytes > 0));
    let queries = every_metric(&additions);
    for query in &queries {
        asked(store, query).await;
    }
    delete(store, &below).await;
    for query in &queries {
        assert_eq!(asked(store, query).await, asked(other, query).await, "{query:?}");
    }
    // What a day took is what its deletion gives back, and nothing else is counted.
    let left =
        |sizes: BTreeMap<SubmissionDate, u64>| sizes.into_iter().filter(|(day, _)| *day >= floor).collect();
    assert_eq!(bytes(store.day_bytes().await), left(days));
    assert_eq!(bytes(store.copy_bytes().await), left(copies));
    assert_eq!(dump_of(store).await, dump_of(other).await);
    assert_eq!(lists(store).await, lists(other).await);
    let documents: Vec<_> = DAYS.into_iter().map(document).collect();
    assert_eq!(
        store.seen(&documents).await.expect("seen"),
        other.seen(&documents).await.expect("seen")
    );
    assert_eq!(
        store.errored(None, 9).await.expect("errored"),
        other.errored(None, 9).await.expect("errored")
    );
    assert_eq!(
        store.folded_ids(None, 9).await.expect("ids"),
        other.folded_ids(None, 9).await.expect("ids")
    );
    assert_eq!(
        store.days().await.expect("days"),
        other.days().await.expect("days")
    );
    assert_eq!(delete(store, &below).await, (0, 0), "nothing is left to delete");
    // Ids of what was deleted may be given again: what is added now must not be taken for it.
    let again: Vec<_> = additions
        .iter()
        .filter(|(key, _)| key.dimensions.submission_date() >= floor)
        .cloned()
        .collect();
    for store in [store, other] {
        let batch = Batch {
            chunks: Vec::new(),
            ..cell_batch(&again)
        };
        assert_eq!(store.commit(batch).await.expect("written"), Committed::Written);
    }
    assert_eq!(dump_of(store).await, dump_of(other).await);
    assert_eq!(lists(store).await, lists(other).await);
    for query in &queries {
        assert_eq!(asked(store, query).await, asked(other, query).await, "{query:?}");
    }
}

/// A question for each metric by day.
fn every_metric(additions: &[(CellKey, Cell)]) -> Vec<CellQuery> {
    let metrics = additions
        .iter()
        .map(|(key, _)| (key.dimensions.source(), &key.metric));
    let metrics: BTreeSet<_> = metrics.collect();
    let query = |(source, metric): (&Source, &String)| CellQuery {
        source: source.clone(),
        metric: metric.clone(),
        filters: Vec::new(),
        label: None,
        processes: None,
        group_by: vec![Dimension::named(Dimension::SUBMISSION_DATE)],
        by_process: false,
    };
    metrics.into_iter().map(query).collect()
}

async fn each_part_goes_below_its_own_day<S: AggregateStore + RetainAggregates>(store: &S) {
    fill(store, &DAYS, &[]).await;
    let below = Below {
        errored: Some(day(DAYS[1])),
        seen: Some(day(DAYS[2])),
        chunks: Some(day(DAYS[1])),
        error_chunks: Some(day(DAYS[2])),
        ..Below::default()
    };
    assert_eq!(
        delete(store, &below).await,
        (0, 1 + 2 + 1 + 2),
        "an errored ping, two copies, a chunk of pings, two of errors"
    );
    assert_eq!(store.folded_ids(None, 9).await.expect("ids").len(), 3);
    assert_eq!(store.errored(None, 9).await.expect("errored").len(), 2);
    assert_eq!(store.days().await.expect("days"), DAYS.map(day));
    let documents: Vec<_> = DAYS.into_iter().map(document).collect();
    assert_eq!(store.seen(&documents).await.expect("seen").len(), 1);
}

/// Copies and errored pings that lie in a chunk of errored pings, whose days are over before theirs.
async fn rows_outlive_the_chunk_of_errors_that_they_name<S: AggregateStore + RetainAggregates>(store: &S) {
    let date = day(DAYS[1]);
    let id = |plan| chunk_id(5, 1, plan);
    let chunk = |plan, folder: &str| FoldedChunk {
        id: id(plan),
        key: format!("pings/{folder}v1/submission_date={date}/{}.zst", id(plan)),
        submission_date: date,
        records: 2,
    };
    let record = |sequence| RecordId {
        incarnation: Incarnation::from_bytes([3; 16]),
        sequence,
    };
    let copy = |sequence, plan| SeenRow {
        key: document(sequence),
        received: date.start(),
        record: record(sequence.into()),
        chunk: id(plan),
        position: 0,
        counted: true,
    };
    let errored = |sequence: u32, plan| ErroredRow {
        source: Source::telemetry_main(),
        record: record(sequence.into()),
        submission_date: date,
        chunk: id(plan),
        position: 1,
        reason: "odd".to_owned(),
    };
    let commit = async |batch: Batch| {
        assert_eq!(store.commit(batch).await.expect("written"), Committed::Written);
    };
    commit(Batch {
        chunks: vec![chunk(1, ""), chunk(2, "errors/"), chunk(3, "errors/")],
        seen: vec![copy(1, 1), copy(2, 2), copy(3, 3)],
        errored: vec![errored(11, 1), errored(12, 2), errored(13, 3)],
        ..Batch::default()
    })
    .await;
    let early = Below {
        errored: Some(date),
        seen: Some(date),
        error_chunks: Some(date.plus_days(1)),
        ..Below::default()
    };
    assert_eq!(delete(store, &early).await, (0, 2), "the chunks of errors");
    // Others come, which must not be taken for those that are gone.
    commit(Batch {
        chunks: vec![chunk(4, ""), chunk(5, "errors/")],
        seen: vec![copy(4, 4), copy(5, 5)],
        errored: vec![errored(14, 4), errored(15, 5)],
        ..Batch::default()
    })
    .await;
    let documents: Vec<_> = (1..=5).map(document).collect();
    assert_eq!(
        store.seen(&documents).await.expect("copies"),
        (1..=5)
            .map(|number| copy(number, number.into()))
            .collect::<Vec<_>>()
    );
    assert_eq!(
        store.errored(None, 9).await.expect("errored pings"),
        (1..=5)
            .map(|number| errored(10 + number, number.into()))
            .collect::<Vec<_>>()
    );
    let late = Below {
        errored: Some(date.plus_days(1)),
        seen: Some(date.plus_days(1)),
        chunks: Some(date.plus_days(1)),
        ..early
    };
    assert_eq!(
        delete(store, &late).await,
        (0, 5 + 5 + 3),
        "rows, and what is left of chunks"
    );
    assert_eq!(store.seen(&documents).await.expect("copies"), []);
    assert_eq!(store.errored(None, 9).await.expect("errored pings"), []);
    assert_eq!(store.folded_ids(None, 9).await.expect("ids"), []);
}

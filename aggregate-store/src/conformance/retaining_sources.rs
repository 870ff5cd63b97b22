//! Deletion by days of one source: what is left is what a store has that never knew the rest.

use ping::{Incarnation, RecordId, SubmissionDate};
use sketch::{Cell, UserSketch, coupon_of};

use super::listed::lists;
use super::samples::{cell_batch, chunk_id, sources};
use super::{dump_of, folded_chunk};
use crate::{
    AggregateStore, Batch, BelowOfSource, CellKey, Committed, Dimension, DimensionSet, ErroredRow,
    RetainAggregates, Source,
};

const USER_DAYS: [u32; 3] = [20_150_602, 20_150_603, 20_161_231];

fn day(number: u32) -> SubmissionDate {
    SubmissionDate::from_yyyymmdd(number).expect("a day")
}

/// All that is stored of both sources, in two epochs, but for what of one source lies below a day.
fn batches(additions: &[(CellKey, Cell)], below: Option<&BelowOfSource>) -> Vec<Batch> {
    let goes =
        |source: &Source, date: SubmissionDate, floor: fn(&BelowOfSource) -> Option<SubmissionDate>| {
            below.is_some_and(|below| source.as_str() == below.source && Some(date) < floor(below))
        };
    let stay: Vec<_> = additions
        .iter()
        .filter(|(key, _)| {
            let set = &key.dimensions;
            !goes(set.source(), set.submission_date(), |below| below.aggregates)
        })
        .cloned()
        .collect();
    let (mut users, mut errored) = (Vec::new(), Vec::new());
    let chunk = chunk_id(1, 1, 1);
    for (at, source) in (0..).zip(sources()) {
        for number in USER_DAYS {
            let date = day(number);
            let mut clients = UserSketch::default();
            clients.insert(coupon_of(&number.to_string()).expect("a coupon"));
            if !goes(&source, date, |below| below.aggregates) {
                let values = [(Dimension::APPLICATION, "Firefox"), (Dimension::VERSION, "41")];
                users.push((DimensionSet::stating(source.clone(), date, &values), clients));
            }
            if !goes(&source, date, |below| below.errored) {
                errored.push(ErroredRow {
                    source: source.clone(),
                    record: RecordId {
                        incarnation: Incarnation::from_bytes([3; 16]),
                        sequence: u64::from(number) * 10 + at,
                    },
                    submission_date: date,
                    chunk,
                    position: 1,
                    reason: "odd".to_owned(),
                });
            }
        }
    }
    vec![Batch {
        chunks: vec![folded_chunk(chunk)],
        users,
        errored,
        ..cell_batch(&stay)
    }]
}

async fn fill<S: AggregateStore + ?Sized>(store: &S, batches: Vec<Batch>) {
    for batch in batches {
        assert_eq!(store.commit(batch).await.expect("written"), Committed::Written);
    }
}

pub(super) async fn what_is_left_of_other_sources_and_days_is_as_it_was<S>(
    store: &S,
    other: &S,
    additions: &[(CellKey, Cell)],
    floor: SubmissionDate,
) where
    S: AggregateStore + RetainAggregates,
{
    let [main, usage] = sources();
    let below = BelowOfSource {
        source: usage.as_str().to_owned(),
        aggregates: Some(floor),
        errored: Some(floor.plus_days(1)),
    };
    fill(store, batches(additions, None)).await;
    fill(other, batches(additions, Some(&below))).await;
    let names = [&main, &usage].map(|source| source.as_str().to_owned());
    let before = store.days_of_sources(&names).await.expect("days");
    assert!(
        USER_DAYS
            .iter()
            .all(|number| before[main.as_str()].contains(&day(*number)))
    );
    // Of a source that nobody knows, and of no day, nothing goes.
    let nothing = [
        BelowOfSource {
            source: "acme/other".to_owned(),
            ..below.clone()
        },
        BelowOfSource {
            source: below.source.clone(),
            aggregates: None,
            errored: None,
        },
    ];
    let deleted = store.delete_of_sources(&nothing).await.expect("deleted");
    assert_eq!((deleted.aggregates, deleted.rows), (0, 0));
    let both = [nothing[0].clone(), below.clone()];
    loop {
        let deleted = store.delete_of_sources(&both).await.expect("deleted");
        if deleted.aggregates + deleted.rows == 0 {
            break;
        }
    }
    assert_eq!(dump_of(store).await, dump_of(other).await);
    assert_eq!(lists(store).await, lists(other).await);
    assert_eq!(
        store.errored(None, 9).await.expect("errored"),
        other.errored(None, 9).await.expect("errored")
    );
    assert_eq!(
        store.days().await.expect("days"),
        other.days().await.expect("days")
    );
    let (left, expected) = (
        store.days_of_sources(&names).await.expect("days"),
        other.days_of_sources(&names).await.expect("days"),
    );
    assert_eq!(left[main.as_str()], before[main.as_str()]);
    let kept = before[usage.as_str()].iter().filter(|day| **day >= floor);
    assert!(left[usage.as_str()].iter().eq(kept), "{left:?}");
    assert_eq!(left, expected);
    assert_eq!(
        store.status().await.expect("a status"),
        other.status().await.expect("a status")
    );
    // What is added now must not be taken for what went.
    for store in [store, other] {
        fill(
            store,
            vec![Batch {
                chunks: Vec::new(),
                ..cell_batch(additions)
            }],
        )
        .await;
    }
    assert_eq!(dump_of(store).await, dump_of(other).await);
    assert_eq!(lists(store).await, lists(other).await);
}

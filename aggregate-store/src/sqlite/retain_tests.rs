//! Deletion by date: what is left is what a store has that never knew the rest.

use std::collections::BTreeSet;
use std::path::Path;

use ping::{DocumentKey, Incarnation, RecordId, SubmissionDate, Timestamp};
use proptest::prelude::*;
use sketch::{Cell, UserSketch, coupon_of};

use crate::conformance::{any_additions, cell_batch, chunk_id, dump_of};
use crate::{
    AggregateReads, AggregateStore, Batch, Below, CellKey, Committed, DateClock, DeletePlace, ErroredRow,
    FoldedChunk, RetainAggregates, SeenIds, SeenRow, SqliteAggregates, UserKey,
};

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
        .filter(|(key, _)| key.dimensions.submission_date == date)
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
    let user_key = UserKey {
        submission_date: date,
        application: "Firefox".to_owned(),
        channel: "esr".to_owned(),
        version: "41".to_owned(),
        os: "Linux".to_owned(),
    };
    Batch {
        chunks: vec![chunk],
        users: vec![(user_key, users)],
        seen: vec![SeenRow {
            key: document(number),
            received: date.start(),
            record,
            chunk: id,
            position: 0,
            counted: true,
        }],
        errored: vec![ErroredRow {
            record,
            submission_date: date,
            chunk: id,
            position: 1,
            reason: "odd".to_owned(),
        }],
        ..cell_batch(&of_day)
    }
}

async fn fill(store: &SqliteAggregates, days: &[u32], additions: &[(CellKey, Cell)]) {
    for number in days {
        for errors in [false, true] {
            let committed = store.commit(batch_of(*number, additions, errors)).await;
            assert_eq!(committed.expect("written"), Committed::Written);
        }
    }
}

async fn delete(store: &SqliteAggregates, below: &Below) -> (u64, u64) {
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

/// All lists, as far as they depend on cells.
async fn lists(store: &SqliteAggregates) -> String {
    let mut text = String::new();
    for clock in [DateClock::BuildDate, DateClock::SubmissionDate] {
        for channel in store.channels(clock).await.expect("channels") {
            let dates = store.dates(clock, &channel).await.expect("dates");
            let versions: BTreeSet<_> = dates.iter().map(|date| date.version.clone()).collect();
            text.push_str(&format!("{channel} {dates:?}\n"));
            for version in versions {
                let options = store.filter_options(&channel, &version).await.expect("options");
                text.push_str(&format!("{options:?}\n"));
            }
        }
    }
    text
}

fn open(folder: &Path, name: &str) -> SqliteAggregates {
    SqliteAggregates::open(&folder.join(name)).expect("opened")
}

async fn what_is_left_is_as_if_the_rest_was_never_there(additions: Vec<(CellKey, Cell)>, from: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, other) = (open(folder.path(), "all"), open(folder.path(), "left"));
    fill(&store, &DAYS, &additions).await;
    fill(&other, &DAYS[from..], &additions).await;
    let floor = DAYS
        .get(from)
        .map_or_else(|| day(20_200_101), |number| day(*number));
    let below = Below {
        aggregates: Some(floor),
        errored: Some(floor),
        seen: Some(floor),
        error_chunks: Some(floor),
    };
    delete(&store, &below).await;
    assert_eq!(dump_of(&store).await, dump_of(&other).await);
    assert_eq!(lists(&store).await, lists(&other).await);
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
    assert_eq!(delete(&store, &below).await, (0, 0), "nothing is left to delete");
    // Ids of what was deleted may be given again: what is added now must not be taken for it.
    let again: Vec<_> = additions
        .iter()
        .filter(|(key, _)| key.dimensions.submission_date >= floor)
        .cloned()
        .collect();
    for store in [&store, &other] {
        let batch = Batch {
            chunks: Vec::new(),
            ..cell_batch(&again)
        };
        assert_eq!(store.commit(batch).await.expect("written"), Committed::Written);
    }
    assert_eq!(dump_of(&store).await, dump_of(&other).await);
    assert_eq!(lists(&store).await, lists(&other).await);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn deletion_leaves_what_a_store_has_that_never_knew_the_rest(additions in any_additions(), from in 0..=DAYS.len()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(what_is_left_is_as_if_the_rest_was_never_there(additions, from));
    }
}

#[tokio::test]
async fn each_part_goes_below_its_own_day() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path(), "all");
    fill(&store, &DAYS, &[]).await;
    let below = Below {
        errored: Some(day(DAYS[1])),
        seen: Some(day(DAYS[1])),
        error_chunks: Some(day(DAYS[2])),
        ..Below::default()
    };
    assert_eq!(
        delete(&store, &below).await,
        (0, 1 + 1 + 1 + 2),
        "an errored ping, a copy, a chunk of pings, two of errors"
    );
    assert_eq!(store.folded_ids(None, 9).await.expect("ids").len(), 3);
    assert_eq!(store.errored(None, 9).await.expect("errored").len(), 2);
    assert_eq!(store.days().await.expect("days"), DAYS.map(day));
    let documents: Vec<_> = DAYS.into_iter().map(document).collect();
    assert_eq!(store.seen(&documents).await.expect("seen").len(), 2);
}

/// A day with so many cells, in other dimension sets than those of other days.
fn large_day(date: SubmissionDate, cells: u32) -> Batch {
    let key = |number: u32| CellKey {
        metric: format!("M{}", number % 20),
        dimensions: crate::DimensionSet {
            submission_date: date,
            channel: "nightly".to_owned(),
            version: "54".to_owned(),
            build_date: format!("B{}", number / 20),
            application: "Firefox".to_owned(),
            architecture: "arm".to_owned(),
            os: "Linux".to_owned(),
            os_version: "5".to_owned(),
            e10s: "true".to_owned(),
        },
        process: "parent".to_owned(),
        label: String::new(),
        layout: sketch::Layout::COUNT,
    };
    let cell = Cell::new(1, 5, vec![(1, 2), (3, 4)]);
    let additions: Vec<_> = (0..cells).map(|number| (key(number), cell.clone())).collect();
    Batch {
        newest_received: Some(Timestamp::from_micros(1)),
        ..cell_batch(&additions)
    }
}

#[tokio::test]
async fn room_of_deleted_days_is_used_again_and_no_slice_is_large() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path(), "all");
    let first = day(20_170_101);
    let cells = 30_000;
    let (clock, mut longest) = (service::clock::SystemClock::shared(), std::time::Duration::ZERO);
    assert_eq!(
        store.commit(large_day(first, cells)).await.expect("written"),
        Committed::Written
    );
    assert_eq!(
        store
            .commit(large_day(first.plus_days(1), cells))
            .await
            .expect("written"),
        Committed::Written
    );
    let full = store.used_bytes().await.expect("measured");
    for number in 1..6 {
        let below = Below {
            aggregates: Some(first.plus_days(number)),
            ..Below::default()
        };
        let (mut at, mut most, mut all) = (DeletePlace::default(), 0, 0);
        loop {
            let start = clock.monotonic();
            let deleted = store.delete_below(&below, at).await.expect("deleted");
            longest = longest.max(clock.monotonic().saturating_sub(start));
            (most, all) = (deleted.aggregates.max(most), all + deleted.aggregates);
            let Some(next) = deleted.next else { break };
            at = next;
        }
        assert_eq!(all, u64::from(cells));
        assert!(most <= 20_000, "{most} cells in one transaction");
        let half = store.used_bytes().await.expect("measured");
        assert!(
            half < full * 2 / 3,
            "{half} of {full} bytes are in use after half is deleted"
        );
        let next = large_day(first.plus_days(number + 1), cells);
        assert_eq!(store.commit(next).await.expect("written"), Committed::Written);
        let again = store.used_bytes().await.expect("measured");
        assert!(
            again < full + full / 5,
            "{again} bytes are in use, {full} at first"
        );
    }
    println!("deleting {cells} cells: the longest slice took {longest:?}, {full} bytes for two days");
}

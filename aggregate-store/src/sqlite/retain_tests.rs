//! Deletion by date in a file: the law, and room that is used again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ping::{SubmissionDate, Timestamp};
use sketch::Cell;

use crate::conformance::{cell_batch, every_back_end_deletes_by_date};
use crate::{
    AggregateStore, Batch, Below, CellKey, Committed, DeletePlace, RetainAggregates, SqliteAggregates,
};

fn day(number: u32) -> SubmissionDate {
    SubmissionDate::from_yyyymmdd(number).expect("a day")
}

fn open(folder: &Path, name: &str) -> SqliteAggregates {
    SqliteAggregates::open(&folder.join(name)).expect("opened")
}

#[test]
fn deletion_leaves_what_a_store_has_that_never_knew_the_rest() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = AtomicU32::new(0);
    every_back_end_deletes_by_date(async || {
        let number = made.fetch_add(1, Ordering::SeqCst);
        Arc::new(open(folder.path(), &number.to_string()))
    });
}

/// A day with so many cells, in other dimension sets than those of other days.
fn large_day(date: SubmissionDate, cells: u32) -> Batch {
    let key = |number: u32| CellKey {
        metric: format!("M{}", number % 20),
        dimensions: crate::DimensionSet::stating(
            crate::Source::telemetry_main(),
            date,
            &[
                ("channel", "nightly"),
                ("version", "54"),
                ("build_date", &format!("B{}", number / 20)),
                ("application", "Firefox"),
                ("architecture", "arm"),
                ("os", "Linux"),
                ("os_version", "5"),
                ("e10s", "true"),
            ],
        ),
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

/// Bytes of pages that are in use.
fn used_bytes(folder: &tempfile::TempDir) -> u64 {
    let connection = rusqlite::Connection::open(folder.path().join("all")).expect("opened");
    let number = |name: &str| -> u64 {
        let number: i64 = connection
            .pragma_query_value(None, name, |row| row.get(0))
            .expect("a number");
        number.try_into().expect("pages")
    };
    (number("page_count") - number("freelist_count")) * number("page_size")
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
    let full = used_bytes(&folder);
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
        let half = used_bytes(&folder);
        assert!(
            half < full * 2 / 3,
            "{half} of {full} bytes are in use after half is deleted"
        );
        let next = large_day(first.plus_days(number + 1), cells);
        assert_eq!(store.commit(next).await.expect("written"), Committed::Written);
        let again = used_bytes(&folder);
        assert!(
            again < full + full / 5,
            "{again} bytes are in use, {full} at first"
        );
    }
    println!("deleting {cells} cells: the longest slice took {longest:?}, {full} bytes for two days");
}

//! The partitions of the entries: made when they are needed, dropped whole.

use index_schema::conformance::expired;
use index_schema::{ChunkKey, DroppedMonth, ExpiredPlace, Floors, Index, IndexEntry, RetainIndex};
use ping::{Dimension, Timestamp};

use super::beside::over_months;
use super::test_database::TestDatabase;

fn partitions(place: &TestDatabase) -> String {
    place.sql(
        "SELECT string_agg(inhrelid::REGCLASS::TEXT, ' ' ORDER BY inhrelid::REGCLASS::TEXT) FROM pg_inherits \
         WHERE inhparent = 'highwater_index.chunk'::REGCLASS",
    )
}

fn month(entry: &IndexEntry) -> &str {
    &entry.partition.get(Dimension::SubmissionDate)[..6]
}

fn below(day: &str) -> Floors {
    let floor = Some(day.parse().expect("a date"));
    Floors {
        pings: floor,
        errors: floor,
        aggregates: None,
    }
}

#[tokio::test]
async fn a_month_gets_its_partition_with_its_first_chunk() {
    let Some(place) = TestDatabase::new() else { return };
    let index = place.index().await;
    assert_eq!(partitions(&place), "");
    index.insert(&over_months(1, 2)).await.expect("inserted");
    assert_eq!(
        partitions(&place),
        "highwater_index.chunk_201701 highwater_index.chunk_201702"
    );
    let mut last = over_months(2, 1).swap_remove(0);
    last.partition.set(Dimension::SubmissionDate, "99991231");
    last.key = last.key.replace("=20170115/", "=99991231/");
    index.insert(std::slice::from_ref(&last)).await.expect("inserted");
    assert_eq!(index.entry(last.id).await.expect("an answer"), Some(last));
}

#[tokio::test]
async fn an_entry_of_no_day_is_refused_with_words() {
    let Some(place) = TestDatabase::new() else { return };
    let index = place.index().await;
    let mut entry = over_months(1, 1).swap_remove(0);
    entry.partition.set(Dimension::SubmissionDate, "yesterday");
    entry.key = entry.key.replace("=20170115/", "=yesterday/");
    let error = index.insert(&[entry]).await.expect_err("it has no day");
    assert!(error.to_string().contains("write it as YYYYMMDD"), "{error}");
}

#[tokio::test]
async fn months_below_the_floors_are_dropped_whole_and_sums_follow() {
    let Some(place) = TestDatabase::new() else { return };
    let index = place.index().await;
    let entries = over_months(3, 90);
    index.insert(&entries).await.expect("inserted");
    let folded: Vec<_> = entries[..50].iter().map(|entry| entry.id).collect();
    index.settle(&folded).await.expect("settled");
    assert_eq!(index.drop_months().await.expect("nothing to drop"), []);
    index.raise_floors(below("20170320"), None).await.expect("raised");
    let before = index.totals().await.expect("totals");
    let dropped = index.drop_months().await.expect("dropped");
    let expected: Vec<_> = ["201701", "201702"]
        .map(|name| {
            let of_it = || entries.iter().filter(|entry| month(entry) == name);
            DroppedMonth {
                month: name.to_owned(),
                chunks: of_it().count() as u64,
                records: of_it().map(|entry| entry.records).sum(),
                stored_bytes: of_it().map(|entry| entry.stored_bytes).sum(),
            }
        })
        .into();
    assert_eq!(dropped, expected);
    assert!(partitions(&place).starts_with("highwater_index.chunk_201703 "));
    let totals = index.totals().await.expect("totals");
    let chunks: u64 = dropped.iter().map(|month| month.chunks).sum();
    assert_eq!((totals.chunks, totals.removed_chunks), (90 - chunks, chunks));
    assert_eq!(totals.records_ever(), before.records_ever());
    assert_eq!(totals.unfolded_records, before.unfolded_records);
    // What of the dropped months comes again is refused, and makes no partition; ids are free.
    let again = index.insert(&entries).await.expect("inserted");
    assert_eq!(again.added, 0);
    assert!(partitions(&place).starts_with("highwater_index.chunk_201703 "));
    assert_eq!(
        place.sql("SELECT min(submission_date) FROM highwater_index.chunk_day"),
        "20170318"
    );
    place.assert_whole();
}

#[tokio::test]
async fn a_month_that_was_emptied_row_by_row_loses_its_partition() {
    let Some(place) = TestDatabase::new() else { return };
    let index = place.index().await;
    let entries = over_months(4, 60);
    index.insert(&entries).await.expect("inserted");
    index.raise_floors(below("20170201"), None).await.expect("raised");
    loop {
        let start = ExpiredPlace::default();
        let slice = index.expired(&start, 4).await.expect("answered").objects;
        if slice.is_empty() {
            break;
        }
        assert!(partitions(&place).contains("chunk_201701"));
        let keys: Vec<_> = slice.into_iter().map(|expired| expired.key).collect();
        index.remove(&keys).await.expect("removed");
    }
    assert!(!partitions(&place).contains("chunk_201701"));
    place.assert_whole();
}

#[tokio::test]
async fn a_forgotten_chunk_of_a_dropped_month_is_still_to_be_deleted() {
    let Some(place) = TestDatabase::new() else { return };
    let index = place.index().await;
    let entries = over_months(5, 1);
    index.insert(&entries).await.expect("inserted");
    let key = ChunkKey::parse(&entries[0].key).expect("a key");
    let now = Timestamp::from_micros(1);
    index.forget(&key, "unwanted", now).await.expect("forgotten");
    index.raise_floors(below("20170201"), None).await.expect("raised");
    index.drop_months().await.expect("dropped");
    let gone = expired(&*index, 9).await;
    assert_eq!(gone.len(), 1);
    index.remove(&[gone[0].key.clone()]).await.expect("removed");
    assert_eq!(expired(&*index, 9).await, []);
}

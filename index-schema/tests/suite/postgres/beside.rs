//! Many processes at once on one database.

use std::sync::Arc;

use index_schema::conformance::{Dice, swap};
use index_schema::{ChunkKey, Index, IndexEntry, PostgresIndex, RetainIndex};
use ping::{Dimension, SubmissionDate};
use service::task;

use super::test_database::TestDatabase;

/// Entries of several months, so that partitions are made while others insert.
pub(crate) fn over_months(seed: u64, count: u64) -> Vec<IndexEntry> {
    let mut entries = Dice::new(seed).entries(count);
    for (number, entry) in (0..).zip(&mut entries) {
        let first: SubmissionDate = "20170115".parse().expect("a date");
        let date = first.plus_days(number % 6 * 31);
        entry.partition.set(Dimension::SubmissionDate, date.to_string());
        let key = ChunkKey::parse(&entry.key).expect("a key");
        entry.key = ChunkKey {
            partition: entry.partition.clone(),
            ..key
        }
        .to_string();
    }
    entries
}

fn shuffled(entries: &[IndexEntry], dice: &mut Dice) -> Vec<IndexEntry> {
    let mut shuffled = entries.to_vec();
    for at in (1..shuffled.len()).rev() {
        shuffled.swap(at, dice.below(at as u64 + 1) as usize);
    }
    shuffled
}

fn deadlocks(place: &TestDatabase) -> String {
    place.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
}

async fn insert_all(index: Arc<PostgresIndex>, entries: Vec<IndexEntry>, seed: u64) -> u64 {
    let mut dice = Dice::new(seed);
    let (mut added, mut rest) = (0, entries.as_slice());
    while !rest.is_empty() {
        let batch = 1 + dice.below(12) as usize;
        let (now, later) = rest.split_at(batch.min(rest.len()));
        added += index.insert(now).await.expect("inserted").added;
        rest = later;
    }
    added
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_processes_that_insert_the_same_entries_add_each_once_and_never_block_each_other_for_good() {
    let Some(place) = TestDatabase::new() else { return };
    let place = place.with_pool(1);
    drop(place.index().await);
    let entries = over_months(7, 240);
    let mut inserters = Vec::new();
    for seed in 1..=16 {
        let index = place.index().await;
        let mine = shuffled(&entries, &mut Dice::new(seed));
        inserters.push(task::spawn("inserter", insert_all(index, mine, seed)));
    }
    let mut added = 0;
    for inserter in inserters {
        added += inserter.await.expect("it ended");
    }
    assert_eq!(added, 240);
    let index = place.index().await;
    let totals = index.totals().await.expect("totals");
    assert_eq!((totals.chunks, totals.pending_chunks), (240, 240));
    assert_eq!(
        totals.records,
        entries.iter().map(|entry| entry.records).sum::<u64>()
    );
    assert_eq!(deadlocks(&place), "0");
    place.assert_whole();
}

/// One of the processes that share the index, doing what any of them may.
async fn live(place: TestDatabase, entries: Vec<IndexEntry>, seed: u64) {
    let index = place.index().await;
    let mut dice = Dice::new(seed);
    for _ in 0..60 {
        let first = dice.below(entries.len() as u64) as usize;
        let some = &entries[first..entries.len().min(first + 1 + dice.below(20) as usize)];
        let ids: Vec<_> = some.iter().map(|entry| entry.id).collect();
        let keys: Vec<_> = some.iter().map(|entry| entry.key.clone()).collect();
        let done = match dice.below(10) {
            0..=3 => index.insert(&shuffled(some, &mut dice)).await.map(drop),
            4 | 5 => index.settle(&ids).await,
            6 => index.fail(ids[0], "a reason").await.map(drop),
            7 => index.note_unreadable(&keys[0], "cut").await.map(drop),
            8 => index.clear_gone(&keys).await.map(drop),
            _ => match dice.below(4) {
                0 => index.make_pending(None).await.map(drop),
                1 => index.make_pending(Some(&ids)).await.map(drop),
                2 => swap(&*index, seed, false).await.map(drop),
                _ => index.remove(&keys).await,
            },
        };
        done.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sums_hold_while_eight_processes_do_all_that_can_be_done() {
    let Some(place) = TestDatabase::new() else { return };
    drop(place.index().await);
    let entries = over_months(8, 60);
    let lives: Vec<_> = (1..=8)
        .map(|seed| task::spawn("process", live(place.clone().with_pool(2), entries.clone(), seed)))
        .collect();
    for life in lives {
        life.await.expect("it ended");
    }
    assert_eq!(deadlocks(&place), "0");
    place.assert_whole();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_floor_that_is_raised_beside_inserters_leaves_nothing_waiting_below_it() {
    let Some(place) = TestDatabase::new() else { return };
    let index = place.index().await;
    let entries = over_months(9, 180);
    let inserting: Vec<_> = entries
        .chunks(60)
        .map(|mine| task::spawn("inserter", insert_all(index.clone(), mine.to_vec(), 1)))
        .collect();
    for day in ["20170201", "20170301", "20170401"] {
        let floor = Some(day.parse().expect("a date"));
        let floors = index_schema::Floors {
            pings: floor,
            errors: floor,
            aggregates: floor,
        };
        index.raise_floors(floors, None).await.expect("raised");
        let below = format!("SELECT count(*) FROM highwater_index.pending WHERE submission_date < '{day}'");
        assert_eq!(place.sql(&below), "0");
    }
    for inserter in inserting {
        inserter.await.expect("it ended");
    }
    let totals = index.totals().await.expect("totals");
    let records = |entries: &[IndexEntry]| entries.iter().map(|entry| entry.records).sum::<u64>();
    assert_eq!(totals.records_ever(), records(&entries));
    let kept: Vec<_> = entries
        .iter()
        .filter(|entry| entry.partition.get(Dimension::SubmissionDate) >= "20170401")
        .cloned()
        .collect();
    assert_eq!(totals.unfolded_records, records(&entries) - records(&kept));
    assert_eq!(totals.pending_chunks, kept.len() as u64);
    place.assert_whole();
}

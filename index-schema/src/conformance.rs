//! What every back end of the index must do. Each function is one sentence; all of them panic where it is broken.

mod dice;
mod folding;
mod retaining;
mod selecting;
mod source_floors;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
pub use dice::Dice;
use ping::ChunkId;
pub use retaining::expired;

use crate::{Floors, Index, IndexEntry, IndexError, Inserted, PartitionOrder, RetainIndex, Swap};

/// An empty database that can be opened several times, as by several processes.
#[async_trait]
pub trait Database: Send + Sync {
    /// Opens it once more.
    async fn open(&self) -> Arc<dyn RetainIndex>;
}

/// Puts aggregates into use that hold what the index has, and perhaps what was removed.
///
/// # Errors
/// When the index refuses.
pub async fn swap(index: &dyn Index, generation: u64, with_removed: bool) -> Result<bool, IndexError> {
    let (removed, floors) = (index.totals().await?.removed_records, index.all_floors().await?);
    let gone_records = if with_removed { removed } else { 0 };
    let swap = Swap::to(generation, removed, floors);
    index.set_generation(Swap { gone_records, ..swap }).await
}

/// Runs the whole suite, each part on a place of its own.
///
/// # Panics
/// Where the back end does not do what the door says.
pub async fn run<P: Database>(mut place: impl FnMut() -> P) {
    an_entry_is_added_once(&place()).await;
    a_key_or_an_id_that_is_there_changes_nothing(&place()).await;
    what_was_inserted_is_there_after_reopening(&place()).await;
    sums_are_those_of_the_entries(&place()).await;
    two_processes_add_each_entry_once(&place()).await;
    the_generation_is_kept(&place()).await;
    a_write_that_fails_leaves_nothing_behind(&place()).await;
    partitions_are_summed_and_ordered_as_the_slow_way_does(&place()).await;
    folding::pending_chunks_come_in_order_of_arrival(&place()).await;
    folding::a_settled_chunk_is_no_longer_pending(&place()).await;
    folding::the_third_failure_sets_a_chunk_aside(&place()).await;
    folding::a_rebuild_makes_chunks_pending_again(&place()).await;
    folding::what_cannot_be_read_is_noted_until_it_can(&place()).await;
    selecting::a_selection_finds_exactly_what_can_match(&place()).await;
    selecting::a_large_set_of_values_is_no_obstacle(&place()).await;
    retaining::below_the_floor_nothing_is_added_and_each_refusal_counts_once(&place()).await;
    retaining::floors_only_rise_and_outlive_the_process(&place()).await;
    retaining::floors_are_not_raised_over_chunks_of_a_day_that_was_not_seen(&place()).await;
    retaining::floors_are_lowered_by_hand_and_what_was_refused_can_be_added(&place()).await;
    retaining::what_was_removed_and_comes_late_is_not_counted_a_second_time(&place()).await;
    retaining::products_are_bounded_and_given_back(&place()).await;
    retaining::what_expired_is_what_lies_below_and_sums_follow_its_removal(&place()).await;
    retaining::what_was_forgotten_is_not_indexed_again_until_the_floor_passes_it(&place()).await;
    retaining::what_waits_below_its_floor_counts_as_unfolded_once_and_waits_no_more(&place()).await;
    retaining::what_is_gone_is_cleared_and_comes_back_with_its_object(&place()).await;
    source_floors::any_history_of_floors_of_sources_is_that_of_a_slow_model(&place()).await;
    source_floors::a_floor_of_a_source_is_not_raised_over_a_day_that_was_not_seen(&place()).await;
}

fn inserted(added: u64, known: u64) -> Inserted {
    Inserted {
        added,
        known,
        ..Inserted::default()
    }
}

async fn an_entry_is_added_once(place: &impl Database) {
    let index = place.open().await;
    let entries = Dice::new(1).entries(20);
    assert_eq!(index.insert(&[]).await.expect("inserted"), Inserted::default());
    assert_eq!(
        index.insert(&entries[..12]).await.expect("inserted"),
        inserted(12, 0)
    );
    assert_eq!(index.insert(&entries).await.expect("inserted"), inserted(8, 12));
    assert_eq!(index.insert(&entries).await.expect("inserted"), inserted(0, 20));
    let once_more = Dice::new(2).entries(1);
    let twice = [once_more[0].clone(), once_more[0].clone()];
    assert_eq!(index.insert(&twice).await.expect("inserted"), inserted(1, 1));
    for entry in &entries {
        assert_eq!(
            index.entry(entry.id).await.expect("an answer").as_ref(),
            Some(entry)
        );
    }
    let keys: Vec<_> = [&entries[3].key, &format!("{}x", entries[3].key), &entries[7].key]
        .map(Clone::clone)
        .into();
    assert_eq!(
        index.contains(&keys).await.expect("an answer"),
        [true, false, true]
    );
    assert_eq!(index.totals().await.expect("totals").pending_chunks, 21);
}

async fn a_key_or_an_id_that_is_there_changes_nothing(place: &impl Database) {
    let index = place.open().await;
    let entries = Dice::new(3).entries(2);
    index.insert(&entries[..1]).await.expect("inserted");
    let other_id = IndexEntry {
        id: entries[1].id,
        ..entries[0].clone()
    };
    let other_key = IndexEntry {
        key: entries[1].key.clone(),
        ..entries[0].clone()
    };
    let found = index.insert(&[other_id, other_key]).await.expect("inserted");
    assert_eq!(found, inserted(0, 2));
    assert_eq!(
        index.entry(entries[0].id).await.expect("an answer").as_ref(),
        Some(&entries[0])
    );
    assert_eq!(index.entry(entries[1].id).await.expect("an answer"), None);
    assert_eq!(index.pending(9).await.expect("pending").len(), 1);
}

async fn what_was_inserted_is_there_after_reopening(place: &impl Database) {
    let entries = Dice::new(4).entries(9);
    let index = place.open().await;
    index.insert(&entries).await.expect("inserted");
    let before = index.totals().await.expect("totals");
    drop(index);
    let again = place.open().await;
    assert_eq!(again.totals().await.expect("totals"), before);
    assert_eq!(
        again.entry(entries[5].id).await.expect("an answer").as_ref(),
        Some(&entries[5])
    );
    let pending = again.pending(99).await.expect("pending");
    assert!(pending.iter().map(|chunk| &chunk.entry).eq(&entries));
}

async fn sums_are_those_of_the_entries(place: &impl Database) {
    let index = place.open().await;
    let entries = Dice::new(5).entries(60);
    index.insert(&entries).await.expect("inserted");
    index.insert(&entries).await.expect("inserted");
    let totals = index.totals().await.expect("totals");
    let sum = |of: fn(&IndexEntry) -> u64| entries.iter().map(of).sum::<u64>();
    assert_eq!((totals.chunks, totals.records), (60, sum(|entry| entry.records)));
    assert_eq!(totals.stored_bytes, sum(|entry| entry.stored_bytes));
    assert_eq!(totals.received_bytes, sum(|entry| entry.received_bytes));
    let all = index.products(usize::MAX).await.expect("products");
    assert_eq!(all.left_out, 0);
    let products = all.products;
    for limit in [1, products.len() / 2, products.len(), products.len() + 1] {
        let some = index.products(limit).await.expect("products");
        let there = limit.min(products.len());
        assert_eq!(some.products, products[..there]);
        assert_eq!(some.left_out, (products.len() - there) as u64);
    }
    assert_eq!(
        products.iter().map(|product| product.records).sum::<u64>(),
        totals.records
    );
    assert!(products.is_sorted_by(|one, next| one.records >= next.records));
    for product in products {
        let is_its = |entry: &&IndexEntry| {
            [
                ping::Dimension::SourceName,
                ping::Dimension::DocType,
                ping::Dimension::AppName,
            ]
            .map(|dimension| entry.partition.get(dimension))
                == [product.namespace.as_str(), &product.doc_type, &product.app_name]
        };
        let expected: u64 = entries.iter().filter(is_its).map(|entry| entry.records).sum();
        assert_eq!(product.records, expected, "{product:?}");
    }
}

async fn two_processes_add_each_entry_once(place: &impl Database) {
    let (one, other) = (place.open().await, place.open().await);
    let entries = Dice::new(6).entries(80);
    let insert = async |index: &Arc<dyn RetainIndex>, entries: &[IndexEntry]| {
        let mut added = 0;
        for some in entries.chunks(7) {
            added += index.insert(some).await.expect("inserted").added;
        }
        added
    };
    let (by_one, by_other) = tokio::join!(insert(&one, &entries[..50]), insert(&other, &entries[30..]));
    assert_eq!(by_one + by_other, 80);
    for index in [&one, &other] {
        let pending = index.pending(100).await.expect("pending");
        let ids: BTreeSet<ChunkId> = pending.iter().map(|chunk| chunk.entry.id).collect();
        assert_eq!((pending.len(), ids.len()), (80, 80));
        assert_eq!(index.totals().await.expect("totals").chunks, 80);
    }
}

async fn the_generation_is_kept(place: &impl Database) {
    let index = place.open().await;
    assert_eq!(index.generation().await.expect("an answer"), 0);
    let none = Floors::default();
    assert!(
        !index
            .set_generation(Swap::to(3, 1, none))
            .await
            .expect("an answer"),
        "nothing was removed"
    );
    assert!(index.set_generation(Swap::to(3, 0, none)).await.expect("set"));
    assert_eq!(index.generation().await.expect("an answer"), 3);
    assert_eq!(place.open().await.generation().await.expect("an answer"), 3);
}

async fn a_write_that_fails_leaves_nothing_behind(place: &impl Database) {
    let index = place.open().await;
    let mut entries = Dice::new(2).entries(3);
    entries[2].records = u64::MAX;
    assert!(index.insert(&entries).await.is_err());
    assert_eq!(index.totals().await.expect("totals").chunks, 0);
    assert_eq!(index.pending(9).await.expect("pending").len(), 0);
}

async fn partitions_are_summed_and_ordered_as_the_slow_way_does(place: &impl Database) {
    let index = place.open().await;
    let entries = Dice::new(3).entries(200);
    index.insert(&entries).await.expect("inserted");
    for order in [PartitionOrder::StoredBytes, PartitionOrder::Records] {
        let (mut found, mut sizes) = (Vec::new(), Vec::new());
        loop {
            let page = index.partitions(order, found.len(), 7).await.expect("answered");
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        for one in &found {
            let same = entries
                .iter()
                .filter(|entry| entry.kind == one.kind && entry.partition == one.partition);
            let sums = same.fold((0, 0, 0), |(chunks, records, bytes), entry| {
                (chunks + 1, records + entry.records, bytes + entry.stored_bytes)
            });
            assert_eq!((one.chunks, one.records, one.stored_bytes), sums, "{one:?}");
            sizes.push(match order {
                PartitionOrder::StoredBytes => one.stored_bytes,
                PartitionOrder::Records => one.records,
            });
        }
        assert_eq!(found.iter().map(|one| one.chunks).sum::<u64>(), 200);
        assert!(sizes.is_sorted_by(|one, next| one >= next), "{sizes:?}");
    }
}

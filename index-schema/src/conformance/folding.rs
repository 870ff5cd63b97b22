//! What the aggregator asks of the index: pending chunks, failures, and what is set aside.

use ping::ChunkId;

use super::{Database, Dice};
use crate::{FAILURES_MAX, Index, IndexEntry, SetAside};

async fn pending_ids(index: &dyn Index, limit: usize) -> Vec<ChunkId> {
    index
        .pending(limit)
        .await
        .expect("pending")
        .into_iter()
        .map(|chunk| chunk.entry.id)
        .collect()
}

fn ids(entries: &[IndexEntry]) -> Vec<ChunkId> {
    entries.iter().map(|entry| entry.id).collect()
}

pub(super) async fn pending_chunks_come_in_order_of_arrival(place: &impl Database) {
    let index = place.open().await;
    let mut entries = Dice::new(11).entries(12);
    entries.reverse();
    for entry in &entries {
        index.insert(std::slice::from_ref(entry)).await.expect("inserted");
    }
    index.insert(&entries).await.expect("inserted");
    assert_eq!(pending_ids(&*index, 100).await, ids(&entries));
    assert_eq!(pending_ids(&*index, 5).await, ids(&entries[..5]));
    assert_eq!(pending_ids(&*index, 0).await, []);
    index.fail(entries[0].id, "once").await.expect("noted");
    assert_eq!(
        pending_ids(&*index, 1).await,
        ids(&entries[..1]),
        "a failure does not change the order"
    );
    let pending = index.pending(2).await.expect("pending");
    assert_eq!(
        pending.iter().map(|chunk| chunk.failures).collect::<Vec<_>>(),
        [1, 0]
    );
    assert_eq!(pending[0].entry, entries[0]);
}

pub(super) async fn a_settled_chunk_is_no_longer_pending(place: &impl Database) {
    let index = place.open().await;
    let entries = Dice::new(12).entries(6);
    index.insert(&entries).await.expect("inserted");
    let unknown = Dice::new(13).entries(1)[0].id;
    for _ in 0..2 {
        index
            .settle(&[entries[1].id, unknown, entries[4].id])
            .await
            .expect("settled");
        let left = [0, 2, 3, 5].map(|at: usize| entries[at].id);
        assert_eq!(pending_ids(&*index, 9).await, left);
        assert_eq!(index.totals().await.expect("totals").pending_chunks, 4);
    }
    index.insert(&entries).await.expect("inserted");
    assert_eq!(
        pending_ids(&*index, 9).await.len(),
        4,
        "a second announcement does not make it pending again"
    );
    assert_eq!(index.fail(entries[1].id, "late").await.expect("an answer"), 0);
}

pub(super) async fn the_third_failure_sets_a_chunk_aside(place: &impl Database) {
    let index = place.open().await;
    let entries = Dice::new(14).entries(3);
    index.insert(&entries).await.expect("inserted");
    let chunk = entries[1].id;
    for times in 1..=FAILURES_MAX {
        assert_eq!(pending_ids(&*index, 9).await.len(), 3);
        assert_eq!(
            index
                .fail(chunk, &format!("reason {times}"))
                .await
                .expect("noted"),
            times
        );
    }
    assert_eq!(pending_ids(&*index, 9).await, [entries[0].id, entries[2].id]);
    let aside = SetAside {
        key: entries[1].key.clone(),
        reason: format!("reason {FAILURES_MAX}"),
    };
    assert_eq!(index.set_aside().await.expect("an answer"), [aside]);
    assert_eq!(index.fail(chunk, "again").await.expect("an answer"), FAILURES_MAX);
    let totals = index.totals().await.expect("totals");
    assert_eq!(
        (totals.chunks, totals.pending_chunks, totals.set_aside),
        (3, 2, 1)
    );
    index.settle(&[chunk]).await.expect("settled");
    assert_eq!(
        index.set_aside().await.expect("an answer"),
        [],
        "another process folded it after all"
    );
}

pub(super) async fn a_rebuild_makes_chunks_pending_again(place: &impl Database) {
    let index = place.open().await;
    let entries = Dice::new(15).entries(8);
    index.insert(&entries).await.expect("inserted");
    index.settle(&ids(&entries[..5])).await.expect("settled");
    index.fail(entries[6].id, "once").await.expect("noted");
    for _ in 0..FAILURES_MAX {
        index.fail(entries[7].id, "always").await.expect("noted");
    }
    let some = [entries[2].id, entries[7].id, Dice::new(16).entries(1)[0].id];
    assert_eq!(index.make_pending(Some(&some)).await.expect("made"), 2);
    let expected = [5, 6, 2, 7].map(|at: usize| entries[at].id);
    assert_eq!(pending_ids(&*index, 9).await, expected);
    assert_eq!(index.make_pending(None).await.expect("made"), 8);
    let pending = index.pending(9).await.expect("pending");
    assert_eq!(pending.len(), 8);
    assert!(pending.iter().all(|chunk| chunk.failures == 0));
    assert_eq!(index.set_aside().await.expect("an answer"), []);
}

pub(super) async fn what_cannot_be_read_is_noted_until_it_can(place: &impl Database) {
    let index = place.open().await;
    let entries = Dice::new(17).entries(1);
    index
        .note_unreadable(&entries[0].key, "cut")
        .await
        .expect("noted");
    index
        .note_unreadable("pings/a.zst", "no chunk key")
        .await
        .expect("noted");
    index
        .note_unreadable(&entries[0].key, "damaged")
        .await
        .expect("noted");
    let aside = index.set_aside().await.expect("an answer");
    let found: Vec<_> = aside
        .iter()
        .map(|aside| (aside.key.as_str(), aside.reason.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("pings/a.zst", "no chunk key"),
            (entries[0].key.as_str(), "damaged")
        ]
    );
    assert_eq!(index.totals().await.expect("totals").set_aside, 2);
    index.insert(&entries).await.expect("inserted");
    let aside = index.set_aside().await.expect("an answer");
    assert_eq!(
        aside.len(),
        1,
        "what was repaired is no longer set aside: {aside:?}"
    );
}

//! A batch that was folded on top of copies that are not the stored ones any more is not written.

use aggregate_store::conformance::{chunk_id, dump_of};
use aggregate_store::{
    AggregateReads, AggregateStore, Batch, Committed, PostgresAggregates, SeenIds, SeenRow,
};
use tokio::sync::mpsc;

use crate::dice::Dice;
use crate::pings::{Ping, chunks, fold};
use crate::test_database::TestDatabase;

/// Three chunks, each of which has copies of a document of each other one.
fn three() -> Vec<Vec<Ping>> {
    let all = chunks(&mut Dice::new(5), 3);
    let documents = |at: usize| {
        let pings = all.values().nth(at).expect("a chunk").iter();
        pings.map(|ping| ping.document).collect::<Vec<_>>()
    };
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        assert!(
            documents(one)
                .iter()
                .any(|document| documents(other).contains(document))
        );
    }
    all.into_values().collect()
}

async fn stored(store: &PostgresAggregates, pings: &[Ping]) -> Vec<SeenRow> {
    let documents: Vec<_> = pings.iter().map(|ping| ping.document).collect();
    store.seen(&documents).await.expect("copies")
}

async fn commit(store: &PostgresAggregates, batch: Batch) -> Committed {
    store.commit(batch).await.expect("an answer")
}

#[tokio::test]
async fn a_batch_whose_documents_got_copies_meanwhile_is_folded_again() {
    let Some(place) = TestDatabase::new() else { return };
    let (one, other) = (place.open().await, place.open().await);
    let chunks = three();
    let late = fold(&[&chunks[1]], stored(&one, &chunks[1]).await);
    let first = fold(&[&chunks[0]], stored(&other, &chunks[0]).await);
    assert_eq!(commit(&other, first).await, Committed::Written);
    let before = (dump_of(&*one).await, one.status().await.expect("counters"));
    assert_eq!(commit(&one, late).await, Committed::Outdated);
    assert_eq!(
        (dump_of(&*one).await, one.status().await.expect("counters")),
        before
    );
    assert_eq!(
        one.folded(&[chunk_id(7, 1, 1)]).await.expect("an answer"),
        [false]
    );
    let again = fold(&[&chunks[1]], stored(&one, &chunks[1]).await);
    assert_eq!(commit(&one, again).await, Committed::Written);
}

#[tokio::test]
async fn any_difference_of_what_is_known_from_what_is_stored_is_noticed() {
    let Some(place) = TestDatabase::new() else { return };
    let store = place.open().await;
    let chunks = three();
    for chunk in &chunks[..2] {
        let batch = fold(&[chunk], stored(&store, chunk).await);
        assert_eq!(commit(&store, batch).await, Committed::Written);
    }
    let right = fold(&[&chunks[2]], stored(&store, &chunks[2]).await);
    assert!(!right.known.is_empty());
    let named = |row: &SeenRow| right.seen.iter().any(|seen| seen.key == row.key);
    let at = right.known.iter().position(named).expect("a row that matters");
    let wrong: [fn(&mut Vec<SeenRow>, usize); 4] = [
        |known, at| known[at].counted = !known[at].counted,
        |known, at| known[at].position += 1,
        |known, at| known.truncate(at),
        |known, at| {
            let mut more = known[at].clone();
            more.record.sequence += 1_000;
            known.push(more);
        },
    ];
    for spoil in wrong {
        let mut batch = right.clone();
        spoil(&mut batch.known, at);
        assert_eq!(commit(&store, batch).await, Committed::Outdated);
    }
    // Rows of documents of which it writes nothing do not matter, nor does the order.
    let mut batch = right.clone();
    batch.known.reverse();
    let mut other = right.known[at].clone();
    other.key = ping::DocumentKey::from_bytes([9; 16]);
    batch.known.push(other);
    assert_eq!(commit(&store, batch).await, Committed::Written);
}

#[tokio::test]
async fn a_batch_in_parts_that_is_outdated_at_its_end_leaves_nothing() {
    let Some(place) = TestDatabase::new() else { return };
    let store = place.open().await;
    let chunks = three();
    let whole = fold(&[&chunks[1]], stored(&store, &chunks[1]).await);
    let first = fold(&[&chunks[0]], stored(&store, &chunks[0]).await);
    assert_eq!(commit(&store, first).await, Committed::Written);
    let before = dump_of(&*store).await;
    let sums = Batch {
        chunks: Vec::new(),
        seen: Vec::new(),
        known: Vec::new(),
        ..whole.clone()
    };
    let end = Batch {
        chunks: whole.chunks,
        seen: whole.seen,
        known: whole.known,
        ..Batch::default()
    };
    let (sender, parts) = mpsc::channel(2);
    for part in [sums, end] {
        sender.send(part).await.expect("room");
    }
    assert_eq!(
        store.commit_parts(parts).await.expect("an answer"),
        Committed::Outdated
    );
    assert_eq!(dump_of(&*store).await, before);
}

//! Several processes that fold the same chunks, with copies of the same documents: each ping counts once, as an oracle
//! says that has all of them before its eyes.

use std::collections::BTreeMap;
use std::sync::Arc;

use aggregate_store::conformance::dump_of;
use aggregate_store::{
    AggregateReads, AggregateStore, Committed, PostgresAggregates, SeenIds, SqliteAggregates,
};
use ping::ChunkId;
use service::task;

use crate::dice::{Dice, seeds};
use crate::pings::{Ping, chunks, document, fold};
use crate::test_database::TestDatabase;

type Chunks = BTreeMap<ChunkId, Vec<Ping>>;

/// Folds until nothing is left, some chunks at a time. Answers how often others were faster, and how often outdated.
async fn fold_all(store: Arc<PostgresAggregates>, chunks: Arc<Chunks>, mut dice: Dice) -> (u32, u32) {
    let (mut faster, mut outdated) = (0, 0);
    loop {
        let ids: Vec<ChunkId> = chunks.keys().copied().collect();
        let folded = store.folded(&ids).await.expect("an answer");
        let mut left: Vec<ChunkId> = ids
            .into_iter()
            .zip(folded)
            .filter_map(|(id, folded)| (!folded).then_some(id))
            .collect();
        if left.is_empty() {
            return (faster, outdated);
        }
        let many = 1 + dice.index(3);
        let mut taken = Vec::new();
        while taken.len() < many && !left.is_empty() {
            taken.push(left.swap_remove(dice.index(left.len())));
        }
        let pings: Vec<&Vec<Ping>> = taken.iter().map(|id| &chunks[id]).collect();
        let mut documents: Vec<_> = pings
            .iter()
            .copied()
            .flatten()
            .map(|ping| ping.document)
            .collect();
        documents.sort_unstable();
        documents.dedup();
        let stored = store.seen(&documents).await.expect("copies");
        if dice.below(2) == 0 {
            tokio::task::yield_now().await;
        }
        match store.commit(fold(&pings, stored)).await.expect("an answer") {
            Committed::Written => {}
            Committed::AlreadyFolded(theirs) => {
                assert!(theirs.iter().all(|chunk| taken.contains(chunk)));
                faster += 1;
            }
            Committed::Outdated => outdated += 1,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_that_fold_the_same_chunks_count_every_ping_once() {
    let Some(place) = TestDatabase::new() else { return };
    let (mut faster, mut outdated) = (0, 0);
    for seed in seeds() {
        let mut dice = Dice::new(seed);
        let place = TestDatabase::on(place.server.clone());
        let chunks = Arc::new(chunks(&mut dice, 24));
        let (one, other) = (place.open().await, place.open().await);
        let stores = [one.clone(), one.clone(), other.clone(), other];
        let workers: Vec<_> = stores
            .into_iter()
            .map(|store| {
                let dice = Dice::new(dice.below(1 << 40));
                task::spawn("folder", fold_all(store, chunks.clone(), dice))
            })
            .collect();
        for worker in workers {
            let (theirs, olds) = worker.await.expect("it ended");
            (faster, outdated) = (faster + theirs, outdated + olds);
        }
        let folder = tempfile::tempdir().expect("a folder");
        let oracle = SqliteAggregates::open(&folder.path().join("oracle")).expect("opened");
        let all: Vec<&Vec<Ping>> = chunks.values().collect();
        let committed = oracle.commit(fold(&all, Vec::new())).await.expect("written");
        assert_eq!(committed, Committed::Written);
        assert_eq!(dump_of(&*one).await, dump_of(&oracle).await);
        assert_eq!(
            one.status().await.expect("counters"),
            oracle.status().await.expect("counters")
        );
        let documents: Vec<_> = (0..30).map(document).collect();
        assert_eq!(
            one.seen(&documents).await.expect("copies"),
            oracle.seen(&documents).await.expect("copies")
        );
        assert_eq!(
            one.folded_ids(None, 99).await.expect("chunks"),
            oracle.folded_ids(None, 99).await.expect("chunks")
        );
    }
    println!("{faster} batches were folded by others first, {outdated} were outdated");
    assert!(faster + outdated > 0, "they met");
}

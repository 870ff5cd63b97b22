//! All chunks folded into fresh aggregates, one at a time, the last first.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};

use aggregate_store::{AggregateReads, AggregateStore, SqliteAggregates, Status};
use aggregator::{Aggregator, AggregatorSettings, Step};
use index_schema::{Index, SqliteIndex};
use lambda_indexer::Indexer;
use service::current::Current;
use simulation::Chunks;
use store::Store;
use tokio::sync::mpsc;

use crate::world::{World, folder};

/// The dump and the status of all chunks folded into fresh aggregates. What it answers depends on the chunks alone, so
/// equal chunks are folded once.
pub(crate) async fn fold(world: &World, chunks: &Chunks) -> (Vec<String>, Status) {
    let digest = digest(chunks);
    if let Some(known) = known().get(&digest) {
        return known.clone();
    }
    let folded = fold_anew(world, chunks).await;
    known().insert(digest, folded.clone());
    folded
}

fn known() -> MutexGuard<'static, BTreeMap<u64, (Vec<String>, Status)>> {
    static KNOWN: Mutex<BTreeMap<u64, (Vec<String>, Status)>> = Mutex::new(BTreeMap::new());
    KNOWN.lock().expect("nothing panics that holds it")
}

/// Of everything that is stored.
fn digest(chunks: &Chunks) -> u64 {
    let mut hasher = DefaultHasher::new();
    chunks.hash(&mut hasher);
    hasher.finish()
}

async fn fold_anew(world: &World, chunks: &Chunks) -> (Vec<String>, Status) {
    let folder = folder();
    let index: Arc<dyn Index> = SqliteIndex::open(&folder.path().join("index.sqlite")).expect("an index");
    let aggregates = SqliteAggregates::open(&folder.path().join("aggregates.sqlite"));
    let aggregates = Arc::new(aggregates.expect("aggregates"));
    let behind: Arc<dyn AggregateStore> = aggregates.clone();
    let store: Arc<dyn Store> = world.bare_store();
    let indexer = Indexer::new(Arc::clone(&store), Arc::clone(&index));
    let aggregator = Aggregator::new(
        index,
        store,
        Arc::new(Current::new(behind)),
        world.clock.clone(),
        AggregatorSettings::default(),
    );
    for key in chunks.keys().rev() {
        indexer
            .object_created(std::slice::from_ref(key))
            .await
            .expect("indexed");
        while aggregator.step().await.expect("folded") != Step::Idle {}
    }
    (
        dump(&aggregates).await,
        aggregates.status().await.expect("a status"),
    )
}

/// All lines of a dump.
pub(crate) async fn dump(aggregates: &SqliteAggregates) -> Vec<String> {
    let (sender, mut receiver) = mpsc::channel(1_000);
    let collect = async {
        let mut lines = Vec::new();
        while let Some(line) = receiver.recv().await {
            lines.push(line);
        }
        lines
    };
    let (sent, lines) = tokio::join!(aggregates.dump(sender), collect);
    sent.expect("a dump");
    lines
}

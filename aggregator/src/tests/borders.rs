//! Repeats across every border of a rebuild: while it reads a chunk, the loop folds copies of documents on both sides.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use index_schema::ChunkKind;
use store::{Payload, Store, StoreError};

use super::memory::MemoryAggregates;
use super::records::{Dice, Stored, by_chunk, expected, throw};
use super::world::{World, chunk_of, settle, small_batches};
use crate::Aggregator;

/// A store at which, before a chosen chunk is opened, other chunks come in and are folded by the loop.
#[derive(Debug)]
struct Meanwhile {
    inner: store::MemoryStore,
    index: Arc<index_schema::SqliteIndex>,
    aggregator: OnceLock<Weak<Aggregator>>,
    /// Chunks that are opened before; far too many when nothing is to come in.
    opens: AtomicUsize,
    coming: Vec<Vec<Stored>>,
}

impl Meanwhile {
    async fn come_in(&self) {
        for (at, records) in self.coming.iter().enumerate() {
            add(&self.inner, &self.index, 1_000 + at as u64, records).await;
        }
        let aggregator = self.aggregator.get().and_then(Weak::upgrade);
        settle(&aggregator.expect("it runs")).await;
    }
}

async fn add(store: &store::MemoryStore, index: &index_schema::SqliteIndex, plan: u64, records: &[Stored]) {
    let (key, bytes) = chunk_of(plan, ChunkKind::Pings, records);
    let total = bytes.len() as u64;
    let tail = chunk::Tail::parse(&bytes, total).expect("a chunk");
    let entry = chunk::entry_of(&key, &tail, total).expect("an entry");
    let put = store.put_if_absent(&key, Payload::Bytes(bytes)).await;
    put.expect("a put");
    index_schema::Index::insert(index, &[entry])
        .await
        .expect("an insert");
}

#[async_trait::async_trait]
impl Store for Meanwhile {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<store::Put, StoreError> {
        self.inner.put_if_absent(key, payload).await
    }
    async fn get(&self, key: &str) -> Result<bytes::Bytes, StoreError> {
        self.inner.get(key).await
    }
    async fn get_range(&self, key: &str, range: std::ops::Range<u64>) -> Result<bytes::Bytes, StoreError> {
        self.inner.get_range(key, range).await
    }
    async fn get_tail(&self, key: &str, len: u64) -> Result<(bytes::Bytes, u64), StoreError> {
        if self.opens.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.opens.store(usize::MAX / 2, Ordering::SeqCst);
            self.come_in().await;
        }
        self.inner.get_tail(key, len).await
    }
    async fn head(&self, key: &str) -> Result<Option<store::ObjectMeta>, StoreError> {
        self.inner.head(key).await
    }
    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<store::ListPage, StoreError> {
        self.inner.list(prefix, after, limit).await
    }
    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.inner.delete(key).await
    }
}

/// Other copies of the same documents, received a little earlier or later.
fn copies_of(dice: &mut Dice, stored: &[Stored]) -> Vec<Stored> {
    let mut copies = stored.to_vec();
    for (at, copy) in copies.iter_mut().enumerate() {
        copy.head.id.sequence = 10_000 + at as u64;
        let shift = [-1, 1, -1_000_000, 1_000_000][dice.below(4)];
        copy.head.received = copy.head.received.saturating_add_micros(shift);
        copy.head.submission_date = copy.head.received.submission_date();
    }
    copies
}

#[tokio::test]
async fn repeats_across_every_border_of_a_rebuild_count_once_while_the_loop_folds_them() {
    let mut dice = Dice(17);
    let stored = throw(&mut dice, 60);
    let chunks = by_chunk(&mut dice, &stored);
    let copies = copies_of(&mut dice, &stored);
    let coming = by_chunk(&mut dice, &copies);
    let all: Vec<Stored> = stored.iter().chain(&copies).cloned().collect();
    let expected = expected(&all);
    for border in 0..chunks.len() {
        let world = World::new();
        let store = Arc::new(Meanwhile {
            inner: world.store.clone(),
            index: Arc::clone(&world.index),
            aggregator: OnceLock::new(),
            opens: AtomicUsize::new(usize::MAX / 2),
            coming: coming.clone(),
        });
        for (plan, records) in chunks.iter().enumerate() {
            add(&world.store, &world.index, plan as u64, records).await;
        }
        let aggregator = world.aggregator_over(Arc::clone(&store) as _, small_batches());
        settle(&aggregator).await;
        let _ = store.aggregator.set(Arc::downgrade(&aggregator));
        store.opens.store(border, Ordering::SeqCst);
        let shadow: Arc<MemoryAggregates> = Arc::default();
        let rebuilt = aggregator.rebuild(Arc::clone(&shadow) as _, 1, &|_| {}).await;
        rebuilt.expect("a rebuild");
        assert_eq!(
            world.aggregates.state().content(),
            expected,
            "the old ones, border {border}"
        );
        settle(&aggregator).await;
        assert_eq!(shadow.state().content(), expected, "border {border}");
    }
}

//! Chunks that cannot be read: each costs what is in it, or what repeats that, and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aggregate_store::{AggregateReads, AggregateStore, ErroredRow};
use index_schema::{ChunkKind, Index};
use ping::{RecordId, Submission};
use store::{Payload, Store};

use super::bad_sectors::BadSectors;
use super::memory::MemoryAggregates;
use super::records::{Dice, Stored, by_chunk, expected, throw};
use super::world::{World, settle, small_batches};
use crate::batch_fold::DISPLACED_UNREADABLE;
use crate::fold::FoldSettings;
use crate::{Aggregator, AggregatorError, Step};

/// What was done to a chunk that was folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    /// It lies on a bad sector, or is archived, or may not be read.
    Unreachable,
    Deleted,
    /// A bit in its first data frame.
    Flipped,
    /// Cut to its half.
    Cut,
}

const HARMS: [Harm; 4] = [Harm::Unreachable, Harm::Deleted, Harm::Flipped, Harm::Cut];

/// Puts other bytes in the place of an object.
async fn replace(world: &World, key: &str, bytes: Vec<u8>) {
    world.store.delete(key).await.expect("a delete");
    let payload = Payload::Bytes(bytes.into());
    world.store.put_if_absent(key, payload).await.expect("a put");
}

async fn harm(world: &World, key: &str, harm: Harm) {
    let bytes = world.store.get(key).await.expect("an object").to_vec();
    match harm {
        Harm::Unreachable => {}
        Harm::Deleted => world.store.delete(key).await.expect("a delete"),
        Harm::Flipped => {
            let mut flipped = bytes;
            flipped[40] ^= 1;
            replace(world, key, flipped).await;
        }
        Harm::Cut => replace(world, key, bytes[..bytes.len() / 2].to_vec()).await,
    }
}

async fn error_rows(world: &World) -> Vec<ErroredRow> {
    let rows = world.aggregates.errored(None, 10_000).await.expect("rows");
    rows.into_iter()
        .filter(|row| row.reason == DISPLACED_UNREADABLE)
        .collect()
}

/// Looks until nothing is pending, as time goes on.
async fn fold_all(world: &World, aggregator: &Aggregator) {
    for _ in 0..1_000 {
        if world.index.totals().await.expect("totals").pending_chunks == 0 {
            return;
        }
        match aggregator.step().await {
            Ok(Step::Idle) => world.clock.advance(Duration::from_secs(1)),
            Ok(_) | Err(AggregatorError::Unreachable { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("chunks stay pending");
}

fn document(record: &Stored) -> Option<[u8; 16]> {
    let uri = std::str::from_utf8(&record.head.uri).expect("a URI");
    let key = Submission::parse(uri).expect("a submission").document_key();
    key.map(|key| *key.as_bytes())
}

/// Whether a copy after this one, within the window, lies in a harmed chunk.
fn displaces(record: &Stored, harmed: &[&Stored]) -> bool {
    let window = FoldSettings::default().repeat_window.as_micros() as i64;
    let order = |record: &Stored| (record.head.received, record.head.id);
    harmed.iter().any(|other| {
        document(other) == document(record)
            && order(other) > order(record)
            && other.head.received.micros_since(record.head.received) <= window
    })
}

#[tokio::test]
async fn a_copy_that_cannot_be_taken_back_costs_the_pings_that_repeat_it_until_a_replay_after_the_repair() {
    let mut all_errored = 0;
    for seed in 0..24 {
        let kind = HARMS[seed as usize % HARMS.len()];
        let (world, mut dice) = (World::new(), Dice(seed));
        let stored = throw(&mut dice, 100);
        let chunks = by_chunk(&mut dice, &stored);
        let (old, new) = chunks.split_at(chunks.len() / 2);
        let (mut harmed, mut keys, mut repaired) = (Vec::new(), Vec::new(), Vec::new());
        for (plan, records) in old.iter().enumerate() {
            let key = world.add_chunk(plan as u64, ChunkKind::Pings, records).await;
            if dice.below(2) == 0 {
                harmed.extend(records);
                repaired.push((key.clone(), world.store.get(&key).await.expect("an object")));
                keys.push(key);
            }
        }
        settle(&world.aggregator_with(small_batches())).await;
        for key in &keys {
            harm(&world, key, kind).await;
        }
        let unreachable: &[String] = if kind == Harm::Unreachable { &keys } else { &[] };
        let store = BadSectors::under(&world.store, unreachable);
        let settings = match seed % 2 {
            0 => small_batches(),
            _ => crate::AggregatorSettings::default(),
        };
        let aggregator = world.aggregator_over(Arc::clone(&store) as _, settings);
        for (plan, records) in new.iter().enumerate() {
            let plan = (old.len() + plan) as u64;
            world.add_chunk(plan, ChunkKind::Pings, records).await;
        }
        fold_all(&world, &aggregator).await;
        assert_eq!(world.index.set_aside().await.expect("a list"), [], "seed {seed}");
        let rows = error_rows(&world).await;
        let errored: BTreeSet<RecordId> = rows.iter().map(|row| row.record).collect();
        let is_errored = |record: &&Stored| errored.contains(&record.head.id);
        for record in stored.iter().filter(is_errored) {
            assert!(displaces(record, &harmed), "seed {seed}: {record:?} is errored");
        }
        // The others count as if the errored ones had never come.
        let others: Vec<Stored> = stored
            .iter()
            .filter(|record| !is_errored(record))
            .cloned()
            .collect();
        let (cells, users, mut status) = expected(&others);
        let count = i64::try_from(rows.len()).expect("few");
        status.counters.errored_pings += count;
        if count > 0 {
            status
                .errored_by_reason
                .insert(DISPLACED_UNREADABLE.to_owned(), count);
        }
        assert_eq!(
            world.aggregates.state().content(),
            (cells, users, status),
            "seed {seed} {kind:?}"
        );
        // A replay before the repair changes nothing, and says so.
        let before = world.aggregates.state().clone();
        let done = aggregator.replay_errors(&|_| {}).await.expect("a replay");
        // Pings that are errored for other reasons and lie in a harmed chunk cannot be read either.
        assert!(
            done.replayed == 0 && done.unreadable >= rows.len() as u64,
            "seed {seed}: {done:?}"
        );
        assert_eq!(*world.aggregates.state(), before);
        for (key, bytes) in repaired {
            // Some are deleted, which is well.
            let _ = world.store.delete(&key).await;
            world
                .store
                .put_if_absent(&key, Payload::Bytes(bytes))
                .await
                .expect("a put");
        }
        store.set([]);
        let done = aggregator.replay_errors(&|_| {}).await.expect("a replay");
        assert_eq!(
            (done.replayed, done.unreadable),
            (rows.len() as u64, 0),
            "seed {seed}"
        );
        assert_eq!(
            world.aggregates.state().content(),
            expected(&stored),
            "seed {seed}"
        );
        all_errored += rows.len();
    }
    assert!(all_errored > 30, "only {all_errored}");
}

/// One document, a copy in each chunk, each received before the one in the chunk before.
fn copies(count: usize) -> Vec<Stored> {
    let mut dice = Dice(5);
    let body = r#"{"clientId":"c","payload":{"histograms":{"A":{"range":[1,100],"bucket_count":10,"histogram_type":0,"values":{"2":1},"sum":2}}},"application":{"channel":"nightly","version":"54.0"}}"#;
    let first = throw(&mut dice, 1).remove(0);
    let uri =
        "/submit/telemetry/10000000-0000-4000-8000-000000000001/main/Firefox/54.0/nightly/20170130030205?v=4";
    let noon = first
        .head
        .submission_date
        .start()
        .saturating_add_micros(43_200_000_000);
    let copy = |number: usize| {
        let mut record = first.clone();
        record.head.uri = uri.into();
        record.head.id.sequence = number as u64;
        record.head.received = noon.saturating_add_micros(-1_000 * number as i64);
        record.head.submission_date = record.head.received.submission_date();
        record.body = body.as_bytes().to_vec();
        record
    };
    (0..count).map(copy).collect()
}

#[tokio::test]
async fn a_chunk_that_could_not_be_read_three_times_is_not_tried_for_an_hour() {
    let (world, stored) = (World::new(), copies(4));
    let lost = world.add_chunk(0, ChunkKind::Pings, &stored[..1]).await;
    settle(&world.aggregator()).await;
    let store = BadSectors::under(&world.store, &[lost]);
    let aggregator = world.aggregator_over(Arc::clone(&store) as _, small_batches());
    for (plan, tries, later) in [(1, 3, 0), (2, 0, 3_599), (3, 3, 1)] {
        world.clock.advance(Duration::from_secs(later));
        let record = &stored[plan..=plan];
        world.add_chunk(plan as u64, ChunkKind::Pings, record).await;
        settle(&aggregator).await;
        assert_eq!(store.take_tries(), tries, "copy {plan}");
    }
    assert_eq!(error_rows(&world).await.len(), 3);
    assert_eq!(world.aggregates.state().status.counters.folded, 1);
}

#[tokio::test]
async fn a_store_out_of_reach_makes_no_ping_an_errored_one() {
    let (world, stored) = (World::new(), copies(2));
    let mut keys = vec![world.add_chunk(0, ChunkKind::Pings, &stored[..1]).await];
    settle(&world.aggregator()).await;
    keys.push(world.add_chunk(1, ChunkKind::Pings, &stored[1..]).await);
    let store = GoesAway::after(&world.store, &keys, 2);
    let aggregator = world.aggregator_over(Arc::clone(&store) as _, small_batches());
    let step = aggregator.step().await;
    assert!(
        matches!(step, Err(AggregatorError::Unreachable { .. })),
        "{step:?}"
    );
    assert_eq!(error_rows(&world).await, []);
    // Who waits until all is folded that can be waits for it no more.
    assert_eq!(aggregator.out_of_reach().map(|(chunks, _)| chunks), Some(1));
    store.come_back();
    world.clock.advance(Duration::from_secs(60));
    settle(&aggregator).await;
    assert_eq!(aggregator.out_of_reach(), None);
    assert_eq!(world.aggregates.state().content(), expected(&stored));
}

/// A store that can be read so often, then no more.
#[derive(Debug)]
struct GoesAway {
    sectors: Arc<BadSectors>,
    keys: Vec<String>,
    left: std::sync::atomic::AtomicU64,
}

impl GoesAway {
    fn after(inner: &store::MemoryStore, keys: &[String], reads: u64) -> Arc<Self> {
        Arc::new(Self {
            sectors: BadSectors::under(inner, &[]),
            keys: keys.to_vec(),
            left: reads.into(),
        })
    }

    fn come_back(&self) {
        self.left.store(u64::MAX, std::sync::atomic::Ordering::SeqCst);
        self.sectors.set([]);
    }

    fn read(&self) {
        use std::sync::atomic::Ordering::SeqCst;
        let left = self.left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        if left.is_err() {
            self.sectors.set(self.keys.iter().cloned());
        }
    }
}

#[async_trait::async_trait]
impl Store for GoesAway {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<store::Put, store::StoreError> {
        self.sectors.put_if_absent(key, payload).await
    }
    async fn get(&self, key: &str) -> Result<bytes::Bytes, store::StoreError> {
        self.read();
        self.sectors.get(key).await
    }
    async fn get_range(
        &self,
        key: &str,
        range: std::ops::Range<u64>,
    ) -> Result<bytes::Bytes, store::StoreError> {
        self.read();
        self.sectors.get_range(key, range).await
    }
    async fn get_tail(&self, key: &str, len: u64) -> Result<(bytes::Bytes, u64), store::StoreError> {
        self.read();
        self.sectors.get_tail(key, len).await
    }
    async fn head(&self, key: &str) -> Result<Option<store::ObjectMeta>, store::StoreError> {
        self.sectors.head(key).await
    }
    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<store::ListPage, store::StoreError> {
        self.sectors.list(prefix, after, limit).await
    }
    async fn delete(&self, key: &str) -> Result<(), store::StoreError> {
        self.sectors.delete(key).await
    }
}

#[tokio::test]
async fn a_record_in_the_place_of_another_is_never_taken_back_and_does_not_hold_up_its_neighbours() {
    let (world, stored) = (World::new(), copies(2));
    world.add_chunk(0, ChunkKind::Pings, &stored[..1]).await;
    // A chunk with another ping where the row of the copy will say that the copy lies.
    let mut other = stored[0].clone();
    other.head.id.sequence = 77;
    other.head.uri = "/submit/telemetry/x/main/Firefox/54.0/nightly/20170130030205?v=4".into();
    world
        .add_chunk(1, ChunkKind::Pings, std::slice::from_ref(&other))
        .await;
    settle(&world.aggregator()).await;
    world
        .aggregates
        .move_copy(stored[0].head.id, super::copies::id(1), 0);
    world.add_chunk(2, ChunkKind::Pings, &stored[1..]).await;
    settle(&world.aggregator()).await;
    let (cells, _, status) = expected(&[stored[0].clone(), other]);
    let state = world.aggregates.state().clone();
    assert_eq!(state.cells, cells);
    assert_eq!(state.status.counters.folded, status.counters.folded);
    assert_eq!(error_rows(&world).await.len(), 1);
}

/// A world with this many chunks, each with records of its own.
async fn many(count: usize, seed: u64) -> (World, Vec<Vec<Stored>>, Vec<String>) {
    let (world, mut dice) = (World::new(), Dice(seed));
    let (mut chunks, mut keys) = (Vec::new(), Vec::new());
    for plan in 0..count {
        let mut record = throw(&mut dice, 1);
        record[0].head.id.sequence = plan as u64;
        record[0].head.uri =
            format!("/submit/telemetry/{plan}/main/Firefox/54.0/nightly/20170130030205?v=4").into();
        keys.push(world.add_chunk(plan as u64, ChunkKind::Pings, &record).await);
        chunks.push(record);
    }
    (world, chunks, keys)
}

#[tokio::test]
async fn many_pending_chunks_that_cannot_be_reached_do_not_hide_those_behind_them() {
    let (world, chunks, keys) = many(260, 3).await;
    let bad = 250;
    let store = BadSectors::under(&world.store, &keys[..bad]);
    let aggregator = world.aggregator_over(Arc::clone(&store) as _, small_batches());
    let mut errors = 0;
    for _ in 0..30 {
        errors += u64::from(aggregator.step().await.is_err());
    }
    assert!(errors >= 1);
    let good: Vec<Stored> = chunks[bad..].concat();
    assert_eq!(world.aggregates.state().content(), expected(&good));
    assert_eq!(world.index.set_aside().await.expect("a list"), []);
    store.set([]);
    fold_all(&world, &aggregator).await;
    assert_eq!(world.aggregates.state().content(), expected(&chunks.concat()));
}

#[tokio::test]
async fn a_rebuild_goes_on_behind_chunks_that_cannot_be_reached_and_names_them_and_they_are_folded_once_they_can()
 {
    let (world, chunks, mut keys) = many(40, 4).await;
    let aggregator = world.aggregator();
    settle(&aggregator).await;
    keys.sort();
    // The oldest ones, as archived objects are, and one among the others.
    let bad: Vec<String> = keys[..30].iter().chain([&keys[35]]).cloned().collect();
    let store = BadSectors::under(&world.store, &bad);
    for witness in [true, false] {
        let aggregator = world.aggregator_over(Arc::clone(&store) as _, small_batches());
        if witness {
            let late = copies(1);
            world.add_chunk(1_000, ChunkKind::Pings, &late).await;
            settle(&aggregator).await;
        }
        let generation = world.index.generation().await.expect("a number") + 1;
        let shadow: Arc<MemoryAggregates> = Arc::default();
        let rebuilt = aggregator
            .rebuild(Arc::clone(&shadow) as _, generation, &|_| {})
            .await;
        let rebuilt = rebuilt.expect("a rebuild");
        assert_eq!((rebuilt.passed_over.chunks, rebuilt.records), (31, 10));
        assert!(
            rebuilt.passed_over.to_string().ends_with("; and 11 more"),
            "{}",
            rebuilt.passed_over
        );
        assert_eq!(world.index.generation().await.expect("a number"), generation);
        assert_eq!(world.index.totals().await.expect("totals").pending_chunks, 31);
        assert_eq!(world.index.set_aside().await.expect("a list"), []);
        if !witness {
            store.set([]);
            fold_all(&world, &aggregator).await;
            let all: Vec<Stored> = chunks.iter().flatten().cloned().chain(copies(1)).collect();
            assert_eq!(shadow.state().content(), expected(&all));
        }
    }
}

#[tokio::test]
async fn a_rebuild_over_a_store_out_of_reach_ends_and_changes_nothing() {
    let (world, chunks, keys) = many(12, 5).await;
    settle(&world.aggregator()).await;
    let store = BadSectors::under(&world.store, &keys);
    let aggregator = world.aggregator_over(Arc::clone(&store) as _, small_batches());
    let shadow: Arc<MemoryAggregates> = Arc::default();
    let ended = aggregator.rebuild(Arc::clone(&shadow) as _, 1, &|_| {}).await;
    assert!(
        matches!(ended, Err(AggregatorError::Unreachable { .. })),
        "{ended:?}"
    );
    assert_eq!(world.index.generation().await.expect("a number"), 0);
    assert_eq!(world.aggregates.state().content(), expected(&chunks.concat()));
}

#[tokio::test]
async fn a_replay_goes_on_behind_chunks_that_cannot_be_reached() {
    let (world, mut chunks, _) = many(0, 6).await;
    let mut keys = Vec::new();
    for plan in 0..6_u64 {
        let mut record = copies(1);
        record[0].head.id.sequence = plan;
        record[0].head.uri =
            format!("/submit/telemetry/{plan}/main/Firefox/54.0/nightly/20170130030205?v=4").into();
        let labels = r#""payload":{"processes":{"parent":{"keyedScalars":{"K":{"a":1,"b":2,"c":3}}}},"#;
        let body = String::from_utf8(record[0].body.clone()).expect("text");
        record[0].body = body.replace(r#""payload":{"#, labels).into_bytes();
        keys.push(world.add_chunk(plan, ChunkKind::Pings, &record).await);
        chunks.push(record);
    }
    let mut low = small_batches();
    low.fold.caps.labels_per_metric = 2;
    settle(&world.aggregator_with(low)).await;
    assert_eq!(world.aggregates.state().status.counters.errored_pings, 6);
    let store = BadSectors::under(&world.store, &[keys[0].clone(), keys[3].clone()]);
    let aggregator = world.aggregator_over(Arc::clone(&store) as _, small_batches());
    let done = aggregator.replay_errors(&|_| {}).await.expect("a replay");
    assert_eq!(
        (done.replayed, done.unreadable, done.passed_over.chunks),
        (4, 2, 2)
    );
    store.set([]);
    let done = aggregator.replay_errors(&|_| {}).await.expect("a replay");
    assert_eq!((done.replayed, done.unreadable), (2, 0));
    assert_eq!(world.aggregates.state().content(), expected(&chunks.concat()));
    assert!(world.aggregates.fold_version().await.expect("rules").is_some());
}

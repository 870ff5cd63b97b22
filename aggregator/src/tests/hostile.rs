//! Pings that want to hurt: by how much they name, and by a defect that they hit.

use std::sync::atomic::Ordering;

use index_schema::{ChunkKind, Index};
use sample_pings::{Mutation, Options, Population};

use super::copies::{entry, frame, id};
use super::memory::State;
use super::records::{Dice, Stored, at, by_chunk, expected, throw};
use super::world::{World, settle};
use crate::AggregatorSettings;
use crate::batch_fold::BatchFold;
use crate::fold::oracle::{self, Totals};
use crate::fold::{FoldSettings, Folder};
use crate::scope::Scope;

/// A ping of no document id with these many scalars, whose names no other ping has.
fn naming(ping: usize, names: usize) -> Vec<u8> {
    let scalars: Vec<String> = (0..names)
        .map(|name| format!("\"p{ping}.n{name}\":{name}"))
        .collect();
    let scalars = scalars.join(",");
    format!("{{\"payload\":{{\"processes\":{{\"parent\":{{\"scalars\":{{{scalars}}}}}}}}}}}").into_bytes()
}

/// Records of one day, every fourth of which names very much.
fn hostile(names: usize) -> Vec<Stored> {
    let mut stored = throw(&mut Dice(6), 200);
    let day = stored[0].head.submission_date;
    stored.retain(|record| record.head.submission_date == day);
    for (ping, record) in stored.iter_mut().step_by(4).enumerate() {
        record.head.uri = "/submit/telemetry//main/Firefox/54.0/nightly/1?v=4".into();
        record.body = naming(ping, names);
    }
    stored
}

#[tokio::test]
async fn a_chunk_of_pings_that_name_very_much_is_folded_in_parts_and_its_neighbours_count() {
    const PART: usize = 300_000;
    const NAMES: usize = 2_000;
    let world = World::new();
    let stored = hostile(NAMES);
    world.add_chunk(1, ChunkKind::Pings, &stored).await;
    let settings = AggregatorSettings {
        part_memory_bytes: PART,
        ..AggregatorSettings::default()
    };
    settle(&world.aggregator_with(settings)).await;
    assert_eq!(world.aggregates.state().content(), expected(&stored));
    assert_eq!(world.index.set_aside().await.expect("a list"), []);
    let parts = world.aggregates.parts.load(Ordering::SeqCst);
    let hostile = stored.len().div_ceil(4);
    assert!(parts > hostile / 2, "{parts} parts of {hostile} hostile pings");
    // A part is handed over after the ping that fills it, and a cell takes more than 100 bytes.
    let largest = world.aggregates.largest_part.load(Ordering::SeqCst);
    assert!(largest <= PART / 100 + NAMES, "{largest} cells in a part");
}

#[test]
fn pings_at_the_cap_take_no_more_memory_than_a_part_and_one_of_them() {
    let names = crate::limits::PARTS_PER_PING_MAX as usize;
    let mut stored = throw(&mut Dice(6), 8);
    for (ping, record) in stored.iter_mut().enumerate() {
        record.head.uri = "/submit/telemetry//main/Firefox/54.0/nightly/1?v=4".into();
        record.body = naming(ping, names);
    }
    let mut batch = BatchFold::new(FoldSettings::default(), Scope::default());
    let one = {
        let mut alone = BatchFold::new(FoldSettings::default(), Scope::default());
        let folded = alone.fold_frame(id(1), 0, &frame(&stored[..1]), |_| ());
        assert_eq!(folded, Ok(1));
        alone.part_bytes()
    };
    let (mut largest, mut cells) = (0, 0);
    let part = one / 2;
    let folded = batch.fold_frame(id(1), 0, &frame(&stored), |batch| {
        largest = largest.max(batch.part_bytes());
        if batch.part_bytes() > part {
            cells += batch.take_part().cells.len();
        }
    });
    assert_eq!(folded, Ok(8));
    assert!(largest <= part + one + one / 10, "{largest} of {one} a ping");
    // Each ping's names, and that it came.
    assert_eq!(cells, 8 * (names + 1));
}

#[tokio::test]
async fn copies_count_as_ever_when_each_ping_is_a_part() {
    for seed in 0..12 {
        let world = World::new();
        let stored = throw(&mut Dice(seed), 40);
        let chunks = by_chunk(&mut Dice(seed), &stored);
        for (plan, records) in chunks.iter().enumerate() {
            world.add_chunk(plan as u64, ChunkKind::Pings, records).await;
        }
        let settings = AggregatorSettings {
            part_memory_bytes: 0,
            ..AggregatorSettings::default()
        };
        settle(&world.aggregator_with(settings)).await;
        assert_eq!(
            world.aggregates.state().content(),
            expected(&stored),
            "seed {seed}"
        );
    }
}

#[test]
fn a_panic_in_one_pings_fold_makes_it_an_errored_ping_and_its_neighbours_count() {
    let stored = throw(&mut Dice(9), 60);
    let mut broken = stored.clone();
    let main = |record: &Stored| record.head.uri.windows(6).any(|part| part == b"/main/");
    let mut panicking = Vec::new();
    for (at, record) in broken.iter_mut().enumerate().filter(|(at, _)| at % 5 == 0) {
        if main(record) {
            record.body = b"{\"payload\":{\"histograms\":{\"PANIC\":1}}}".to_vec();
            panicking.push(at);
        }
    }
    assert!(panicking.len() > 3);
    let mut batch = BatchFold::with_folder(FoldSettings::default(), Folder::with_a_defect());
    let raw = frame(&broken);
    let unknown = batch.unknown_documents(&raw).expect("records");
    batch.load(&unknown, Vec::new());
    assert_eq!(batch.fold_frame(id(1), 0, &raw, |_| ()), Ok(60));
    batch.end_chunk(&entry(1, 60));
    for displaced in batch.displaced() {
        let record = chunk::records(&raw).nth(displaced.place.position as usize);
        let record = record.expect("the record").expect("a record");
        batch
            .take_back(&displaced, &record, record.body)
            .expect("it was folded before");
    }
    let mut state = State::default();
    let committed = state.apply(batch.finish());
    assert_eq!(committed, aggregate_store::Committed::Written);
    let others: Vec<Stored> = (0..60)
        .filter(|at| !panicking.contains(at))
        .map(|at| broken[at].clone())
        .collect();
    let (cells, users, mut status) = expected(&others);
    let panics = i64::try_from(panicking.len()).expect("few");
    status.counters.errored_pings += panics;
    status.errored_by_reason.insert("panic".to_owned(), panics);
    assert_eq!(state.content(), (cells, users, status));
}

#[tokio::test]
async fn of_two_documents_with_one_id_and_different_content_the_first_one_counts() {
    let population = Population::new(5, Options::default());
    for (seed, first_is_mutated) in [(1, false), (2, true)] {
        let world = World::new();
        let original = population.ping(seed, at(1_485_734_400_000_000));
        let (_, other) = Mutation::OtherContent.apply(seed, &original.body);
        assert_ne!(other, original.body);
        let bodies = if first_is_mutated {
            [other, original.body]
        } else {
            [original.body, other]
        };
        let mut stored = throw(&mut Dice(1), 2);
        for (record, body) in stored.iter_mut().zip(&bodies) {
            record.head.received = at(1_485_734_400_000_000 + record.head.id.sequence as i64);
            record.head.submission_date = record.head.received.submission_date();
            record.head.uri = original.uri.clone().into();
            record.body = body.clone();
        }
        // The later one comes first, and in a batch of its own.
        world.add_chunk(1, ChunkKind::Pings, &stored[1..]).await;
        settle(&world.aggregator()).await;
        world.add_chunk(2, ChunkKind::Pings, &stored[..1]).await;
        settle(&world.aggregator()).await;
        let date = stored[0].head.submission_date;
        let expected = oracle::read(&bodies[0], date).expect("a ping").totals;
        let state = world.aggregates.state().clone();
        assert_eq!(
            (state.status.counters.folded, state.status.counters.repeated),
            (1, 1)
        );
        assert_eq!(state.cells.len(), expected.cells.len());
        let mut found = Totals::default();
        for (key, cell) in state.cells {
            let key = (key.dimensions, key.metric, key.process, key.label, key.layout);
            found.cells.insert(key, oracle::Sums::of(&cell));
        }
        assert_eq!(found.cells, expected.cells);
    }
}

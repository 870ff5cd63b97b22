//! Replays of errored pings, against the oracle of all records and against a rebuild.

use std::io::Write;
use std::sync::Arc;

use aggregate_store::{AggregateReads, AggregateStore};
use flate2::Compression;
use flate2::write::GzEncoder;
use index_schema::{ChunkKind, Floors, Index, RetainIndex};
use ping::SubmissionDate;

use super::memory::MemoryAggregates;
use super::records::{Dice, Stored, by_chunk, expected, throw};
use super::world::{World, settle, small_batches};
use crate::fold::Caps;
use crate::{Aggregator, AggregatorError, AggregatorSettings, Step};

/// Settings with other caps, and small batches.
fn capped(change: impl Fn(&mut Caps)) -> AggregatorSettings {
    let mut settings = small_batches();
    change(&mut settings.fold.caps);
    settings
}

/// Records of which about half have three labels of one metric.
fn labelled(dice: &mut Dice, count: usize) -> Vec<Stored> {
    let mut stored = throw(dice, count);
    for record in &mut stored {
        let text = String::from_utf8(record.body.clone()).expect("text");
        if dice.below(2) == 0 {
            let labels = r#""payload":{"processes":{"parent":{"keyedScalars":{"K":{"a":1,"b":2,"c":3}}}},"#;
            record.body = text
                .replace(r#""payload":{"histograms""#, &format!("{labels}\"histograms\""))
                .into_bytes();
        }
    }
    stored
}

async fn replay(aggregator: &Aggregator) -> u64 {
    let done = aggregator.replay_errors(&|_| {}).await.expect("a replay");
    assert_eq!(done.unreadable, 0);
    done.replayed
}

async fn rebuilt(world: &World, aggregator: &Aggregator) -> Arc<MemoryAggregates> {
    let shadow: Arc<MemoryAggregates> = Arc::default();
    let generation = world.index.generation().await.expect("a number") + 1;
    let rebuilt = aggregator
        .rebuild(Arc::clone(&shadow) as _, generation, &|_| {})
        .await;
    rebuilt.expect("a rebuild");
    shadow
}

#[tokio::test]
async fn what_lies_below_the_floor_of_aggregates_is_not_replayed() {
    let mut dice = Dice(5);
    let stored = labelled(&mut dice, 120);
    let world = World::new();
    for (plan, records) in by_chunk(&mut dice, &stored).iter().enumerate() {
        world.add_chunk(plan as u64, ChunkKind::Pings, records).await;
    }
    settle(&world.aggregator_with(capped(|caps| caps.labels_per_metric = 2))).await;
    let errored = world.aggregates.state().status.clone();
    assert!(errored.errored_by_reason["too_many_labels"] > 5, "{errored:?}");
    let floor: SubmissionDate = "20990101".parse().expect("a day");
    let floors = Floors {
        aggregates: Some(floor),
        ..Floors::default()
    };
    world.index.raise_floors(floors, None).await.expect("raised");
    let aggregator = world.aggregator_with(small_batches());
    assert_eq!(replay(&aggregator).await, 0);
    assert_eq!(world.aggregates.state().status, errored);
    let lowered = world.index.lower_floors("20000101".parse().expect("a day")).await;
    lowered.expect("lowered");
    let replayed = replay(&aggregator).await;
    assert_eq!(replayed as i64, errored.errored_by_reason["too_many_labels"]);
}

#[tokio::test]
async fn errored_pings_are_folded_once_under_a_higher_cap_and_a_rebuild_agrees() {
    for seed in 0..12 {
        let mut dice = Dice(seed);
        let stored = labelled(&mut dice, 120);
        let expected = expected(&stored);
        let chunks = by_chunk(&mut dice, &stored);
        let (world, later) = (World::new(), chunks.len() - 3);
        for (plan, records) in chunks[..later].iter().enumerate() {
            world.add_chunk(plan as u64, ChunkKind::Pings, records).await;
        }
        settle(&world.aggregator_with(capped(|caps| caps.labels_per_metric = 2))).await;
        let errored = world.aggregates.state().status.clone();
        assert!(errored.errored_by_reason["too_many_labels"] > 5, "{errored:?}");
        let aggregator = world.aggregator_with(small_batches());
        let refused = aggregator.step().await.expect_err("other rules");
        assert!(matches!(refused, AggregatorError::AcceptsMore { .. }));
        assert!(
            refused.to_string().contains("highwater replay-errors"),
            "{refused}"
        );
        for (plan, records) in chunks.iter().enumerate().skip(later) {
            world.add_chunk(plan as u64, ChunkKind::Pings, records).await;
        }
        let replayed = replay(&aggregator).await;
        assert_eq!(replayed as i64, errored.errored_by_reason["too_many_labels"]);
        settle(&aggregator).await;
        assert_eq!(world.aggregates.state().content(), expected, "seed {seed}");
        let before = world.aggregates.state().clone();
        assert_eq!(replay(&aggregator).await, 0);
        assert_eq!(*world.aggregates.state(), before, "seed {seed}: twice is once");
        assert_eq!(rebuilt(&world, &aggregator).await.state().content(), expected);
    }
}

#[tokio::test]
async fn what_fails_again_stays_with_its_new_reason() {
    let (world, mut dice) = (World::new(), Dice(3));
    let mut stored = labelled(&mut dice, 60);
    let day = stored[0].head.submission_date;
    stored.retain(|record| record.head.submission_date == day);
    world.add_chunk(1, ChunkKind::Pings, &stored).await;
    let low = capped(|caps| (caps.labels_per_metric, caps.parts_per_ping) = (2, 3));
    settle(&world.aggregator_with(low)).await;
    let reasons = world.aggregates.state().status.errored_by_reason.clone();
    assert!(
        !reasons.contains_key("too_many_labels"),
        "the first reason is given"
    );
    let parts = reasons["too_many_parts"];
    let higher = world.aggregator_with(capped(|caps| caps.labels_per_metric = 2));
    let done = higher.replay_errors(&|_| {}).await.expect("a replay");
    assert_eq!(done.replayed, 0);
    assert_eq!(done.still_errored.get("too_many_labels"), Some(&parts));
    assert_eq!(done.still_errored.get("too_many_parts"), None);
    replay(&world.aggregator()).await;
    assert_eq!(world.aggregates.state().content(), expected(&stored));
}

#[tokio::test]
async fn a_lowered_cap_wants_a_rebuild_and_no_replay() {
    let world = World::new();
    settle(&world.aggregator()).await;
    let lower = world.aggregator_with(capped(|caps| caps.bins_per_ping -= 1));
    for refused in [
        lower.step().await.map(drop),
        lower.replay_errors(&|_| {}).await.map(drop),
    ] {
        let refused = refused.expect_err("other rules");
        assert!(refused.to_string().contains("highwater rebuild"), "{refused}");
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).expect("a vector has room");
    encoder.finish().expect("a vector has room")
}

/// As the edge keeps them whose bodies are larger than `cap`.
fn kept_as_errors(stored: &[Stored], cap: usize) -> (Vec<Stored>, Vec<Stored>) {
    let (mut errors, pings): (Vec<Stored>, Vec<Stored>) =
        stored.iter().cloned().partition(|record| record.body.len() > cap);
    for (at, record) in errors.iter_mut().enumerate() {
        record.head.error = Some("inflated_too_large".to_owned());
        if at % 2 == 0 {
            record.body = gzip(&record.body);
        }
    }
    (errors, pings)
}

#[tokio::test]
async fn bodies_that_were_too_large_are_folded_once_under_a_higher_cap_and_a_rebuild_agrees() {
    const LOW: usize = 190;
    for seed in 0..8 {
        let mut dice = Dice(seed);
        // All of a type that is folded: what is only stored stays an error.
        let stored: Vec<Stored> = labelled(&mut dice, 120)
            .into_iter()
            .filter(|record| !record.head.uri.windows(5).any(|window| window == b"event"))
            .collect();
        let expected = expected(&stored);
        let (errors, pings) = kept_as_errors(&stored, LOW);
        assert!(
            errors.len() > 10 && pings.len() > 10,
            "{} {}",
            errors.len(),
            pings.len()
        );
        let world = World::new();
        let mut plan = 0;
        for (kind, records) in [(ChunkKind::Pings, &pings), (ChunkKind::Errors, &errors)] {
            for records in by_chunk(&mut dice, records) {
                plan += 1;
                world.add_chunk(plan, kind, &records).await;
            }
        }
        settle(&world.aggregator_with(capped(|caps| caps.inflated_bytes = LOW as u64))).await;
        let status = world.aggregates.state().status.clone();
        assert_eq!(
            status.errored_by_reason["inflated_too_large"],
            errors.len() as i64,
            "seed {seed}"
        );
        let middle = world.aggregator_with(capped(|caps| caps.inflated_bytes = 225));
        let some = replay(&middle).await;
        assert_eq!(replay(&middle).await, 0);
        let aggregator = world.aggregator_with(small_batches());
        let rest = replay(&aggregator).await;
        assert!(some > 0 && rest > 0, "seed {seed}: {some} and {rest}");
        let before = world.aggregates.state().clone();
        assert_eq!(before.content(), expected, "seed {seed}");
        assert_eq!(replay(&aggregator).await, 0);
        assert_eq!(*world.aggregates.state(), before, "seed {seed}: twice is once");
        let shadow = rebuilt(&world, &aggregator).await;
        assert_eq!(shadow.state().content(), expected, "seed {seed}");
        // The edge takes less again: what was folded stays.
        let lowered = world.aggregator_with(capped(|caps| caps.inflated_bytes = 1));
        assert_eq!(lowered.step().await.expect("a step"), Step::Idle);
    }
}

#[tokio::test]
async fn a_replay_goes_on_behind_a_chunk_that_cannot_be_read() {
    let (world, mut dice) = (World::new(), Dice(8));
    let stored = labelled(&mut dice, 100);
    let chunks = by_chunk(&mut dice, &stored);
    let mut keys = Vec::new();
    for (plan, records) in chunks.iter().enumerate() {
        keys.push(world.add_chunk(plan as u64, ChunkKind::Pings, records).await);
    }
    settle(&world.aggregator_with(capped(|caps| caps.labels_per_metric = 2))).await;
    let rows = world.aggregates.errored(None, 1_000).await.expect("rows");
    let too_many = |row: &&aggregate_store::ErroredRow| row.reason == "too_many_labels";
    let lost = rows.iter().find(too_many).expect("a row").chunk;
    let at = usize::try_from(lost.plan).expect("small");
    let object = store::Store::get(&world.store, &keys[at]).await.expect("a chunk");
    store::Store::delete(&world.store, &keys[at])
        .await
        .expect("a delete");
    let aggregator = world.aggregator();
    let done = aggregator.replay_errors(&|_| {}).await.expect("a replay");
    let in_lost = rows.iter().filter(|row| row.chunk == lost).count() as u64;
    assert!(done.replayed > 0 && done.unreadable == in_lost, "{done:?}");
    store::Store::put_if_absent(&world.store, &keys[at], store::Payload::Bytes(object))
        .await
        .expect("a put");
    assert!(replay(&aggregator).await > 0);
    assert_eq!(world.aggregates.state().content(), expected(&stored));
    assert!(world.aggregates.fold_version().await.expect("rules").is_some());
}

//! A changed declaration counts from the day on that it names, and days before keep what was counted of them.

use std::sync::Arc;
use std::time::Duration;

use aggregate_store::AggregateStore;
use bytes::Bytes;
use chunk::RecordHead;
use index_schema::{ChunkKind, RaisedSources, RetainIndex, SourceFloor, SourceFloors};
use ping::{Incarnation, RecordId, SubmissionDate};
use service::clock::Clock;

use super::dump::{aggregator, dump, open};
use super::records::Stored;
use super::source_rebuild::{ANY, FIRST, SECOND, declared, is_under_way};
use super::world::World;
use crate::{Aggregator, Step};

const DAYS: i64 = 6;

fn first_day() -> SubmissionDate {
    "20261001".parse().expect("a day")
}

/// Three pings of each day, no two of one document.
pub(super) fn chunks() -> Vec<Vec<Stored>> {
    let of_day = |day: i64| -> Vec<Stored> {
        let of_day = (0..3_u64).map(move |number| {
            let sequence = u64::try_from(day).expect("days count from 0") * 3 + number;
            let date = first_day().plus_days(day);
            let (version, plan) = (number % 2, ["free", "paid", "stolen"][(sequence % 3) as usize]);
            Stored {
                head: RecordHead {
                    id: RecordId {
                        incarnation: Incarnation::from_bytes([9; 16]),
                        sequence,
                    },
                    received: date.start(),
                    submission_date: date,
                    uri: Bytes::from(format!(
                        "/submit/acme/usage/1/00000000-0000-4000-8000-{sequence:012}"
                    )),
                    headers: Vec::new(),
                    received_bytes: 1,
                    error: None,
                    client_hash: None,
                },
                body: format!(
                    r#"{{"id":"c0000000-0000-4000-8000-{number:012}","version":"{version}","plan":"{plan}","runs":{sequence},"editor":"vi"}}"#
                )
                .into_bytes(),
            }
        });
        of_day.collect()
    };
    (0..DAYS).map(of_day).collect()
}

/// Lines of days below one, and of the others.
fn parted(lines: &[String], at: SubmissionDate) -> [Vec<&String>; 2] {
    let is_before = |line: &&String| {
        let day = line.split("\"submission_date\":\"").nth(1).expect("a day");
        day[..8] < *at.to_string()
    };
    let (before, after) = lines.iter().partition(is_before);
    [before, after]
}

pub(super) async fn settle(live: &Aggregator, aggregates: &dyn AggregateStore) {
    while live.step().await.expect("a step") != Step::Idle {}
    while is_under_way(aggregates).await {
        let _ = live.rebuild_step().await.expect("a step");
    }
}

pub(super) async fn folded_by(text: Option<&str>) -> Vec<String> {
    let world = World::new();
    let aggregates = open(world.folder.path(), "1.sqlite");
    let live = aggregator(&world, Arc::clone(&aggregates), declared(text));
    add(&world, &chunks()).await;
    settle(&live, &*aggregates).await;
    dump(&*aggregates).await
}

pub(super) async fn add(world: &World, chunks: &[Vec<Stored>]) {
    for records in chunks {
        let plan = records[0].head.id.sequence;
        world.add_chunk_of(plan, ChunkKind::Pings, records, ANY).await;
    }
}

pub(super) fn on(world: &World, day: i64) {
    let wished = first_day().plus_days(day).start().as_micros();
    let ahead = u64::try_from(wished - world.clock.now_micros()).expect("a clock goes forward");
    world.clock.advance(Duration::from_micros(ahead));
}

#[tokio::test]
async fn a_change_counts_from_the_day_on_that_it_names() {
    let (before, after) = (folded_by(Some(FIRST)).await, folded_by(Some(SECOND)).await);
    for since in 0..=DAYS {
        let day = first_day().plus_days(since);
        let world = World::new();
        on(&world, DAYS);
        let aggregates = open(world.folder.path(), "1.sqlite");
        let live = aggregator(&world, Arc::clone(&aggregates), declared(Some(FIRST)));
        let chunks = chunks();
        let (early, late) = chunks.split_at(4);
        add(&world, early).await;
        settle(&live, &*aggregates).await;
        drop(live);
        let text = format!("{SECOND}since: {}\n", dashed(day));
        let live = aggregator(&world, Arc::clone(&aggregates), declared(Some(&text)));
        settle(&live, &*aggregates).await;
        add(&world, late).await;
        settle(&live, &*aggregates).await;
        let lines = dump(&*aggregates).await;
        let [old, new] = parted(&lines, day);
        // What comes for an older day once the change is in use is counted by it, beside what was counted before.
        let expected = parted(&after, day);
        assert_eq!(new, expected[1], "since {since}");
        let [kept, _] = parted(&before, day.min(first_day().plus_days(4)));
        let old_kept: Vec<_> = old
            .iter()
            .filter(|line| !parted(&[(**line).clone()], first_day().plus_days(4))[0].is_empty())
            .copied()
            .collect();
        assert_eq!(old_kept, kept, "since {since}");
        let epochs = aggregates.epochs().await.expect("epochs");
        assert_eq!(epochs.at("acme/usage", day.plus_days(-1)), 0, "since {since}");
        assert_ne!(epochs.at("acme/usage", day), 0, "since {since}");
    }
}

/// As it stands in a declaration.
fn dashed(day: SubmissionDate) -> String {
    let text = day.to_string();
    format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..])
}

#[tokio::test]
async fn a_change_that_is_to_come_waits_for_its_day_and_the_old_declaration_stays_in_force() {
    let (by_first, by_second) = (folded_by(Some(FIRST)).await, folded_by(Some(SECOND)).await);
    for old in [Some(FIRST), None] {
        let world = World::new();
        let aggregates = open(world.folder.path(), "1.sqlite");
        let live = aggregator(&world, Arc::clone(&aggregates), declared(old));
        settle(&live, &*aggregates).await;
        drop(live);
        let since = first_day().plus_days(3);
        let text = format!("{SECOND}since: {}\n", dashed(since));
        let live = aggregator(&world, Arc::clone(&aggregates), declared(Some(&text)));
        let chunks = chunks();
        for (day, records) in (0..).zip(&chunks) {
            on(&world, day);
            settle(&live, &*aggregates).await;
            add(&world, std::slice::from_ref(records)).await;
            settle(&live, &*aggregates).await;
        }
        let lines = dump(&*aggregates).await;
        let [early, late] = parted(&lines, since);
        let nothing = Vec::new();
        let before = if old.is_some() { &by_first } else { &nothing };
        assert_eq!(early, parted(before, since)[0], "{old:?}");
        assert_eq!(late, parted(&by_second, since)[1], "{old:?}");
        let counters = aggregates.status().await.expect("a status").counters;
        assert_eq!(counters.accounted(), 18, "{old:?}");
    }
}

#[tokio::test]
async fn days_below_the_floor_of_the_source_keep_their_numbers() {
    let (before, after) = (folded_by(Some(FIRST)).await, folded_by(Some(SECOND)).await);
    for below in 0..=DAYS {
        let world = World::new();
        on(&world, DAYS);
        let aggregates = open(world.folder.path(), "1.sqlite");
        let live = aggregator(&world, Arc::clone(&aggregates), declared(Some(FIRST)));
        add(&world, &chunks()).await;
        settle(&live, &*aggregates).await;
        drop(live);
        let floor = SourceFloor {
            chunks: Some(first_day().plus_days(below)),
            aggregates: None,
        };
        let to: SourceFloors = [("acme/usage".to_owned(), floor)].into_iter().collect();
        let raised = world.index.raise_source_floors(&to, None).await;
        assert_eq!(raised.expect("an answer"), RaisedSources::To(to));
        let live = aggregator(&world, Arc::clone(&aggregates), declared(Some(SECOND)));
        settle(&live, &*aggregates).await;
        let lines = dump(&*aggregates).await;
        let at = first_day().plus_days(below);
        let [old, new] = parted(&lines, at);
        assert_eq!(old, parted(&before, at)[0], "below {below}");
        assert_eq!(new, parted(&after, at)[1], "below {below}");
        // Everything anew would lose them, if there are any.
        let all = live.wish_whole_rebuild(false).await;
        match below {
            0 => assert!(all.is_ok()),
            _ => {
                let words = all.expect_err("it would lose numbers").to_string();
                assert!(
                    words.contains("acme/usage") && words.contains("--forget-older"),
                    "{words}"
                );
                assert!(!is_under_way(&*aggregates).await);
                live.wish_whole_rebuild(true).await.expect("a wish");
            }
        }
    }
}

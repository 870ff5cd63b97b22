//! Everything is folded anew beside what is in use, as where many processes share the aggregates: by other rules, beside those
//! of before, gone on with after an end, and not for days whose pings are gone.

use std::sync::Arc;
use std::time::Duration;

use aggregate_store::{AggregateStore, Status};
use index_schema::{ChunkKind, Floors, Index, RetainIndex};
use ping::SubmissionDate;

use super::dump::{aggregator, dump, open};
use super::records::{Dice, Stored, by_chunk, throw};
use super::source_rebuild::{ANY, FIRST, SECOND, declared, swept, thrown};
use super::world::World;
use crate::{Aggregator, AggregatorError, AggregatorSettings, Step};

/// Another declaration, and copies that are repeats for a shorter time.
fn other_rules() -> AggregatorSettings {
    let mut settings = declared(Some(SECOND));
    settings.fold.repeat_window /= 4;
    settings
}

async fn add(world: &World, plan: usize, records: &[Stored]) {
    world
        .add_chunk_of(plan as u64, ChunkKind::Pings, records, ANY)
        .await;
}

async fn folded(live: &Aggregator) {
    while live.step().await.expect("a step") != Step::Idle {}
}

/// A fold of these chunks from the beginning.
async fn from_nothing(chunks: &[Vec<Stored>], settings: AggregatorSettings) -> (Vec<String>, Status) {
    let world = World::new();
    let aggregates = open(world.folder.path(), "1.sqlite");
    for (plan, records) in chunks.iter().enumerate() {
        add(&world, plan, records).await;
    }
    folded(&aggregator(&world, Arc::clone(&aggregates), settings)).await;
    (
        dump(&*aggregates).await,
        aggregates.status().await.expect("a status"),
    )
}

/// Every record that ever arrived is counted, or known not to be.
async fn is_settled(world: &World, aggregates: &dyn AggregateStore) {
    let totals = world.index.totals().await.expect("totals");
    let counted = aggregates.status().await.expect("a status").counters.accounted();
    assert_eq!(counted + totals.unfolded_records, totals.records_ever());
}

#[tokio::test]
async fn everything_is_folded_anew_by_other_rules_beside_those_of_before_whoever_dies() {
    for seed in 0..6 {
        let mut dice = Dice(seed);
        let chunks = {
            let stored = thrown(&mut dice);
            by_chunk(&mut dice, &stored)
        };
        let world = World::new();
        let aggregates = open(world.folder.path(), "1.sqlite");
        let of_before = aggregator(&world, Arc::clone(&aggregates), declared(Some(FIRST)));
        let first = 1 + dice.below(chunks.len());
        for (plan, records) in chunks[..first].iter().enumerate() {
            add(&world, plan, records).await;
        }
        folded(&of_before).await;
        let helper = aggregator(&world, Arc::clone(&aggregates), other_rules());
        let refused = helper.step().await.expect_err("other rules");
        assert!(
            matches!(refused, AggregatorError::OtherFoldVersion { .. }),
            "{refused}"
        );
        let rebuild = helper.wish_whole_rebuild(false).await.expect("a wish");
        assert!(
            !of_before.rebuild_step().await.expect("a step"),
            "it has other rules"
        );

        let mut plan = first;
        while plan < chunks.len() || dice.below(4) > 0 {
            match dice.below(4) {
                0 if plan < chunks.len() => {
                    add(&world, plan, &chunks[plan]).await;
                    plan += 1;
                }
                1 => drop(of_before.step().await.expect("a step")),
                2 => drop(helper.rebuild_step().await.expect("a step")),
                _ => {
                    // Whoever wished it ended, and wishes it again.
                    let again = aggregator(&world, Arc::clone(&aggregates), other_rules());
                    let again = again.wish_whole_rebuild(false).await.expect("a wish");
                    assert_eq!(again, rebuild, "seed {seed}");
                }
            }
        }
        folded(&of_before).await;
        let before = from_nothing(&chunks, declared(Some(FIRST))).await;
        assert_eq!(
            dump(&*aggregates).await,
            before.0,
            "seed {seed}: nothing of it is seen"
        );
        let anew = aggregator(&world, Arc::clone(&aggregates), other_rules());
        assert!(anew.fold_all_anew(&rebuild, &|_| {}).await.expect("folded"));
        let told = helper_is_done(&anew, chunks.len() as u64);
        assert!(told, "seed {seed}: all of it is told to be done");
        assert_eq!(
            dump(&*aggregates).await,
            before.0,
            "seed {seed}: nor before its end"
        );
        assert!(anew.put_all_into_use(&rebuild, false).await.expect("put"));
        assert!(
            !anew.put_all_into_use(&rebuild, false).await.expect("an answer"),
            "once"
        );
        let after = from_nothing(&chunks, other_rules()).await;
        assert_ne!(before.0, after.0, "seed {seed}: the rules differ in something");
        assert_eq!(dump(&*aggregates).await, after.0, "seed {seed}");
        assert_eq!(
            aggregates.status().await.expect("a status"),
            after.1,
            "seed {seed}"
        );
        is_settled(&world, &*aggregates).await;
        let refused = of_before.step().await.expect_err("its rules are those of before");
        assert!(
            matches!(refused, AggregatorError::OtherFoldVersion { .. }),
            "{refused}"
        );
        assert_eq!(helper.step().await.expect("a step"), Step::Idle);
        swept(&world, &anew, &*aggregates).await;
        assert_eq!(
            dump(&*aggregates).await,
            after.0,
            "seed {seed}: what went was not in use"
        );
    }
}

fn helper_is_done(anew: &Aggregator, chunks: u64) -> bool {
    let told = anew.source_rebuild().expect("it goes on");
    let progress = told.progress;
    (progress.chunks, progress.chunks_total, progress.percent()) == (chunks, chunks, 100)
}

#[tokio::test]
async fn what_is_folded_after_the_last_look_keeps_a_rebuild_of_all_from_coming_into_use() {
    let mut dice = Dice(5);
    let stored = throw(&mut dice, 40);
    let chunks = by_chunk(&mut dice, &stored);
    let world = World::new();
    let aggregates = open(world.folder.path(), "1.sqlite");
    let live = aggregator(&world, Arc::clone(&aggregates), declared(None));
    let (last, most) = chunks.split_last().expect("chunks");
    for (plan, records) in most.iter().enumerate() {
        add(&world, plan, records).await;
    }
    folded(&live).await;
    let rebuild = live.wish_whole_rebuild(false).await.expect("a wish");
    assert!(live.fold_all_anew(&rebuild, &|_| {}).await.expect("folded"));
    add(&world, most.len(), last).await;
    folded(&live).await;
    let before = dump(&*aggregates).await;
    assert!(!live.put_all_into_use(&rebuild, false).await.expect("an answer"));
    assert_eq!(dump(&*aggregates).await, before);
    assert!(live.fold_all_anew(&rebuild, &|_| {}).await.expect("folded"));
    assert!(live.put_all_into_use(&rebuild, false).await.expect("put"));
    assert_eq!(dump(&*aggregates).await, before, "the rules are the same");
    assert!(
        !live.fold_all_anew(&rebuild, &|_| {}).await.expect("an answer"),
        "it is over"
    );
    is_settled(&world, &*aggregates).await;
}

/// The lines of some days.
fn of_days(lines: &[String], holds: impl Fn(SubmissionDate) -> bool) -> Vec<String> {
    let day = |line: &String| -> SubmissionDate {
        let json: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let day = json["submission_date"].as_str().expect("a day");
        day.parse().expect("a day")
    };
    lines.iter().filter(|line| holds(day(line))).cloned().collect()
}

#[tokio::test]
async fn days_whose_pings_are_gone_keep_their_numbers_unless_they_are_to_be_forgotten() {
    for (seed, forget) in [(0, false), (1, false), (2, true), (3, true)] {
        let mut dice = Dice(seed);
        let stored = thrown(&mut dice);
        let chunks = by_chunk(&mut dice, &stored);
        let world = World::new();
        let aggregates = open(world.folder.path(), "1.sqlite");
        let of_before = aggregator(&world, Arc::clone(&aggregates), declared(Some(FIRST)));
        for (plan, records) in chunks.iter().enumerate() {
            add(&world, plan, records).await;
        }
        folded(&of_before).await;
        let before = dump(&*aggregates).await;
        let accounted = aggregates.status().await.expect("a status").counters.accounted();
        // The wish comes first, and the floor rises while it is carried out.
        let anew = aggregator(&world, Arc::clone(&aggregates), other_rules());
        let rebuild = anew.wish_whole_rebuild(false).await.expect("a wish");
        let mut days: Vec<_> = stored.iter().map(|record| record.head.submission_date).collect();
        days.sort_unstable();
        let floor = days[days.len() / 2];
        let floors = Floors {
            pings: Some(floor),
            ..Floors::default()
        };
        let raised = world.index.raise_floors(floors, None).await;
        let _ = raised.expect("raised");
        let again = anew.wish_whole_rebuild(forget).await.expect("a wish");
        assert_eq!(again == rebuild, !forget || rebuild.wish.days == again.wish.days);
        assert!(anew.fold_all_anew(&again, &|_| {}).await.expect("folded"));
        assert!(anew.put_all_into_use(&again, forget).await.expect("put"));
        let now = dump(&*aggregates).await;
        let older = of_days(&now, |day| day < floor);
        match forget {
            true => assert_eq!(older, Vec::<String>::new()),
            false => assert_eq!(older, of_days(&before, |day| day < floor)),
        }
        let newer = of_days(&now, |day| day >= floor);
        assert_ne!(
            newer,
            of_days(&before, |day| day >= floor),
            "seed {seed}: by the other rules"
        );
        let counted = aggregates.status().await.expect("a status").counters.accounted();
        match forget {
            true => assert!(counted < accounted),
            false => assert_eq!(counted, accounted, "seed {seed}"),
        }
        is_settled(&world, &*aggregates).await;
        world.clock.advance(Duration::from_secs(31));
        assert_eq!(anew.step().await.expect("a step"), Step::Idle);
    }
}

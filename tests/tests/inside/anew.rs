//! Folding anew over what a life left: a rebuild and a replay of errored pings die at every call of a database, and the
//! next ones go on from there.

use std::collections::BTreeMap;
use std::sync::Arc;

use aggregate_store::{AggregateReads, AggregateStore, SqliteAggregates, Status};
use aggregator::fold::Caps;
use aggregator::{Aggregator, AggregatorSettings, Generations, RebuildProgress, Step};
use disk::Moment;
use index_schema::{Index, SqliteIndex};
use service::current::Current;
use tests::{CrashPoints, CrashingAggregates, CrashingIndex};

use crate::backwards::dump;
use crate::client::{Client, FEW};
use crate::life::{live, run};
use crate::world::World;

const MOMENTS: [Moment; 2] = [Moment::Before, Moment::After];

/// Caps under which most pings of the client are errored.
const LOW: fn(&mut Caps) = |caps| caps.bins_per_ping = 2;

/// The caps of a program that nobody told any.
const DEFAULT: fn(&mut Caps) = |_| ();

/// What folds, over the databases of a world.
struct Folding {
    index: Arc<dyn Index>,
    generations: Generations,
    generation: u64,
    aggregates: Arc<SqliteAggregates>,
    aggregator: Arc<Aggregator>,
}

impl Folding {
    /// Starts as `highwater` does. One chunk is a batch, so that there are many of them.
    async fn start(world: &World, change: fn(&mut Caps)) -> Self {
        let index = SqliteIndex::open(&world.database("index.sqlite")).expect("an index");
        world.keep(index.clone());
        let generations = Generations::new(world.folder.path());
        let generation = index.generation().await.expect("a number");
        generations.remove_before(generation);
        let path = generations.path(generation);
        if !path.exists() {
            index.make_pending(None).await.expect("pending");
        }
        let aggregates = Arc::new(SqliteAggregates::open(&path).expect("aggregates"));
        world.keep(aggregates.clone());
        let index: Arc<dyn Index> = CrashingIndex::new(index, Arc::clone(&world.database_calls));
        let mut settings = AggregatorSettings {
            batch_memory_bytes: 0,
            ..AggregatorSettings::default()
        };
        change(&mut settings.fold.caps);
        let behind: Arc<dyn AggregateStore> =
            CrashingAggregates::new(aggregates.clone(), Arc::clone(&world.database_calls));
        let aggregator = Aggregator::new(
            Arc::clone(&index),
            world.store(),
            Arc::new(Current::new(behind)),
            world.clock.clone(),
            settings,
        );
        Self {
            index,
            generations,
            generation,
            aggregates,
            aggregator,
        }
    }

    async fn fold(&self) {
        while self.aggregator.step().await.expect("a step") != Step::Idle {}
    }

    /// `None` when the process died. Else whether it went on where another one ended, and the new aggregates.
    async fn rebuild(&self, world: &World) -> Option<(bool, Arc<SqliteAggregates>)> {
        let rules = self.aggregator.rules().await;
        let next = self.generation + 1;
        let shadow = self
            .generations
            .shadow(
                next,
                (&rules, &self.aggregator.declared().await),
                self.index.as_ref(),
            )
            .await
            .ok()?;
        world.keep(shadow.clone());
        let went_on = !shadow.folded_ids(None, 1).await.expect("ids").is_empty();
        let behind = CrashingAggregates::new(shadow.clone(), Arc::clone(&world.database_calls));
        let last = std::sync::Mutex::new(RebuildProgress::default());
        let progress = |progress| *last.lock().expect("a lock") = progress;
        self.aggregator.rebuild(behind, next, &progress).await.ok()?;
        let last = *last.lock().expect("a lock");
        assert_eq!((last.percent(), last.chunks), (100, last.chunks_total));
        assert_eq!(
            last.found_bytes > 0,
            went_on,
            "what was there is not folded again"
        );
        Some((went_on, shadow))
    }
}

async fn image(aggregates: &SqliteAggregates) -> (Vec<String>, Status) {
    let status = aggregates.status().await.expect("the counters");
    (dump(aggregates).await, status)
}

/// A life's end, everything folded under these caps.
fn lived(change: fn(&mut Caps)) -> World {
    let (world, mut client) = (World::empty(), Client::new(FEW));
    run(live(&world, &mut client)).expect("nobody dies");
    let world = world.found(world.disk.kill());
    run(async {
        Folding::start(&world, change).await.fold().await;
    });
    world
}

fn dying(base: &World, point: u64, moment: Moment) -> World {
    let mut world = base.found(base.disk.kill());
    world.database_calls = CrashPoints::at(&world.disk, point, moment);
    world
}

#[test]
fn a_rebuild_killed_at_every_call_of_a_database_goes_on_and_ends_in_the_same_bytes() {
    let base = lived(DEFAULT);
    let expected = run(async { image(&Folding::start(&base, DEFAULT).await.aggregates).await });
    assert!(
        expected.0.len() > 2 && expected.1.counters.repeated > 0,
        "{:?}",
        expected.1
    );
    let (mut points, mut resumed) = (0, 0);
    for moment in MOMENTS {
        for point in 1.. {
            let world = dying(&base, point, moment);
            let ended = run(async {
                Folding::start(&world, DEFAULT)
                    .await
                    .rebuild(&world)
                    .await
                    .is_some()
            });
            if ended && !world.disk.is_off() {
                break;
            }
            points += 1;
            let found = world.found(world.disk.kill());
            run(async {
                let folding = Folding::start(&found, DEFAULT).await;
                let aggregates = if folding.generation == 0 {
                    let (went_on, shadow) = folding.rebuild(&found).await.expect("nobody dies");
                    resumed += u64::from(went_on);
                    shadow
                } else {
                    assert!(
                        !folding.generations.path(0).exists(),
                        "the old generation is removed"
                    );
                    folding.aggregates
                };
                assert_eq!(image(&aggregates).await, expected, "call {point} {moment:?}");
            });
        }
    }
    println!("{points} crash points of a rebuild, {resumed} went on in the shadow that was left");
    assert!(points > 40 && resumed > 20, "{points} points, {resumed} resumed");
}

#[test]
fn a_replay_killed_at_every_call_of_a_database_goes_on_and_counts_every_ping_once() {
    let base = lived(LOW);
    let expected = {
        let world = lived(DEFAULT);
        run(async { image(&Folding::start(&world, DEFAULT).await.aggregates).await })
    };
    let mut points = 0;
    for moment in MOMENTS {
        for point in 1.. {
            let world = dying(&base, point, moment);
            let died = run(async {
                let folding = Folding::start(&world, DEFAULT).await;
                folding.aggregator.replay_errors(&|_| {}).await.is_err()
            });
            if !died && !world.disk.is_off() {
                assert!(point > 5, "only {point} crash points");
                break;
            }
            points += 1;
            let found = world.found(world.disk.kill());
            run(async {
                let folding = Folding::start(&found, DEFAULT).await;
                for _ in 0..2 {
                    folding
                        .aggregator
                        .replay_errors(&|_| {})
                        .await
                        .expect("nobody dies");
                    assert_eq!(
                        image(&folding.aggregates).await,
                        expected,
                        "call {point} {moment:?}"
                    );
                }
                folding.fold().await;
                let (_, shadow) = folding.rebuild(&found).await.expect("nobody dies");
                assert_eq!(
                    image(&shadow).await,
                    expected,
                    "a rebuild after call {point} {moment:?}"
                );
            });
        }
    }
    println!("{points} crash points of a replay");
}

#[test]
fn a_shadow_of_other_rules_or_of_chunks_that_are_gone_is_made_anew() {
    let base = lived(DEFAULT);
    let index = |world: &World| SqliteIndex::open(&world.database("index.sqlite")).expect("an index");
    run(async {
        let folding = Folding::start(&base, DEFAULT).await;
        let rules = folding.aggregator.rules().await;
        let shadow = async |rules, index: &dyn Index| {
            let shadow = folding
                .generations
                .shadow(1, (rules, &BTreeMap::new()), index)
                .await
                .expect("a shadow");
            shadow.folded_ids(None, 100).await.expect("ids").len()
        };
        // The folded aggregates, left as if they were a shadow.
        let left = || {
            for suffix in ["", "-wal"] {
                let at = |number| format!("{}{suffix}", folding.generations.path(number).display());
                std::fs::copy(at(0), at(1)).expect("room");
            }
        };
        left();
        let whole = shadow(&rules, folding.index.as_ref()).await;
        assert!(whole > 2, "it is kept: {whole}");
        let mut other = rules.clone();
        other.settings.push(' ');
        assert_eq!(shadow(&other, folding.index.as_ref()).await, 0);
        folding.generations.remove(1);
        left();
        let empty = World::empty();
        assert_eq!(shadow(&rules, index(&empty).as_ref()).await, 0);
    });
}

//! Every operation of the disk, every call of the store and of the databases is a crash point; all are enumerated.

use disk::{Moment, SimulatedDisk};
use simulation::Verdict;
use tests::CrashPoints;

use crate::client::{Client, FEW, pings};
use crate::life::{live, live_on, run};
use crate::verdict::go_on;
use crate::world::World;

const MOMENTS: [Moment; 2] = [Moment::Before, Moment::After];

/// How many ways a power cut is found, at each crash point.
const SEEDS: u64 = 2;

/// What came of all crash points of a kind.
#[derive(Debug, Default)]
struct Tally {
    points: u64,
    restarts: u64,
    lost: u64,
    doubled: u64,
    wrong: Vec<String>,
}

impl Tally {
    fn add(&mut self, what: &str, verdict: Verdict) {
        let Verdict { lost, doubled, wrong } = verdict;
        self.restarts += 1;
        self.lost += lost;
        self.doubled += doubled;
        self.wrong
            .extend(wrong.iter().map(|wrong| format!("{what}: {wrong}")));
        if lost + doubled > 0 {
            self.wrong.push(format!("{what}: {lost} lost, {doubled} doubled"));
        }
    }

    #[expect(
        clippy::print_stdout,
        reason = "seeds and numbers of points are for who reads the test's output"
    )]
    /// One line, and failure if anything is wrong.
    fn report(self, kind: &str, ends: &str) {
        let Self {
            points,
            restarts,
            lost,
            doubled,
            wrong,
        } = self;
        println!(
            "{kind}: {points} crash points, {restarts} restarts ({ends}): lost {lost}, doubled {doubled}"
        );
        let first = &wrong[..wrong.len().min(5)];
        assert!(wrong.is_empty(), "{} wrong, first: {first:#?}", wrong.len());
        assert!(points > 20, "only {points} crash points");
    }
}

/// Lives until the chosen death, at one point after the other until nobody dies any more; starts anew after each in
/// several ways.
fn enumerate(kind: &str, choose: impl Fn(&mut World, u64, Moment), moments: &[Moment]) {
    let mut tally = Tally::default();
    for moment in moments {
        for point in 1.. {
            let (mut world, mut client) = (World::empty(), Client::new(pings()));
            choose(&mut world, point, *moment);
            if run(live(&world, &mut client)).is_some() {
                break;
            }
            tally.points += 1;
            let seed = |nth: u64| point * SEEDS + nth;
            let cuts = (0..SEEDS).map(|nth| {
                (
                    format!("power cut, seed {}", seed(nth)),
                    world.disk.crash(seed(nth)),
                )
            });
            let ends: Vec<(String, SimulatedDisk)> =
                cuts.chain([("kill".to_owned(), world.disk.kill())]).collect();
            for (end, disk) in ends {
                let found = world.found(disk);
                let verdict = run(go_on(&found, client.clone()));
                tally.add(&format!("{kind} {point} {moment:?}, {end}"), verdict);
            }
        }
    }
    let ends = format!("kill, and power cuts of seeds {SEEDS} x point + 0..{SEEDS}");
    tally.report(&format!("{kind} {moments:?}, {} pings", pings()), &ends);
}

fn at_operation(world: &mut World, point: u64, moment: Moment) {
    let made = world.disk.operations();
    world.disk.fail_at(made + point, moment);
}

#[test]
fn a_death_before_any_operation_of_the_disk_loses_and_doubles_nothing_soak() {
    enumerate("disk operations", at_operation, &[Moment::Before]);
}

#[test]
fn a_death_after_any_operation_of_the_disk_loses_and_doubles_nothing_soak() {
    enumerate("disk operations", at_operation, &[Moment::After]);
}

#[test]
fn a_death_at_any_call_of_the_store_loses_and_doubles_nothing_soak() {
    let choose = |world: &mut World, point, moment| {
        world.store_calls = CrashPoints::at(&world.disk, point, moment);
    };
    enumerate("store calls", choose, &MOMENTS);
}

#[test]
fn a_death_at_any_call_of_a_database_loses_and_doubles_nothing_soak() {
    let choose = |world: &mut World, point, moment| {
        world.database_calls = CrashPoints::at(&world.disk, point, moment);
    };
    enumerate("database calls", choose, &MOMENTS);
}

/// The first process is killed at its first put: a plan is logged, and its chunk is there or not. The second dies at any
/// operation, of its start or later, and finds a power cut: what the first left unsynced may be gone by then, too.
#[test]
fn a_second_death_while_the_first_is_made_good_loses_and_doubles_nothing() {
    let mut tally = Tally::default();
    for (first, second) in MOMENTS
        .iter()
        .flat_map(|first| MOMENTS.map(|second| (*first, second)))
    {
        let (mut world, mut client) = (World::empty(), Client::new(FEW));
        world.store_calls = CrashPoints::at(&world.disk, 1, first);
        assert!(run(live(&world, &mut client)).is_none());
        for point in 1.. {
            let (mut killed, mut client) = (world.found(world.disk.kill()), client.clone());
            at_operation(&mut killed, point, second);
            if run(live_on(&killed, &mut client)).is_some() {
                break;
            }
            tally.points += 1;
            let verdict = run(go_on(&killed.found(killed.disk.crash(point)), client));
            tally.add(
                &format!("put {first:?}, then operation {point} {second:?}"),
                verdict,
            );
        }
    }
    tally.report(
        "disk operations after a death at a put",
        "power cuts, the point is the seed",
    );
}

#[test]
fn a_life_without_death_ends_well() {
    let (world, mut client) = (World::empty(), Client::new(pings()));
    assert!(run(live(&world, &mut client)).is_some());
    assert!(client.sent.iter().all(|sent| sent.taken && sent.attempts == 1));
    println!(
        "{} disk operations, {} store calls, {} database calls",
        world.disk.operations(),
        world.store_calls.calls(),
        world.database_calls.calls()
    );
    let verdict = run(go_on(&world.found(world.disk.kill()), client));
    assert!(verdict.is_fine(), "{verdict:#?}");
}

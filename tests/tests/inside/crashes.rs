//! Every operation of the disk, every call of the store and of the databases is a crash point; all are enumerated.

use disk::{Moment, SimulatedDisk};
use simulation::Verdict;
use tests::CrashPoints;

use crate::client::{Client, FEW, pings};
use crate::life::{live, live_on, run};
use crate::verdict::go_on;
use crate::world::World;

pub(crate) const MOMENTS: [Moment; 2] = [Moment::Before, Moment::After];

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
        let Verdict {
            lost, doubled, wrong, ..
        } = verdict;
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

/// What is lived through until a death, and after it.
pub(crate) struct Course<'a> {
    /// In words.
    pub(crate) kind: &'a str,
    pub(crate) begin: &'a dyn Fn() -> (World, Client),
    /// Has the process die at this point.
    pub(crate) choose: &'a dyn Fn(&mut World, u64, Moment),
    /// How many ways a power cut is found.
    pub(crate) cuts: u64,
    /// Whether a kill is, too.
    pub(crate) is_killed: bool,
}

fn enumerate(kind: &str, choose: impl Fn(&mut World, u64, Moment), moments: &[Moment]) {
    let begin = || (World::empty(), Client::new(pings()));
    let course = Course {
        kind,
        begin: &begin,
        choose: &choose,
        cuts: SEEDS,
        is_killed: true,
    };
    course.enumerate(moments, &async |world, client| live(world, client).await, &go_on);
}

impl Course<'_> {
    /// Lives until the chosen death, at one point after the other until nobody dies any more; starts anew after each in
    /// several ways.
    pub(crate) fn enumerate(
        &self,
        moments: &[Moment],
        live: &impl AsyncFn(&World, &mut Client) -> Option<()>,
        go_on: &impl AsyncFn(&World, Client) -> Verdict,
    ) {
        let Self {
            kind, cuts: seeds, ..
        } = *self;
        let mut tally = Tally::default();
        for moment in moments {
            for point in 1.. {
                let (mut world, mut client) = (self.begin)();
                (self.choose)(&mut world, point, *moment);
                if run(live(&world, &mut client)).is_some() {
                    break;
                }
                tally.points += 1;
                let seed = |nth: u64| point * seeds + nth;
                let cuts = (0..seeds).map(|nth| {
                    (
                        format!("power cut, seed {}", seed(nth)),
                        world.disk.crash(seed(nth)),
                    )
                });
                let ends: Vec<(String, SimulatedDisk)> = cuts
                    .chain(self.is_killed.then(|| ("kill".to_owned(), world.disk.kill())))
                    .collect();
                for (end, disk) in ends {
                    let found = world.found(disk);
                    let verdict = run(go_on(&found, client.clone()));
                    tally.add(&format!("{kind} {point} {moment:?}, {end}"), verdict);
                }
            }
        }
        let kills = if self.is_killed { "kill, and " } else { "" };
        let ends = format!("{kills}power cuts of seeds {seeds} x point + 0..{seeds}");
        tally.report(&format!("{kind} {moments:?}, {} pings", pings()), &ends);
    }
}

pub(crate) fn at_operation(world: &mut World, point: u64, moment: Moment) {
    let made = world.disk.operations();
    world.disk.fail_at(made + point, moment);
}

pub(crate) fn at_store_call(world: &mut World, point: u64, moment: Moment) {
    world.store_calls = CrashPoints::at(&world.disk, point, moment);
}

pub(crate) fn at_database_call(world: &mut World, point: u64, moment: Moment) {
    world.database_calls = CrashPoints::at(&world.disk, point, moment);
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
    enumerate("store calls", at_store_call, &MOMENTS);
}

#[test]
fn a_death_at_any_call_of_a_database_loses_and_doubles_nothing_soak() {
    enumerate("database calls", at_database_call, &MOMENTS);
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

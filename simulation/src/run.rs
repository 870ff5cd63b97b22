//! One run: a world, a few processes that end badly in it, one that makes everything good, and the verdict.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use disk::SimulatedDisk;
use retention::Consent;
use service::clock::{Clock, HandClock};
use service::task::{self, simulated};

use crate::life::Life;
use crate::live::{go_on, live};
use crate::plan::{End, LifePlan, WorldPlan};
use crate::scheduler::{Halt, Pace};
use crate::trace::Trace;
use crate::verdict::Verdict;
use crate::world::World;

const DAY: Duration = Duration::from_secs(86_400);

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// Processes that died.
    pub crash_points: u64,
    /// Processes that ran.
    pub lives: u64,
    /// Simulated time.
    pub simulated: Duration,
    /// A hash of everything that happened, in order.
    pub trace: u64,
    /// What befell it, how often.
    pub befell: BTreeMap<&'static str, u64>,
    /// What is wrong.
    pub verdict: Verdict,
}

/// Runs a seed; prints what happens, if asked.
///
/// # Panics
/// When the machine has no room or no thread for it.
pub fn run(seed: u64, printed: bool) -> Report {
    run_on(World::new(seed, Trace::new(printed)), None)
}

/// Runs a seed on disks that are spoilt: none of their other faults happens then.
///
/// # Panics
/// When the machine has no room or no thread for it.
pub fn run_spoilt(seed: u64, spoil: &dyn Fn(&SimulatedDisk)) -> Report {
    run_on(World::new(seed, Trace::new(false)), Some(spoil))
}

/// Runs a seed in which somebody says yes to whatever retention would delete.
///
/// # Panics
/// When the machine has no room or no thread for it.
pub fn run_consenting(seed: u64) -> Report {
    let (mut world, disk) = World::new(seed, Trace::new(false));
    world.plan.consent = Consent::Given;
    run_on((world, disk), None)
}

fn run_on((world, mut disk): (World, SimulatedDisk), spoil: Option<&dyn Fn(&SimulatedDisk)>) -> Report {
    let (trace, seed) = (world.trace.clone(), world.seed);
    let world = Arc::new(world);
    let WorldPlan { lives, pace, .. } = world.plan;
    let mut crash_points = 0;
    for number in 0..lives {
        let mut plan = LifePlan::draw(seed, number);
        if let Some(spoil) = spoil {
            plan.faults.clear();
            spoil(&disk);
        }
        plan.leap_days = world.plan.leaps.get(&number).copied().unwrap_or(0);
        let life = world.life(number, plan, pace, disk);
        arm(&life);
        if life.plan.leap_days != 0 {
            life.leap(life.plan.leap_days);
            life.befalls(if life.plan.leap_days > 0 {
                "clocks far ahead"
            } else {
                "clocks far behind"
            });
        }
        let halted = execute(&life, live(Arc::clone(&world), life.clone()));
        if matches!(halted, Err(Halt::Dead)) {
            crash_points += 1;
            count_death(&life);
        }
        if matches!(halted, Err(Halt::Stuck)) {
            life.is_wrong("it waits for what never comes");
        }
        disk = match life.plan.power_cut {
            Some(seed) => life.disk.crash(seed),
            None => life.disk.kill(),
        };
        life.leap(-life.plan.leap_days);
        world.clock.advance(life.plan.rest);
        if world.plan.keep.is_some() {
            world.clock.advance(DAY * life.plan.days);
        }
    }
    let calm = Pace {
        longest: pace.longest.min(Duration::from_millis(1)),
        ..pace
    };
    let life = world.life(lives, LifePlan::last(seed), calm, disk);
    let mut verdict = match execute(&life, go_on(Arc::clone(&world), life.clone())) {
        Ok(verdict) => verdict,
        Err(halt) => Verdict {
            wrong: vec![format!("the last process: {halt:?}")],
            ..Verdict::default()
        },
    };
    verdict
        .wrong
        .append(&mut world.wrong.lock().unwrap_or_else(PoisonError::into_inner));
    Report {
        seed,
        crash_points,
        lives: lives + 1,
        simulated: HandClock::monotonic(&world.clock),
        trace: trace.hash(),
        befell: trace.counts(),
        verdict,
    }
}

/// A death that nobody else asked for was that of the disk's operation.
fn count_death(life: &Life) {
    if !life.asked_to_die.load(Ordering::SeqCst) {
        life.trace.count("deaths at an operation of the disk");
    }
}

/// Makes the disk fail at the chosen operation.
fn arm(life: &Life) {
    life.note(format_args!("life {}: {:?}", life.number, life.plan));
    if let End::Operation(operation, moment) = life.plan.end {
        let made = life.disk.operations();
        life.disk.fail_at(made + operation, moment);
    }
}

/// Runs a process in the calling thread until it ends or dies; then nothing of it goes on, and its disk is off.
fn execute<T: Send + 'static>(
    life: &Life,
    body: impl Future<Output = T> + Send + 'static,
) -> Result<T, Halt> {
    let scheduler = life.scheduler.clone();
    let _entered = simulated::enter(Arc::new(scheduler.clone()));
    let idle = scheduler.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .on_thread_park(move || idle.go_on())
        .build()
        .expect("a runtime without drivers");
    let ended = runtime.block_on(async {
        let whole = task::spawn("life", body);
        tokio::select! {
            biased;
            halt = scheduler.halted() => Err(halt),
            whole = whole => match whole {
                Ok(whole) => Ok(whole),
                Err(panic) => {
                    life.is_wrong(&format!("its main task: {panic}"));
                    Err(Halt::Stuck)
                }
            },
        }
    });
    // What a process that is gone still held is dropped now, and must not touch its disk.
    life.disk.power_off();
    drop(runtime);
    life.scheduler.forget();
    ended
}

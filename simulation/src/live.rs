//! What happens in a process: clients send, faults come and go, the clock steps, aggregates are rebuilt, until the end
//! that its plan has for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use service::task;

use crate::client::CLIENTS;
use crate::dice::Dice;
use crate::import;
use crate::life::Life;
use crate::plan::{DiskFault, DiskFaultKind, End};
use crate::process::{PREFIX, Process};
use crate::verdict::{Verdict, judge};
use crate::world::World;

/// Whatever takes longer without faults never ends.
const PATIENCE: Duration = Duration::from_secs(10 * 86_400);

/// How often a rebuild is tried.
const REBUILDS: usize = 10;

/// How often everything is looked at while its end is waited for.
const LOOK: Duration = Duration::from_secs(5);

/// Lives as planned.
pub(crate) async fn live(world: Arc<World>, life: Life) {
    for (number, fault) in life.plan.faults.iter().enumerate() {
        let dice = life.dice(&format!("fault {number}"));
        if fault.from.is_zero() {
            spoil(&life, fault.kind, dice);
            task::spawn("heal", heal(life.clone(), *fault));
        } else {
            task::spawn("fault", befall(life.clone(), *fault, dice));
        }
    }
    match Process::start(&world, &life).await {
        Ok(process) => {
            life.note(format_args!("started"));
            process.look_after();
            process.retain_now_and_then();
            befall_process(&world, &process);
            let rest = life.plan.length.saturating_sub(life.scheduler.now());
            task::sleep(rest).await;
            end(&process).await;
        }
        Err(_) if life.disk.is_off() => {}
        Err(error)
            if life.plan.faults.is_empty()
                && life.plan.odds.database == 0
                && life.plan.database_outage.is_none() =>
        {
            life.is_wrong(&format!("does not start: {error}"));
        }
        Err(error) => {
            life.note(format_args!("{error}"));
            life.befalls("starts that failed");
        }
    }
}

fn befall_process(world: &Arc<World>, process: &Arc<Process>) {
    let life = &process.life;
    send(world, process);
    if let Some(when) = life.plan.rebuild {
        let (world, process) = (Arc::clone(world), Arc::clone(process));
        task::spawn("rebuild", async move {
            task::sleep(when).await;
            // As who asked for it would.
            for _ in 0..REBUILDS {
                match process.rebuild(&world).await {
                    Ok(()) => return process.life.befalls("rebuilds"),
                    Err(error) => {
                        process.life.note(format_args!("{error}"));
                        process.life.befalls("rebuilds that failed");
                    }
                }
                task::sleep(LOOK).await;
            }
        });
    }
    if let Some((when, by)) = life.plan.step {
        let life = life.clone();
        task::spawn("step", async move {
            task::sleep(when).await;
            life.clock.step_micros(by);
            life.befalls("steps of the clock");
        });
    }
}

/// All clients send what was not answered 200 yet.
fn send(world: &World, process: &Process) -> Vec<tokio::task::JoinHandle<()>> {
    let life = &process.life;
    let share = world.plan.share(life.number);
    let mut tasks: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let dice = life.dice(&format!("client {client}"));
            let pings = world.pings.clone();
            task::spawn(
                "client",
                pings.send(client, share, Arc::clone(&process.edge), life.clone(), dice),
            )
        })
        .collect();
    let import = import::import(world.pings.clone(), Arc::clone(&process.edge), life.clone());
    tasks.push(task::spawn("import", import));
    tasks
}

async fn end(process: &Process) {
    let life = &process.life;
    if life.plan.end != End::InOrder {
        life.die("deaths at an instant");
        return std::future::pending().await;
    }
    life.befalls("ends in order");
    let ended = async {
        if life.plan.seals_at_end {
            process.edge.wait_until_sealed().await;
        }
        process.end().await;
    };
    if within(PATIENCE, ended).await.is_none() {
        life.is_wrong("does not end");
    }
}

async fn befall(life: Life, fault: DiskFault, dice: Dice) {
    task::sleep(fault.from).await;
    spoil(&life, fault.kind, dice);
    heal(life, fault).await;
}

async fn heal(life: Life, fault: DiskFault) {
    task::sleep(fault.until.saturating_sub(life.scheduler.now())).await;
    life.note(format_args!("the disk is well again"));
    life.disk.heal();
}

fn spoil(life: &Life, kind: DiskFaultKind, mut dice: Dice) {
    let Life { disk, .. } = life;
    life.befalls(match kind {
        DiskFaultKind::Full(_) => "times that the disk is full",
        DiskFaultKind::Syncs(_) => "times that syncs fail",
        DiskFaultKind::Reads(_) => "times that reads fail",
    });
    match kind {
        DiskFaultKind::Full(bytes) => disk.set_capacity(disk.used_bytes() + bytes),
        DiskFaultKind::Syncs(per_mille) => disk.fail_syncs(move |_, _| dice.happens(per_mille)),
        DiskFaultKind::Reads(per_mille) => disk.fail_reads(move |_| dice.happens(per_mille)),
    }
}

/// Starts anew, has all clients send again what was not answered 200, seals, reconciles, folds; then judges.
pub(crate) async fn go_on(world: Arc<World>, life: Life) -> Verdict {
    world.everything_arrives().await;
    let mut verdict = Verdict::default();
    let process = match Process::start(&world, &life).await {
        Ok(process) => process,
        Err(error) => {
            verdict.wrong.push(format!("does not start: {error}"));
            return verdict;
        }
    };
    let all = async {
        // All is taken and sealed without them, too.
        if life.dice("last outage").happens(250) {
            life.befalls("outages of index and aggregates until all is sealed");
            life.no_database.store(true, Ordering::SeqCst);
        }
        for client in send(&world, &process) {
            if let Err(error) = client.await {
                life.is_wrong(&format!("a client: {error}"));
            }
        }
        process.edge.wait_until_sealed().await;
        life.no_database.store(false, Ordering::SeqCst);
        settle(&process).await;
    };
    if within(PATIENCE, all).await.is_none() {
        let (edge, totals) = (process.edge.status(), process.index.totals().await);
        let wrong = format!("it does not settle: {edge:?}, {totals:?}");
        verdict.wrong.push(wrong);
        return verdict;
    }
    if life.dice("last rebuild").happens(100)
        && let Err(error) = process.rebuild(&world).await
    {
        verdict.wrong.push(format!("no rebuild: {error}"));
    }
    let verdict = judge(&world, &process).await;
    process.end().await;
    verdict
}

/// Returns when store and index are equal, nothing waits to be folded, and what could not be read meanwhile was read again.
async fn settle(process: &Process) {
    loop {
        match process.indexer.reconcile(PREFIX).await {
            Ok(found) if found.unanswered == 0 => break,
            _ => task::sleep(LOOK).await,
        }
    }
    process.aggregator.waker().notify_one();
    loop {
        match process.index.totals().await {
            Ok(totals) if totals.pending_chunks == 0 => break,
            _ => task::sleep(LOOK).await,
        }
    }
    // What is old goes, a day at a time.
    loop {
        match process.retain().await {
            Ok(0) => break,
            Ok(_) => {}
            Err(_) => task::sleep(LOOK).await,
        }
    }
    // Copies that could not be read to be taken back: the pings that would displace them were errored.
    loop {
        match process.aggregator.replay_errors(&|_| {}).await {
            Ok(done) if done.unreadable == 0 => {
                for _ in 0..done.replayed {
                    process.life.befalls("pings folded by the last replay");
                }
                break;
            }
            _ => task::sleep(LOOK).await,
        }
    }
}

async fn within<T>(patience: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = task::sleep(patience) => None,
    }
}

//! Retention runs day after day while some deletions fail and the process dies at any call: nothing that is young goes, and
//! what went is in the aggregates as long as its days are kept.

use std::sync::atomic::Ordering;
use std::time::Duration;

use disk::Moment;
use index_schema::ChunkKey;
use simulation::Verdict;

use crate::client::{Client, FEW};
use crate::crashes::{Course, MOMENTS, at_database_call, at_operation, at_store_call};
use crate::life::{Process, alive, run, sent};
use crate::verdict::go_on_retaining;
use crate::world::World;

const DAY: Duration = Duration::from_secs(86_400);

/// Ends of what is sent on each day: the process starts anew before the last one.
const SENT: [usize; 4] = [8, 16, 22, FEW];

/// Lives through four days, of which one is kept. `None` when a process died.
async fn live(world: &World, client: &mut Client) -> Option<()> {
    world.refusals.first_deletions.store(true, Ordering::SeqCst);
    let mut process = alive(world, Process::start(world).await)?;
    for (day, end) in SENT.into_iter().enumerate() {
        if day + 1 == SENT.len() {
            process.end().await;
            process = alive(world, Process::start(world).await)?;
            process.reconcile().await?;
        }
        sent(client.send(&process.edge, &world.clock, 0..end).await)?;
        process.work().await?;
        // A run that could not delete everything deleted all that it could, and is followed by another one.
        while !process.retain().await?.0 {
            for key in old(world).await? {
                assert!(
                    world.refusals.refused(&key),
                    "{key} is left although it can be deleted"
                );
            }
        }
        world.clock.advance(DAY);
    }
    process.end().await;
    (!world.disk.is_off()).then_some(())
}

/// What is there that may go. `None` when the process died.
async fn old(world: &World) -> Option<Vec<String>> {
    let page = world.bare_store().list("pings/", None, 100).await;
    if world.disk.is_off() {
        return None;
    }
    let keys = page.expect("lists").objects.into_iter().map(|object| object.key);
    let days = world.days.as_ref().expect("not all are kept");
    let may_go = |key: &String| {
        let key = ChunkKey::parse(key).expect("a chunk's key");
        days.may_go(&key, world.right_day()).is_ok()
    };
    Some(keys.filter(may_go).collect())
}

fn enumerate(
    kind: &str,
    choose: &dyn Fn(&mut World, u64, Moment),
    moments: &[Moment],
    (cuts, is_killed): (u64, bool),
) {
    let course = Course {
        kind,
        begin: &|| (World::keeping_a_day(&[]), Client::new(FEW)),
        choose,
        cuts,
        is_killed,
    };
    course.enumerate(moments, &live, &go_on_retaining);
}

#[test]
fn a_death_at_any_operation_of_the_disk_while_deletions_fail_loses_and_deletes_nothing_young() {
    enumerate(
        "disk operations with retention",
        &at_operation,
        &[Moment::After],
        (1, false),
    );
}

#[test]
fn a_death_at_any_call_of_the_store_while_deletions_fail_loses_and_deletes_nothing_young() {
    enumerate("store calls with retention", &at_store_call, &MOMENTS, (1, true));
}

#[test]
fn a_death_at_any_call_of_a_database_while_deletions_fail_loses_and_deletes_nothing_young() {
    enumerate(
        "database calls with retention",
        &at_database_call,
        &MOMENTS,
        (0, true),
    );
}

#[test]
fn a_life_with_retention_deletes_two_days_and_some_deletions_fail() {
    let (world, mut client) = (World::keeping_a_day(&[]), Client::new(FEW));
    assert!(run(live(&world, &mut client)).is_some());
    let (deleted, failed) = (
        world.deletions.chunks().len(),
        world.refusals.deletions.load(Ordering::SeqCst),
    );
    println!(
        "{deleted} chunks deleted, {failed} deletions failed; {} disk operations, {} store calls, {} database calls",
        world.disk.operations(),
        world.store_calls.calls(),
        world.database_calls.calls()
    );
    assert!(deleted > 4 && failed > 2, "{deleted} {failed}");
    let verdict = run(go_on_retaining(&world.found(world.disk.kill()), client));
    assert!(verdict.is_fine(), "{verdict:#?}");
}

#[test]
fn the_judge_sees_a_young_chunk_that_is_deleted() {
    let verdict = spoilt(async |world| {
        let store = world.store();
        let page = store.list("pings/v1/", None, 100).await.expect("lists");
        store
            .delete(&page.objects.last().expect("some").key)
            .await
            .expect("deletes");
    });
    let wrong = verdict
        .wrong
        .iter()
        .any(|wrong| wrong.contains("must not be deleted"));
    assert!(wrong, "{verdict:#?}");
}

#[test]
fn the_judge_sees_a_chunk_that_is_gone_and_that_nobody_deleted() {
    let verdict = spoilt(async |world| {
        let store = world.bare_store();
        let page = store.list("pings/v1/", None, 100).await.expect("lists");
        store
            .delete(&page.objects.last().expect("some").key)
            .await
            .expect("deletes");
    });
    assert!(verdict.lost > 0, "{verdict:#?}");
}

/// What is said of a life after which something was done.
fn spoilt(spoil: impl AsyncFnOnce(&World)) -> Verdict {
    let (world, mut client) = (World::keeping_a_day(&[]), Client::new(FEW));
    assert!(run(live(&world, &mut client)).is_some());
    let found = world.found(world.disk.kill());
    run(spoil(&found));
    run(go_on_retaining(&found, client))
}

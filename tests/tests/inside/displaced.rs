//! Earlier copies of documents turn up after later ones were counted, whose chunks the store does not give for a time; the
//! process dies at any call meanwhile. In the end every ping counts as the oracle says.

use std::sync::atomic::Ordering;

use disk::Moment;

use crate::client::{Client, FEW};
use crate::crashes::{Course, MOMENTS, at_database_call, at_store_call};
use crate::life::{Process, alive, run, sent};
use crate::verdict::go_on;
use crate::world::World;

/// Pings that are sealed together.
const BLOCK: usize = 5;

/// Blocks that are folded first: the later copies of documents of other blocks lie in them.
const FIRST: [usize; 2] = [2, 4];

/// A world in which everything is sealed, and only the chunks with later copies are folded. Those chunks, too.
fn later_copies_count() -> (World, Client, Vec<String>) {
    let (mut world, mut client) = (World::empty(), Client::new(FEW));
    let later = run(async {
        let mut process = Process::start(&world).await.expect("a start");
        let mut later = Vec::new();
        for block in 0..FEW / BLOCK {
            let end = (block + 1) * BLOCK;
            sent(client.send(&process.edge, &world.clock, 0..end).await).expect("taken");
            let keys = process.sealed().await.expect("nobody dies");
            if FIRST.contains(&block) {
                process.take(&keys).await.expect("nobody dies");
                later.extend(keys);
            }
        }
        process.end().await;
        later
    });
    world.replays = true;
    (world, client, later)
}

/// Indexes and folds the earlier copies while the later ones cannot be read; then the store is well again. `None` when the
/// process died.
async fn live(world: &World, later: &[String]) -> Option<u64> {
    world.refusals.set_unreadable(later);
    let process = alive(world, Process::start(world).await)?;
    process.reconcile().await?;
    let errored = process.displaced_unread().await?;
    world.refusals.set_unreadable(&[]);
    process.replay().await?;
    process.end().await;
    (!world.disk.is_off()).then_some(errored)
}

/// The same world once more, in which the process takes what the store does not give for what it is.
fn again(base: &World) -> World {
    let mut world = base.found(base.disk.kill());
    world.replays = false;
    world
}

fn enumerate(kind: &str, choose: impl Fn(&mut World, u64, Moment), cuts: u64) {
    let (base, client, later) = later_copies_count();
    let course = Course {
        kind,
        begin: &|| (again(&base), client.clone()),
        choose: &choose,
        cuts,
        is_killed: true,
    };
    course.enumerate(
        &MOMENTS,
        &async |world, _| live(world, &later).await.map(|_| ()),
        &async |found, client| {
            let mut found = found.found(found.disk.kill());
            found.replays = true;
            go_on(&found, client).await
        },
    );
}

#[test]
fn earlier_copies_that_turn_up_while_later_ones_cannot_be_read_count_in_the_end() {
    let (base, client, later) = later_copies_count();
    let world = again(&base);
    let errored = run(live(&world, &later)).expect("nobody dies");
    let refused = world.refusals.reads.load(Ordering::SeqCst);
    assert_eq!(errored, 2, "both were to be displaced");
    assert!(refused >= 3, "{refused} reads");
    println!(
        "{} store calls, {} database calls",
        world.store_calls.calls(),
        world.database_calls.calls()
    );
    let verdict = run(go_on(&world.found(world.disk.kill()), client));
    assert!(verdict.is_fine(), "{verdict:#?}");
}

#[test]
fn a_death_at_any_call_of_a_database_while_displaced_copies_cannot_be_read_counts_each_once() {
    enumerate("database calls, displaced copies unread", at_database_call, 0);
}

#[test]
fn a_death_at_any_call_of_the_store_while_displaced_copies_cannot_be_read_counts_each_once() {
    enumerate("store calls, displaced copies unread", at_store_call, 1);
}

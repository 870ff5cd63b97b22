//! A store that now and then reports failure for puts that happened, or that nobody knows of.

use store::Odds;

use crate::client::{Client, pings};
use crate::life::{live, run};
use crate::verdict::go_on;
use crate::world::World;

const SEEDS: u64 = 20;

#[test]
fn a_store_that_denies_what_it_did_loses_and_doubles_nothing_soak() {
    let (mut lost, mut doubled) = (0, 0);
    for seed in 0..SEEDS {
        let (mut world, mut client) = (World::empty(), Client::new(pings()));
        let odds = Odds {
            refused: 0.1,
            answer_lost: 0.3,
            call_lost: 0.1,
        };
        world.lies = Some((seed, odds));
        assert!(run(live(&world, &mut client)).is_some(), "seed {seed}");
        let mut found = world.found(world.disk.crash(seed));
        found.lies = Some((seed + 1_000, odds));
        let verdict = run(go_on(&found, client));
        lost += verdict.lost;
        doubled += verdict.doubled;
        assert!(verdict.is_fine(), "seed {seed}: {verdict:#?}");
    }
    println!("a store that lies: seeds 0..{SEEDS}: lost {lost}, doubled {doubled}");
}

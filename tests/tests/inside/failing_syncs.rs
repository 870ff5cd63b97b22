//! Any one sync fails while the power is on, and the process goes on: its pages count as clean from then on. A power cut after that
//! loses and doubles nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use disk::SyncKind;

use crate::client::{Client, FEW};
use crate::life::{live_on_through, run};
use crate::verdict::go_on;
use crate::world::World;

/// Found disks looked at for each failing sync.
const SEEDS: u64 = 4;

/// The first fails, and so many after it: of a file that is tried again at once, the next one, too.
const FAILURES: [u64; 2] = [1, 2];

#[test]
fn whichever_sync_fails_a_later_power_cut_loses_and_doubles_nothing() {
    let (mut points, mut of_large_chunks) = (0, 0);
    for failures in FAILURES {
        for first in 1.. {
            let (world, mut client) = (World::empty(), Client::new(FEW));
            let (mut number, failed) = (0, Arc::new(AtomicBool::new(false)));
            let large = Arc::new(AtomicBool::new(false));
            let (seen, seen_large) = (Arc::clone(&failed), Arc::clone(&large));
            world.disk.fail_syncs(move |path, kind| {
                number += 1;
                let fails = (first..first + failures).contains(&number);
                seen.fetch_or(fails, Ordering::SeqCst);
                let is_large = kind == SyncKind::File && path.to_string_lossy().starts_with("/staging/seal-");
                seen_large.fetch_or(fails && is_large, Ordering::SeqCst);
                fails
            });
            run(live_on_through(&world, &mut client));
            if !failed.load(Ordering::SeqCst) {
                break;
            }
            points += 1;
            of_large_chunks += u64::from(large.load(Ordering::SeqCst));
            for seed in 0..SEEDS {
                let verdict = run(go_on(&world.found(world.disk.crash(seed)), client.clone()));
                assert!(
                    verdict.is_fine(),
                    "syncs {first}.. ({failures} of them), seed {seed}: {verdict:#?}"
                );
            }
        }
    }
    println!("{points} failing syncs, {of_large_chunks} of them of large chunks");
    assert!(points > 40 && of_large_chunks > 3, "{points}, {of_large_chunks}");
}

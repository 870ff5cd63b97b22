//! Every call of disk and store is a crash point: what was taken is in exactly one chunk after the next start.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use disk::{Moment, SimulatedDisk};
use store::{Odds, Store, UnreliableStore};

use crate::support::*;

const PINGS: u64 = 12;

/// Submits pings of two partitions and one that does not inflate, seals in between, ends; answers what was taken.
async fn work(disk: &SimulatedDisk, store: Arc<dyn Store>, taken: &mut BTreeSet<String>) {
    let Ok(running) = open_simulated(disk, store, limits()).await else {
        return;
    };
    for number in 0..PINGS {
        let channel = ["release", "beta"][number as usize % 2];
        let gzip: &[(&str, &str)] = if number == 5 {
            &[("content-encoding", "gzip")]
        } else {
            &[]
        };
        let uri = uri(number, channel);
        if submit_with(&running.edge, &uri, gzip, &[b'x'; 700]).await.is_ok() {
            taken.insert(uri);
        }
        if number == PINGS / 2 {
            let sealed = running.edge.wait_until_sealed();
            let _ = tokio::time::timeout(Duration::from_millis(20), sealed).await;
        }
    }
    let sealed = running.edge.wait_until_sealed();
    let _ = tokio::time::timeout(Duration::from_millis(20), sealed).await;
    running.edge.shutdown(false).await;
}

/// Starts on what is left, seals everything, and looks for what was taken.
async fn assert_nothing_lost(
    disk: &SimulatedDisk,
    store: Arc<dyn Store>,
    taken: &BTreeSet<String>,
    what: &str,
) {
    let running = open_simulated(disk, Arc::clone(&store), limits())
        .await
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    tokio::time::timeout(Duration::from_secs(20), running.edge.wait_until_sealed())
        .await
        .unwrap_or_else(|_| panic!("{what}: does not come to an end, {:?}", running.edge.status()));
    let status = running.edge.status();
    assert_eq!(status.damaged, 0, "{what}");
    let found = records(store.as_ref()).await;
    assert_eq!(
        (status.waiting, status.chunked),
        (0, found.len() as u64),
        "{what}"
    );
    let uris: BTreeSet<String> = found.values().map(|record| record.uri.clone()).collect();
    assert_eq!(uris.len(), found.len(), "{what}: a ping is in two records");
    for uri in taken {
        assert!(uris.contains(uri), "{what}: {uri} was taken and is lost");
    }
    running.edge.shutdown(false).await;
}

#[test]
fn a_power_cut_at_any_operation_of_the_disk_leaves_each_ping_in_exactly_one_chunk() {
    run(async {
        let disk = SimulatedDisk::new();
        work(&disk, directory(&disk), &mut BTreeSet::new()).await;
        for operation in 1..disk.operations() + 5 {
            let (disk, mut taken) = (SimulatedDisk::new(), BTreeSet::new());
            let store = directory(&disk);
            disk.fail_at(operation, [Moment::Before, Moment::After][operation as usize % 2]);
            work(&disk, store, &mut taken).await;
            for seed in 0..3 {
                let found = disk.crash(seed);
                let store = directory(&found);
                let what = format!("operation {operation}, seed {seed}");
                assert_nothing_lost(&found, store, &taken, &what).await;
            }
        }
    });
}

#[test]
fn a_kill_at_any_operation_of_the_disk_and_a_power_cut_later_lose_nothing() {
    run(async {
        let disk = SimulatedDisk::new();
        work(&disk, directory(&disk), &mut BTreeSet::new()).await;
        for operation in (1..disk.operations() + 5).step_by(3) {
            let (disk, mut taken) = (SimulatedDisk::new(), BTreeSet::new());
            let store = directory(&disk);
            disk.fail_at(operation, Moment::After);
            work(&disk, store, &mut taken).await;
            let found = disk.kill();
            let what = format!("operation {operation}");
            assert_nothing_lost(&found, directory(&found), &taken, &what).await;
            let later = found.crash(operation);
            assert_nothing_lost(&later, directory(&later), &taken, &format!("{what}, then power")).await;
        }
    });
}

#[test]
fn a_crash_at_any_call_of_the_store_leaves_each_ping_in_exactly_one_chunk() {
    run(async {
        let healthy = UnreliableStore::new(memory(), 0, Odds::default());
        work(
            &SimulatedDisk::new(),
            Arc::new(healthy.clone()),
            &mut BTreeSet::new(),
        )
        .await;
        for call in 1..healthy.calls() + 3 {
            for moment in [Moment::Before, Moment::After] {
                let (disk, inner, mut taken) = (SimulatedDisk::new(), memory(), BTreeSet::new());
                let store = UnreliableStore::new(Arc::clone(&inner), 0, Odds::default());
                store.fail_at(call, moment);
                work(&disk, Arc::new(store), &mut taken).await;
                assert_nothing_lost(&disk.kill(), inner, &taken, &format!("call {call} {moment:?}")).await;
            }
        }
    });
}

#[test]
fn a_store_that_lies_about_its_failures_gets_each_ping_once() {
    run(async {
        for seed in 0..20 {
            let (disk, inner, mut taken) = (SimulatedDisk::new(), memory(), BTreeSet::new());
            let odds = Odds {
                refused: 0.2,
                answer_lost: 0.3,
                call_lost: 0.2,
            };
            let store = Arc::new(UnreliableStore::new(Arc::clone(&inner), seed, odds));
            work(&disk, store.clone(), &mut taken).await;
            let what = format!("seed {seed}");
            let running = open_simulated(&disk, store, limits()).await.expect("opens");
            tokio::time::timeout(Duration::from_secs(20), running.edge.wait_until_sealed())
                .await
                .expect(&what);
            running.edge.shutdown(false).await;
            assert_eq!(taken.len() as u64, PINGS);
            assert_nothing_lost(&disk, inner, &taken, &what).await;
        }
    });
}

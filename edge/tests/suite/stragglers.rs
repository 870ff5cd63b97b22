//! Under pressure the pings of rare partitions are copied forward, not sealed as tiny chunks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use disk::{Disk, Moment, SimulatedDisk};
use edge::{Edge, EdgeLimits};
use store::Store;

use crate::support::*;

const RARE: [&str; 4] = ["beta", "nightly", "aurora", "esr"];

fn small() -> EdgeLimits {
    EdgeLimits {
        log_bytes: 128 << 10,
        segment_bytes: 8 << 10,
        ..limits()
    }
}

/// Submits a ping of each rare partition, then `pings` of a large one; answers the URIs that were taken.
async fn traffic(edge: &Edge, pings: u64) -> BTreeSet<String> {
    let mut taken = BTreeSet::new();
    for (number, channel) in (0..).zip(RARE) {
        if submit(edge, number, channel, b"rare").await.is_ok() {
            taken.insert(uri(number, channel));
        }
    }
    for number in 100..100 + pings {
        let mut tries = 0;
        while submit(edge, number, "release", &[b' '; 1_000]).await.is_err() {
            tries += 1;
            if tries == 500 || !edge.status().writable {
                return taken; // The simulated power is off.
            }
            service::task::sleep(Duration::from_millis(2)).await;
        }
        taken.insert(uri(number, "release"));
    }
    taken
}

/// How many chunks there are of each channel.
async fn chunks(store: &dyn Store) -> BTreeMap<String, usize> {
    let mut chunks = BTreeMap::new();
    for object in store.list("pings/", None, 100_000).await.expect("lists").objects {
        let (_, rest) = object.key.split_once("app_update_channel=").expect("in each key");
        let (channel, _) = rest.split_once('/').expect("a path");
        *chunks.entry(channel.to_owned()).or_insert(0) += 1;
    }
    chunks
}

/// Each time the log was pressed for room, four rare partitions pinned it. On a busy machine room may be so scarce for a
/// moment that one is sealed.
async fn assert_few_tiny(store: &dyn Store) {
    let mut sealed = chunks(store).await;
    assert!(sealed.remove("release").is_some());
    assert!(sealed.values().sum::<usize>() <= 2, "tiny chunks: {sealed:?}");
}

#[test]
fn rare_partitions_are_copied_forward_under_pressure_and_sealed_once_in_the_end() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        let running = open_simulated(&disk, Arc::clone(&store), small())
            .await
            .expect("opens");
        // The log's budget ten times over.
        let taken = traffic(&running.edge, 1_200).await;
        assert_eq!(taken.len(), 1_204);
        assert_few_tiny(store.as_ref()).await;
        let segments = disk.read_dir("/log".as_ref()).expect("a folder").len();
        assert!(segments <= 20, "the log is freed: {segments} files");
        // A kill: the copies are found, each ping once, as it was received.
        // A seal that is under way must not go on: what is found knows nothing of its plan.
        disk.power_off();
        let found = disk.kill();
        running.edge.shutdown(false).await;
        let store_after = Arc::clone(&store);
        let running = open_simulated(&found, store_after, small()).await.expect("opens");
        running.edge.wait_until_sealed().await;
        let status = running.edge.status();
        assert_eq!((status.waiting, status.damaged), (0, 0));
        let sealed = chunks(store.as_ref()).await;
        for channel in RARE {
            assert!(sealed.contains_key(channel), "{sealed:?}");
        }
        let found = records(store.as_ref()).await;
        let uris: BTreeSet<String> = found.values().map(|record| record.uri.clone()).collect();
        assert_eq!((uris.len(), found.len()), (1_204, 1_204));
        assert_eq!(uris, taken);
    });
}

#[test]
fn a_power_cut_at_any_operation_under_pressure_leaves_each_ping_in_exactly_one_chunk() {
    run(async {
        let healthy = SimulatedDisk::new();
        let store = directory(&healthy);
        let running = open_simulated(&healthy, Arc::clone(&store), small())
            .await
            .expect("opens");
        let taken = traffic(&running.edge, 300).await.len();
        assert_eq!(taken, 304, "{:?}", running.edge.status());
        assert_few_tiny(store.as_ref()).await;
        running.edge.shutdown(false).await;
        // Every so many: the log alone is driven through all of them.
        for operation in (1..healthy.operations()).step_by(29) {
            let disk = SimulatedDisk::new();
            let store = directory(&disk);
            disk.fail_at(operation, [Moment::Before, Moment::After][operation as usize % 2]);
            let mut taken = BTreeSet::new();
            if let Ok(running) = open_simulated(&disk, store, small()).await {
                taken = traffic(&running.edge, 300).await;
                running.edge.shutdown(false).await;
            }
            let what = format!("operation {operation}");
            let found = disk.crash(operation);
            let store = directory(&found);
            let running = open_simulated(&found, Arc::clone(&store), small())
                .await
                .unwrap_or_else(|error| panic!("{what}: {error}"));
            tokio::time::timeout(Duration::from_secs(60), running.edge.wait_until_sealed())
                .await
                .unwrap_or_else(|_| panic!("{what}: does not end, {:?}", running.edge.status()));
            let status = running.edge.status();
            let found = records(store.as_ref()).await;
            assert_eq!(
                (status.waiting, status.damaged, status.chunked),
                (0, 0, found.len() as u64),
                "{what}"
            );
            let uris: BTreeSet<String> = found.values().map(|record| record.uri.clone()).collect();
            assert_eq!(uris.len(), found.len(), "{what}: a ping is in two records");
            assert!(
                taken.is_subset(&uris),
                "{what}: {:?} are lost",
                taken.difference(&uris)
            );
            running.edge.shutdown(false).await;
        }
    });
}

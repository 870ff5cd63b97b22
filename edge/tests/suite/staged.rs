//! Chunks that are too large for memory are gathered in files: a file whose sync failed is not trusted again, and a disk without
//! room for files does not stop the log from being drained.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use disk::{Disk, SimulatedDisk, SyncKind};
use edge::{Edge, EdgeLimits};
use store::{MemoryStore, Store};

use crate::support::*;

/// Chunks of more than 2 KB go to files.
fn small_memory() -> EdgeLimits {
    EdgeLimits {
        chunk_memory_bytes: 2 << 10,
        ..limits()
    }
}

/// Bytes that do not compress, other ones for each number.
fn noise(number: u64, len: usize) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[7]
        })
        .collect()
}

async fn submit_noise(edge: &Edge, numbers: std::ops::Range<u64>, len: usize) -> BTreeSet<String> {
    let mut taken = BTreeSet::new();
    for number in numbers {
        if submit(edge, number, "release", &noise(number, len)).await.is_ok() {
            taken.insert(uri(number, "release"));
        }
    }
    taken
}

async fn uris(store: &dyn Store) -> BTreeSet<String> {
    let found = records(store).await;
    found.into_values().map(|record| record.uri).collect()
}

/// Seals everything, or says how the edge is then.
async fn seal_all(edge: &Edge, what: &str) {
    let sealed = tokio::time::timeout(Duration::from_secs(120), edge.wait_until_sealed()).await;
    assert!(sealed.is_ok(), "{what}: not sealed, {:?}", edge.status());
}

fn is_staged_chunk(path: &Path) -> bool {
    path.starts_with("/staging") && path.to_string_lossy().contains("/seal-")
}

/// Some syncs of staged chunks fail, whichever; each leaves its pages clean, so that the next sync of the same file succeeds
/// without them. After every power cut all that was taken is in chunks, or in the log.
#[test]
fn a_large_chunk_whose_sync_failed_is_gathered_anew_in_another_file_and_no_power_cut_takes_its_pings() {
    run(async {
        for failing in 1..=5_u64 {
            let disk = SimulatedDisk::new();
            let store = directory(&disk);
            let (syncs, names) = (
                Arc::new(AtomicU64::new(0)),
                Arc::new(std::sync::Mutex::new(Vec::new())),
            );
            let (counted, seen) = (Arc::clone(&syncs), Arc::clone(&names));
            disk.fail_syncs(move |path, kind| {
                if kind != SyncKind::File || !is_staged_chunk(path) {
                    return false;
                }
                seen.lock().expect("names").push(path.to_owned());
                counted.fetch_add(1, Ordering::SeqCst) < failing
            });
            let running = open_simulated(&disk, store, small_memory()).await.expect("opens");
            let taken = submit_noise(&running.edge, 0..20, 700).await;
            assert_eq!(taken.len(), 20);
            seal_all(&running.edge, "the disk works again").await;
            assert_eq!(
                syncs.load(Ordering::SeqCst),
                failing + 1,
                "one chunk, that many failures"
            );
            let names = names.lock().expect("names").clone();
            let distinct: BTreeSet<_> = names.iter().collect();
            assert_eq!(distinct.len(), names.len(), "no file is put twice: {names:?}");
            let found: Vec<_> = (0..8).map(|seed| disk.crash(seed)).collect();
            running.edge.shutdown(false).await;
            for (seed, found) in found.into_iter().enumerate() {
                let store = directory(&found);
                let running = open_simulated(&found, Arc::clone(&store), small_memory())
                    .await
                    .expect("opens");
                seal_all(&running.edge, "after the power cut").await;
                assert_eq!(running.edge.status().damaged, 0);
                assert_eq!(
                    uris(store.as_ref()).await,
                    taken,
                    "{failing} failing syncs, power cut {seed}"
                );
                running.edge.shutdown(false).await;
            }
        }
    });
}

/// A start finds the plan of a large chunk, and its first sync fails, too.
#[test]
fn a_plan_found_undone_is_gathered_anew_as_often_as_its_sync_fails() {
    run(async {
        let disk = SimulatedDisk::new();
        let refusing = store::UnreliableStore::new(
            directory(&disk),
            3,
            store::Odds {
                refused: 1.0,
                ..store::Odds::default()
            },
        );
        let running = open_simulated(&disk, Arc::new(refusing.clone()), small_memory())
            .await
            .expect("opens");
        let taken = submit_noise(&running.edge, 0..30, 500).await;
        running.edge.seal_all();
        while refusing.calls() == 0 {
            service::task::sleep(Duration::from_millis(2)).await;
        }
        let found = disk.kill();
        running.edge.shutdown(false).await;
        let mut failures = 0;
        found.fail_syncs(move |path, kind| {
            let fails = kind == SyncKind::File && is_staged_chunk(path) && failures < 3;
            failures += u32::from(fails);
            fails
        });
        let store = directory(&found);
        let running = open_simulated(&found, Arc::clone(&store), small_memory())
            .await
            .expect("opens");
        seal_all(&running.edge, "a plan is carried out").await;
        running.edge.shutdown(false).await;
        for seed in 0..8 {
            let store = directory(&found.crash(seed));
            assert_eq!(uris(store.as_ref()).await, taken, "power cut {seed}");
        }
    });
}

/// The store is elsewhere; the disk has room for two more segments, or none, or little: the log is drained all the same.
#[test]
fn a_full_disk_drains_chunks_that_are_too_large_for_memory() {
    run(async {
        for (free, len) in [
            (0, 900),
            (1, 9_000),
            (3_000, 2_500),
            (20_000, 900),
            (60_000, 900_u64),
        ] {
            let disk = SimulatedDisk::new();
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new(disk.shared()));
            let away = store::UnreliableStore::new(
                Arc::clone(&store),
                5,
                store::Odds {
                    refused: 1.0,
                    ..store::Odds::default()
                },
            );
            let running = open_simulated(&disk, Arc::new(away.clone()), small_memory())
                .await
                .expect("opens");
            let pings = 400_000 / len;
            let taken = submit_noise(&running.edge, 0..pings, usize::try_from(len).expect("small")).await;
            assert_eq!(taken.len() as u64, pings);
            disk.set_capacity(disk.used_bytes() + free);
            away.set_odds(store::Odds::default());
            seal_all(&running.edge, &format!("{free} bytes free")).await;
            assert_eq!(uris(store.as_ref()).await, taken);
            let status = running.edge.status();
            assert_eq!((status.waiting, status.stuck_plans), (0, 0), "{status:?}");
            running.edge.shutdown(false).await;
        }
    });
}

/// The plan's chunk was gathered in a file; when the process is killed, something else takes the room that it had.
#[test]
fn a_plan_found_undone_on_a_full_disk_is_carried_out() {
    run(async {
        let disk = SimulatedDisk::new();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(disk.shared()));
        let away = store::UnreliableStore::new(
            Arc::clone(&store),
            7,
            store::Odds {
                refused: 1.0,
                ..store::Odds::default()
            },
        );
        let running = open_simulated(&disk, Arc::new(away.clone()), small_memory())
            .await
            .expect("opens");
        let taken = submit_noise(&running.edge, 0..60, 800).await;
        running.edge.seal_all();
        while away.calls() == 0 {
            service::task::sleep(Duration::from_millis(2)).await;
        }
        let found = disk.kill();
        running.edge.shutdown(false).await;
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(found.shared()));
        let away = store::UnreliableStore::new(
            Arc::clone(&store),
            7,
            store::Odds {
                refused: 1.0,
                ..store::Odds::default()
            },
        );
        let running = open_simulated(&found, Arc::new(away.clone()), small_memory())
            .await
            .expect("opens");
        found.set_capacity(found.used_bytes());
        away.set_odds(store::Odds::default());
        seal_all(&running.edge, "a full disk").await;
        assert_eq!(uris(store.as_ref()).await, taken);
        running.edge.shutdown(false).await;
    });
}

/// What the log and the files of large chunks take together stays within the budget and three segments, whatever waits for the
/// store.
#[test]
fn large_chunks_on_their_way_take_no_more_disk_than_the_budget_has_for_them() {
    run(async {
        let disk = SimulatedDisk::new();
        let limits = EdgeLimits {
            log_bytes: 256 << 10,
            seals: 16,
            retry: Duration::from_millis(20),
            ..small_memory()
        };
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(disk.shared()));
        let away = store::UnreliableStore::new(
            Arc::clone(&store),
            9,
            store::Odds {
                refused: 1.0,
                ..store::Odds::default()
            },
        );
        let running = open_simulated(&disk, Arc::new(away.clone()), limits)
            .await
            .expect("opens");
        let (mut taken, mut staged_most) = (BTreeSet::new(), 0);
        for number in 0..600_u64 {
            let channel = ["release", "beta", "nightly", "esr", "aurora", "default"][number as usize % 6];
            if submit(&running.edge, number, channel, &noise(number, 700))
                .await
                .is_ok()
            {
                taken.insert(uri(number, channel));
            }
            if number % 30 == 0 {
                running.edge.seal_all();
                service::task::sleep(Duration::from_millis(25)).await;
            }
            let staged: u64 = disk
                .read_dir(Path::new("/staging"))
                .expect("a folder")
                .iter()
                .map(|(path, _)| disk.file_len(path).ok().flatten().unwrap_or(0))
                .sum();
            staged_most = staged_most.max(staged);
            assert!(staged <= limits.staging_bytes(), "{staged} bytes are staged");
            let used = disk.used_bytes();
            let most = limits.log_bytes + 3 * limits.segment_bytes;
            assert!(used <= most, "{used} bytes on disk, {most} are the budget's");
        }
        assert!(staged_most > 0, "chunks were staged");
        away.set_odds(store::Odds::default());
        seal_all(&running.edge, "the store is back").await;
        assert_eq!(uris(store.as_ref()).await, taken);
        running.edge.shutdown(false).await;
    });
}

//! A full disk promises nothing, forgets nothing, and heals: what the log reserved never keeps chunks from being written.

use std::sync::Arc;
use std::time::Duration;

use disk::{Disk, RealDisk, SimulatedDisk};
use edge::intake::Refusal;
use edge::{EdgeLimits, EdgeOptions};
use store::{Blocking, DirectoryStore, Store};

use crate::small_disk::SmallDisk;
use crate::support::*;

const BODY: [u8; 1_000] = [b' '; 1_000];

/// From here on the log's first segment has room, its spare, and as much again for chunks.
const CAPACITY_MIN: u64 = 30_000;

#[test]
fn a_disk_full_at_any_size_loses_nothing_and_heals() {
    run(async {
        for capacity in (CAPACITY_MIN..150_000).step_by(5_000) {
            let (disk, store) = (SimulatedDisk::new(), memory());
            disk.set_capacity(capacity);
            let running = open_simulated(&disk, Arc::clone(&store), limits())
                .await
                .expect("opens");
            let (mut taken, _) = fill(&running.edge, 0, &BODY).await;
            assert!(!taken.is_empty(), "capacity {capacity}");
            let (more, _) = fill(&running.edge, 1_000, &BODY).await;
            taken.extend(more);
            // The store is elsewhere: sealing drains the log, though the disk is full.
            let healed = async {
                running.edge.wait_until_sealed().await;
                submit_until_taken(&running.edge, 2_000).await;
            };
            assert!(
                comes_to_pass(healed).await,
                "capacity {capacity}: room comes back"
            );
            taken.insert(2_000);
            running.edge.shutdown(true).await;
            assert_chunked(store.as_ref(), &taken).await;
        }
    });
}

#[test]
fn a_full_disk_that_holds_the_chunks_too_heals_by_itself() {
    run(async {
        for capacity in (40_000..160_000).step_by(1_700) {
            let disk = SimulatedDisk::new();
            let store = directory(&disk);
            disk.set_capacity(capacity);
            let running = open_simulated(&disk, Arc::clone(&store), limits())
                .await
                .expect("opens");
            let (mut taken, refusal) = fill(&running.edge, 0, &BODY).await;
            assert!(matches!(refusal, Refusal::Full { .. }), "{refusal:?}");
            // Nobody makes room but the log.
            let healed = async {
                running.edge.wait_until_sealed().await;
                submit_until_taken(&running.edge, 2_000).await;
            };
            assert!(
                comes_to_pass(healed).await,
                "capacity {capacity}: {} are used, {:?}",
                disk.used_bytes(),
                running.edge.status()
            );
            taken.insert(2_000);
            running.edge.shutdown(true).await;
            assert_chunked(store.as_ref(), &taken).await;
        }
    });
}

#[test]
fn a_disk_that_others_fill_to_the_last_byte_heals_when_they_give_room_back() {
    run(async {
        for (round, extra) in (0..40).zip((0..).step_by(331)) {
            let disk = SimulatedDisk::new();
            let store = directory(&disk);
            let running = open_simulated(&disk, Arc::clone(&store), limits())
                .await
                .expect("opens");
            let mut taken = std::collections::BTreeSet::new();
            for number in 0..round {
                submit(&running.edge, number, "release", &BODY)
                    .await
                    .expect("room");
                taken.insert(number);
            }
            disk.set_capacity(disk.used_bytes() + extra);
            let (more, _) = fill(&running.edge, 1_000, &BODY).await;
            taken.extend(more);
            running.edge.seal_all();
            service::task::sleep(Duration::from_millis(10)).await;
            // A start finds its room as well: a spare, or what the last segment does not need.
            let (found, used) = (disk.kill(), disk.used_bytes());
            drop(running);
            found.set_capacity(used);
            let restarted = open_simulated(&found, directory(&found), limits()).await;
            if let Ok(restarted) = &restarted {
                restarted.edge.shutdown(false).await;
            }
            found.heal();
            let store = directory(&found);
            let running = open_simulated(&found, Arc::clone(&store), limits())
                .await
                .expect("opens");
            let healed = async {
                submit_until_taken(&running.edge, 2_000).await;
                running.edge.wait_until_sealed().await;
            };
            assert!(comes_to_pass(healed).await, "round {round}");
            running.edge.shutdown(true).await;
            assert_chunked(store.as_ref(), &taken).await;
        }
    });
}

#[test]
fn a_small_ext4_that_the_log_fills_heals_by_itself() {
    const MIB: u64 = 1 << 20;
    let folder = tempfile::tempdir().expect("a folder");
    let Some(small) = SmallDisk::mount(&folder.path().join("disk"), 48) else {
        return;
    };
    run(async {
        // What is left for the log decides what a reservation finds that fails.
        for left in [3 * MIB, 4 * MIB + 300_000, 5 * MIB + 700_000] {
            let data = small.root().join(left.to_string());
            for folder in ["", "staging", "store"] {
                RealDisk.create_dir(&data.join(folder)).expect("made");
            }
            small.leave(left);
            let store: Arc<dyn Store> = Arc::new(DirectoryStore::new(
                RealDisk::shared(),
                data.join("store"),
                data.join("staging"),
                Blocking::Inline,
            ));
            let options = EdgeOptions {
                claims: None,
                log_dir: data.join("log"),
                staging_dir: data.join("staging"),
                damaged_dir: data.join("damaged"),
                prefix: "pings".to_owned(),
                limits: EdgeLimits {
                    log_bytes: 64 * MIB,
                    segment_bytes: 512 << 10,
                    ..limits()
                },
            };
            let running = open(RealDisk::shared(), Arc::clone(&store), system_clock(), options)
                .await
                .expect("opens");
            let (mut taken, refusal) = fill(&running.edge, 0, &[b' '; 20_000]).await;
            assert!(matches!(refusal, Refusal::Full { .. }), "{refusal:?}");
            assert!(taken.len() > 20, "{}", taken.len());
            let healed = async {
                running.edge.wait_until_sealed().await;
                submit_until_taken(&running.edge, 2_000_000).await;
            };
            assert!(
                comes_to_pass(healed).await,
                "{left} left, {} free: {:?}",
                RealDisk.free_bytes(small.root()).expect("known"),
                running.edge.status()
            );
            taken.insert(2_000_000);
            running.edge.shutdown(true).await;
            assert_chunked(store.as_ref(), &taken).await;
            std::fs::remove_dir_all(&data).expect("removed");
        }
    });
}

#[test]
fn a_disk_that_becomes_read_only_is_a_log_that_cannot_be_written_and_never_a_full_one() {
    run(async {
        // Whatever the log is about to do then: write a group, open the next segment, make its spare.
        for taken in 0..40 {
            let disk = SimulatedDisk::new();
            let running = open_simulated(&disk, memory(), limits()).await.expect("opens");
            for number in 0..taken {
                submit(&running.edge, number, "release", &BODY)
                    .await
                    .expect("room");
            }
            disk.be_read_only();
            for number in 1_000..1_010 {
                let refused = submit(&running.edge, number, "release", &BODY).await;
                assert_eq!(refused, Err(Refusal::Unavailable), "after {taken}, {number}");
                service::task::sleep(Duration::from_millis(2)).await;
            }
            let status = running.edge.status();
            assert!(!status.writable && status.has_room, "after {taken}: {status:?}");
            disk.heal();
            let healed = async {
                submit_until_taken(&running.edge, 2_000).await;
                running.edge.wait_until_sealed().await;
            };
            assert!(comes_to_pass(healed).await, "after {taken}");
            let status = running.edge.status();
            assert!(status.writable && status.has_room, "after {taken}: {status:?}");
            running.edge.shutdown(true).await;
        }
    });
}

#[test]
fn however_many_are_refused_one_look_for_room_is_made_and_then_a_pause() {
    run(async {
        let disk = SimulatedDisk::new();
        let limits = EdgeLimits {
            retry: Duration::from_secs(60),
            ..limits()
        };
        let running = open_simulated(&disk, memory(), limits).await.expect("opens");
        disk.set_capacity(disk.used_bytes());
        // A full disk may have no room for a new name either: that is another refusal.
        while fill(&running.edge, 0, &BODY).await.1 == Refusal::Unavailable {}
        // The first look is made by now, or is under way.
        service::task::sleep(Duration::from_millis(50)).await;
        let before = disk.operations();
        for number in 1_000..3_000 {
            let refused = submit(&running.edge, number, "release", &BODY).await;
            assert!(matches!(refused, Err(Refusal::Full { .. })), "{refused:?}");
        }
        service::task::sleep(Duration::from_millis(50)).await;
        let looked = disk.operations() - before;
        assert!(looked <= 4, "{looked} operations for 2,000 that were refused");
        assert!(comes_to_pass(running.edge.shutdown(false)).await);
    });
}

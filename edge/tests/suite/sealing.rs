//! What waits becomes chunks: all of it, once, under the right keys.

use std::sync::Arc;
use std::time::Duration;

use disk::{Disk, RealDisk, SimulatedDisk};
use edge::{EdgeLimits, EdgeOptions, ImportedPing};
use ping::{Incarnation, SubmissionDate};
use service::clock::HandClock;
use store::{Blocking, DirectoryStore};

use crate::support::*;

#[test]
fn pings_of_a_partition_become_one_chunk_and_its_key_is_announced() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        let mut running = open_simulated(&disk, Arc::clone(&store), limits())
            .await
            .expect("opens");
        for number in 0..10 {
            let channel = ["release", "beta"][number as usize % 2];
            submit(&running.edge, number, channel, b"{}")
                .await
                .expect("taken");
        }
        let status = running.edge.status();
        assert_eq!((status.accepted, status.waiting, status.chunked), (10, 10, 0));
        assert_eq!(status.open_partitions, 2);
        running.edge.wait_until_sealed().await;
        let status = running.edge.status();
        assert_eq!((status.accepted, status.waiting, status.chunked), (10, 0, 10));
        let found = records(store.as_ref()).await;
        assert_eq!(found.len(), 10);
        let mut keys: Vec<_> = found.values().map(|record| record.key.clone()).collect();
        keys.dedup();
        keys.sort();
        keys.dedup();
        let mut announced = vec![
            running.announced.recv().await.expect("announced"),
            running.announced.recv().await.expect("announced"),
        ];
        announced.sort();
        assert_eq!(keys, announced);
        assert!(keys[0].starts_with(
            "pings/v1/submission_date=20261123/source_name=telemetry/source_version=4/doc_type=main/app_name=Firefox/app_update_channel=beta/"
        ), "{}", keys[0]);
        running.edge.shutdown(false).await;
    });
}

#[test]
fn what_waits_at_the_end_waits_after_the_start() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        for start in 0..4 {
            let running = open_simulated(&disk, Arc::clone(&store), limits())
                .await
                .expect("opens");
            assert_eq!(running.edge.status().waiting, start * 5);
            for number in 0..5 {
                submit(&running.edge, start * 5 + number, "release", b"{}")
                    .await
                    .expect("taken");
            }
            running.edge.shutdown(false).await;
            assert!(
                submit(&running.edge, 99, "release", b"{}").await.is_err(),
                "it is closed"
            );
        }
        assert!(records(store.as_ref()).await.is_empty());
        let running = open_simulated(&disk, Arc::clone(&store), limits())
            .await
            .expect("opens");
        running.edge.shutdown(true).await;
        let found = records(store.as_ref()).await;
        assert_eq!(found.len(), 20);
        // Numbers ascend, and those of each start are above all that the one before may have given.
        let numbers: Vec<u64> = found.keys().map(|id| id.sequence).collect();
        let first = |start: u64| if start == 1 { 1 } else { start << 40 };
        let expected = (1..=4).flat_map(|start| first(start)..first(start) + 5);
        assert!(numbers.iter().copied().eq(expected), "{numbers:?}");
    });
}

#[test]
fn an_old_open_chunk_is_sealed_by_itself() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        let limits = EdgeLimits {
            seal_age: Duration::from_millis(50),
            ..limits()
        };
        let mut running = open(disk.shared(), Arc::clone(&store), system_clock(), options(limits))
            .await
            .expect("opens");
        submit(&running.edge, 1, "release", b"{}").await.expect("taken");
        assert!(running.announced.recv().await.is_some());
        assert_eq!(running.edge.status().chunked, 1);
    });
}

#[test]
fn after_a_restart_age_is_counted_from_the_logged_time_and_a_time_in_the_future_is_due() {
    run(async {
        for (step, sealed) in [(0, false), (3_700_000_000, true), (-60_000_000, true)] {
            let (disk, store) = (SimulatedDisk::new(), memory());
            let running = open_simulated(&disk, Arc::clone(&store), limits())
                .await
                .expect("opens");
            submit(&running.edge, 1, "release", b"{}").await.expect("taken");
            running.edge.shutdown(false).await;
            let clock = HandClock::at_micros(NOON_US + step);
            let mut running = open(disk.shared(), Arc::clone(&store), clock, options(limits()))
                .await
                .expect("opens");
            let wait = if sealed {
                Duration::from_secs(20)
            } else {
                Duration::from_millis(100)
            };
            let announced = tokio::time::timeout(wait, running.announced.recv()).await;
            assert_eq!(announced.is_ok(), sealed, "after {step} µs");
        }
    });
}

#[test]
fn midnight_seals_nothing_and_parts_the_chunks() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        let clock = HandClock::at_micros(NOON_US + 12 * 3_600_000_000 - 1);
        let running = open(
            disk.shared(),
            Arc::clone(&store),
            clock.clone(),
            options(limits()),
        )
        .await
        .expect("opens");
        submit(&running.edge, 1, "release", b"{}").await.expect("taken");
        clock.step_micros(2);
        submit(&running.edge, 2, "release", b"{}").await.expect("taken");
        assert_eq!(running.edge.status().open_partitions, 2);
        running.edge.wait_until_sealed().await;
        let dates: Vec<bool> = records(store.as_ref())
            .await
            .values()
            .map(|record| record.key.contains("submission_date=20261124"))
            .collect();
        assert_eq!(dates, [false, true]);
    });
}

#[test]
fn an_imported_file_is_taken_once_also_across_restarts() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        let file = Incarnation::from_bytes([9; 16]);
        let date = SubmissionDate::from_yyyymmdd(20_170_131).expect("a date");
        let lines = |range: std::ops::Range<u64>| {
            range
                .map(|line| ImportedPing {
                    line,
                    received: date.start(),
                    uri: uri(line, "release").into(),
                    headers: Vec::new(),
                    client_hash: None,
                    body: vec![b' '; 50].into(),
                })
                .collect::<Vec<_>>()
        };
        let running = open_simulated(&disk, Arc::clone(&store), limits())
            .await
            .expect("opens");
        assert_eq!(running.edge.import_progress(file), 0);
        assert_eq!(running.edge.import(file, lines(1..11)).await, Ok(10));
        assert_eq!(running.edge.import(file, lines(1..13)).await, Ok(2));
        assert_eq!(running.edge.import_progress(file), 12);
        running.edge.shutdown(true).await;
        let running = open_simulated(&disk, Arc::clone(&store), limits())
            .await
            .expect("opens");
        assert_eq!(running.edge.import_progress(file), 12);
        assert_eq!(running.edge.import(file, lines(1..15)).await, Ok(2));
        running.edge.shutdown(true).await;
        let found = records(store.as_ref()).await;
        assert!(found.keys().all(|id| id.incarnation == file));
        assert!(found.keys().map(|id| id.sequence).eq(1..15));
        assert!(
            found
                .values()
                .all(|record| record.key.contains("submission_date=20170131/"))
        );
    });
}

#[test]
fn beyond_the_cap_on_open_partitions_version_and_build_id_become_other() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        let limits = EdgeLimits {
            open_partitions: 3,
            ..limits()
        };
        let running = open_simulated(&disk, Arc::clone(&store), limits)
            .await
            .expect("opens");
        for number in 0..8 {
            let uri =
                format!("/submit/telemetry/{number}/main/Firefox/6{number}.0/release/2018032803020{number}");
            submit_with(&running.edge, &uri, &[], b"{}").await.expect("taken");
        }
        assert_eq!(running.edge.status().open_partitions, 4);
        running.edge.wait_until_sealed().await;
        let found = records(store.as_ref()).await;
        let general = found.values().filter(|record| {
            record
                .key
                .contains("app_update_channel=release/app_version=OTHER/app_build_id=OTHER/")
        });
        assert_eq!((found.len(), general.count()), (8, 5));
    });
}

#[test]
fn a_partition_of_incompressible_pings_is_sealed_at_300_megabytes() {
    let dir = tempfile::tempdir().expect("a folder");
    let body_of = |number: u64| -> Vec<u8> {
        let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let words = (0..(1 << 20) / 8).flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        });
        words.collect()
    };
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime")
        .block_on(async {
            let disk: Arc<dyn Disk> = RealDisk::shared();
            let (root, staging) = (dir.path().join("store"), dir.path().join("staging"));
            let store = Arc::new(DirectoryStore::new(
                Arc::clone(&disk),
                root,
                staging.clone(),
                Blocking::Pool,
            ));
            let options = EdgeOptions {
                claims: None,
                log_dir: dir.path().join("log"),
                staging_dir: staging,
                damaged_dir: dir.path().join("damaged"),
                prefix: "pings".to_owned(),
                limits: EdgeLimits {
                    seal_age: Duration::from_secs(3_600),
                    ..EdgeLimits::default()
                },
            };
            let mut running = open(disk, store.clone(), system_clock(), options)
                .await
                .expect("opens");
            for number in 0..290 {
                submit(&running.edge, number, "release", &body_of(number))
                    .await
                    .expect("taken");
            }
            let key = running.announced.recv().await.expect("announced");
            let len = store::Store::head(store.as_ref(), &key)
                .await
                .expect("answers")
                .expect("there")
                .len;
            assert!((290_000_000..=300_000_000).contains(&len), "{len} bytes");
            let status = running.edge.status();
            assert_eq!(status.accepted, 290);
            assert!(status.waiting < 10 && status.chunked > 275, "{status:?}");
            running.edge.shutdown(false).await;
        });
}

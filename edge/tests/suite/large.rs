//! The largest pings: those that log and chunks can hold are kept, all others are refused, and none ends the process.

use std::sync::Arc;

use bytes::Bytes;
use disk::SimulatedDisk;
use edge::intake::{Accepted, Intake, Refusal};
use edge::{BODY_BYTES_MAX, EdgeLimits, IMPORTED_FILES_MAX, ImportedPing};
use ping::{Incarnation, Timestamp};

use crate::support::*;

fn of_body(bytes: usize) -> Accepted {
    Accepted {
        uri: uri(bytes as u64, "release").into(),
        headers: Vec::new(),
        body: Bytes::from(vec![b' '; bytes]),
    }
}

fn line(line: u64, uri: String, body_bytes: usize) -> ImportedPing {
    ImportedPing {
        line,
        received: Timestamp::from_micros(NOON_US),
        uri: uri.into(),
        headers: Vec::new(),
        client_hash: None,
        body: Bytes::from(vec![b' '; body_bytes]),
    }
}

#[test]
fn the_largest_ping_is_kept_a_larger_one_refused_and_neither_ends_the_process() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        let limits = EdgeLimits {
            log_bytes: 1 << 30,
            ..limits()
        };
        let running = open_simulated(&disk, Arc::clone(&store), limits)
            .await
            .expect("opens");
        for bytes in [BODY_BYTES_MAX + 1, 64 << 20, (64 << 20) + 1, 100 << 20] {
            for _ in 0..2 {
                let refused = running.edge.submit(of_body(bytes)).await;
                assert_eq!(refused, Err(Refusal::TooLarge), "{bytes}");
            }
        }
        let long_head = Accepted {
            uri: format!("{}&{}", uri(7, "release"), "x".repeat(2 << 20)).into(),
            ..of_body(2)
        };
        assert_eq!(running.edge.submit(long_head).await, Err(Refusal::TooLarge));
        let file = Incarnation::from_bytes([9; 16]);
        let long_uri = format!("{}&{}", uri(8, "release"), "x".repeat(63 << 20));
        let refused = running.edge.import(file, vec![line(1, long_uri, 2)]).await;
        assert_eq!(refused, Err(Refusal::TooLarge));
        let refused = running
            .edge
            .import(file, vec![line(1, uri(8, "release"), 70 << 20)])
            .await;
        assert_eq!(refused, Err(Refusal::TooLarge));
        running.edge.submit(of_body(BODY_BYTES_MAX)).await.expect("taken");
        submit(&running.edge, 1, "release", b"{}").await.expect("taken");
        assert_eq!(running.edge.status().failed, None);
        // The largest inflates to more than the limit: it is kept as it was sent, as an errored ping.
        running.edge.wait_until_sealed().await;
        assert_eq!(running.edge.status().chunked, 2);
        running.edge.shutdown(false).await;
    });
}

#[test]
fn lines_are_taken_in_pieces_that_a_small_log_has_room_for() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        let limits = EdgeLimits {
            log_bytes: 100_000,
            ..limits()
        };
        let running = open_simulated(&disk, store, limits).await.expect("opens");
        let file = Incarnation::from_bytes([9; 16]);
        let lines = |range: std::ops::Range<u64>| -> Vec<_> {
            range
                .map(|number| line(number, uri(number, "release"), 10_000))
                .collect()
        };
        let refused = running
            .edge
            .import(file, vec![line(1, uri(1, "release"), 100_000)])
            .await;
        assert_eq!(refused, Err(Refusal::TooLarge), "it would wait for ever");
        // More than the whole log at once: what has room is taken, the rest when there is room again.
        let all = async {
            while running.edge.import_progress(file) < 39 {
                let left = lines(running.edge.import_progress(file) + 1..40);
                match running.edge.import(file, left).await {
                    Ok(_) => {}
                    Err(Refusal::Full { .. }) => {
                        running.edge.seal_all();
                        service::task::sleep(std::time::Duration::from_millis(5)).await;
                    }
                    Err(refusal) => panic!("{refusal:?}"),
                }
            }
        };
        assert!(comes_to_pass(all).await);
        assert_eq!(running.edge.status().accepted, 39);
        running.edge.shutdown(false).await;
    });
}

#[test]
fn so_many_imported_files_are_remembered_over_starts_and_a_known_one_is_always_taken() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        let limits = || EdgeLimits {
            log_bytes: 1 << 30,
            seal_age: std::time::Duration::from_secs(86_400),
            ..limits()
        };
        let file = |number: usize| Incarnation::from_bytes((number as u128 + 1).to_be_bytes());
        let running = open_simulated(&disk, Arc::clone(&store), limits())
            .await
            .expect("opens");
        for first in (0..IMPORTED_FILES_MAX).step_by(500) {
            assert!(running.edge.admits_import(file(first)));
            let imports = (first..first + 500).map(|number| {
                let edge = Arc::clone(&running.edge);
                service::task::spawn("import", async move {
                    edge.import(file(number), vec![line(1, uri(1, "release"), 10)])
                        .await
                })
            });
            for import in imports.collect::<Vec<_>>() {
                assert_eq!(import.await.expect("no panic"), Ok(1));
            }
        }
        running.edge.shutdown(false).await;
        let running = open_simulated(&disk, store, limits()).await.expect("opens");
        for number in [0, 1, IMPORTED_FILES_MAX / 2, IMPORTED_FILES_MAX - 1] {
            assert!(running.edge.admits_import(file(number)));
            assert_eq!(running.edge.import_progress(file(number)), 1);
        }
        assert!(!running.edge.admits_import(file(IMPORTED_FILES_MAX)));
        running.edge.shutdown(false).await;
    });
}

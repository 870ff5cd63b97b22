//! The log has a budget; a failing or full disk promises nothing and forgets nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use disk::{Disk, SimulatedDisk, SyncKind};
use edge::EdgeLimits;
use edge::intake::Refusal;

use crate::support::*;

#[test]
fn a_full_log_refuses_and_takes_again_by_itself() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        let unreliable = store::UnreliableStore::new(
            Arc::clone(&store),
            1,
            store::Odds {
                refused: 1.0,
                ..store::Odds::default()
            },
        );
        let limits = EdgeLimits {
            log_bytes: 100_000,
            ..limits()
        };
        let running = open_simulated(&disk, Arc::new(unreliable.clone()), limits)
            .await
            .expect("opens");
        let (mut taken, refusal) = fill(&running.edge, 0, &[b' '; 1_000]).await;
        assert!(matches!(refusal, Refusal::Full { .. }), "{refusal:?}");
        assert!((60..100).contains(&taken.len()), "{}", taken.len());
        assert!(!running.edge.status().has_room);
        // The store comes back; the pressure alone seals, nobody asks for it.
        unreliable.set_odds(store::Odds::default());
        let mut more = 0;
        while more < 300 {
            match submit(&running.edge, 1_000 + more, "release", &[b' '; 1_000]).await {
                Ok(()) => {
                    taken.insert(1_000 + more);
                    more += 1;
                }
                Err(_) => service::task::sleep(Duration::from_millis(1)).await,
            }
        }
        running.edge.shutdown(true).await;
        assert_chunked(store.as_ref(), &taken).await;
    });
}

#[test]
fn a_full_log_refuses_by_number_too() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        let limits = EdgeLimits {
            waiting_pings: 10,
            ..limits()
        };
        let off = Arc::new(store::UnreliableStore::new(
            Arc::clone(&store),
            1,
            store::Odds {
                refused: 1.0,
                ..store::Odds::default()
            },
        ));
        let running = open_simulated(&disk, off, limits).await.expect("opens");
        let (taken, refusal) = fill(&running.edge, 0, &[b' '; 1_000]).await;
        assert!(matches!(refusal, Refusal::Full { .. }));
        assert_eq!(taken.len(), 10);
        let found = disk.kill();
        running.edge.shutdown(false).await;
        let running = open_simulated(&found, Arc::clone(&store), limits)
            .await
            .expect("opens");
        running.edge.shutdown(true).await;
        assert_chunked(store.as_ref(), &taken).await;
    });
}

#[test]
fn a_failed_sync_is_answered_with_unavailable_and_the_log_goes_on() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        let running = open_simulated(&disk, Arc::clone(&store), limits())
            .await
            .expect("opens");
        let mut taken = BTreeSet::new();
        for round in 0..5_u64 {
            let syncs = AtomicU64::new(0);
            disk.fail_syncs(move |path, kind| {
                let of_the_log = kind == SyncKind::File && path.starts_with("/log");
                of_the_log && syncs.fetch_add(1, Ordering::SeqCst) == round
            });
            for number in round * 10..round * 10 + 10 {
                match submit(&running.edge, number, "release", b"{}").await {
                    Ok(()) => assert!(taken.insert(number)),
                    Err(refusal) => assert_eq!(refusal, Refusal::Unavailable),
                }
            }
        }
        disk.heal();
        assert!(taken.len() >= 44, "{}", taken.len());
        // What was refused may be stored; what was taken must be, also after a power cut.
        let found = disk.crash(3);
        running.edge.shutdown(true).await;
        assert_chunked(store.as_ref(), &taken).await;
        let store = memory();
        let running = open_simulated(&found, Arc::clone(&store), limits())
            .await
            .expect("opens");
        running.edge.shutdown(true).await;
        assert_chunked(store.as_ref(), &taken).await;
    });
}

#[test]
fn a_node_without_traffic_comes_back_when_its_disk_does() {
    run(async {
        let disk = SimulatedDisk::new();
        let running = open_simulated(&disk, memory(), limits()).await.expect("opens");
        disk.fail_syncs(|path, _| path.starts_with("/log"));
        assert_eq!(
            submit(&running.edge, 1, "release", b"{}").await,
            Err(Refusal::Unavailable)
        );
        assert!(!running.edge.status().writable);
        running.edge.probe();
        disk.heal();
        for _ in 0..1_000 {
            running.edge.probe();
            if running.edge.status().writable {
                break;
            }
            service::task::sleep(Duration::from_millis(5)).await;
        }
        assert!(
            running.edge.status().writable,
            "nobody but the health check asked, and the disk works again"
        );
        submit(&running.edge, 2, "release", b"{}").await.expect("taken");
        running.edge.shutdown(false).await;
    });
}

#[test]
fn a_ping_that_rots_in_the_log_is_set_aside_and_the_others_are_sealed() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        let running = open_simulated(&disk, Arc::clone(&store), limits())
            .await
            .expect("opens");
        for number in 0..5 {
            submit(
                &running.edge,
                number,
                "release",
                format!("body {number}").as_bytes(),
            )
            .await
            .expect("taken");
        }
        let (segment, _) = disk.read_dir("/log".as_ref()).expect("a folder")[0].clone();
        let file = disk.open(&segment).expect("there");
        let mut bytes = vec![0; file.len().expect("known") as usize];
        file.read_at(&mut bytes, 0).expect("reads");
        let at = bytes
            .windows(6)
            .position(|six| six == b"body 2")
            .expect("logged as sent");
        file.write_all_at(b"rotten", at as u64).expect("writes");
        running.edge.wait_until_sealed().await;
        let status = running.edge.status();
        assert_eq!(
            (status.accepted, status.waiting, status.chunked, status.damaged),
            (4, 0, 4, 1)
        );
        assert_eq!(records(store.as_ref()).await.len(), 4);
    });
}

#[test]
fn a_taken_key_keeps_the_pings_and_makes_another_chunk() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        // The first plan's key, taken by something else.
        let key = format!(
            "pings/v1/submission_date=20261123/source_name=telemetry/source_version=4/doc_type=main/app_name=Firefox/app_update_channel=release/app_version=61.0/app_build_id=20180328030202/{OWN}-1-1.zst"
        );
        store
            .put_if_absent(&key, store::Payload::Bytes("another".into()))
            .await
            .expect("put");
        let running = open_simulated(&disk, Arc::clone(&store), limits())
            .await
            .expect("opens");
        submit(&running.edge, 1, "release", b"{}").await.expect("taken");
        running.edge.wait_until_sealed().await;
        assert_eq!(store.get(&key).await.expect("there").as_ref(), b"another");
        store.delete(&key).await.expect("deleted");
        assert_eq!(records(store.as_ref()).await.len(), 1);
        assert_eq!(running.edge.status().chunked, 1);
        running.edge.shutdown(false).await;
        let running = open_simulated(&disk, Arc::clone(&store), limits())
            .await
            .expect("opens");
        assert_eq!(
            (running.edge.status().waiting, running.edge.status().chunked),
            (0, 1)
        );
    });
}

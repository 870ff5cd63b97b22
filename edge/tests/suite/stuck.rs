//! A plan that can never be put holds up nothing else: others are sealed, and the status tells of it.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest};
use disk::SimulatedDisk;
use edge::fuzzing::read_segment;
use edge::{Edge, EdgeLimits, EdgeStatus};
use store::{ListPage, ObjectMeta, Payload, Put, Store, StoreError};

use crate::support::*;

/// A store that refuses every key with this in it.
#[derive(Debug)]
struct Refusing {
    inner: Arc<dyn Store>,
    part: &'static str,
    refused: AtomicU64,
}

#[async_trait::async_trait]
impl Store for Refusing {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        if key.contains(self.part) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(StoreError::Determinate {
                action: "put",
                key: key.to_owned(),
                cause: "refused for ever".to_owned(),
            });
        }
        self.inner.put_if_absent(key, payload).await
    }

    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        self.inner.get(key).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.inner.get_range(key, range).await
    }

    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        self.inner.get_tail(key, len).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
        self.inner.head(key).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError> {
        self.inner.list(prefix, after, limit).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.inner.delete(key).await
    }
}

fn refusing(inner: &Arc<dyn Store>, part: &'static str) -> Arc<Refusing> {
    Arc::new(Refusing {
        inner: Arc::clone(inner),
        part,
        refused: AtomicU64::new(0),
    })
}

async fn wait_until(edge: &Edge, what: &str, holds: impl Fn(&EdgeStatus) -> bool) -> EdgeStatus {
    for _ in 0..6_000 {
        let status = edge.status();
        if holds(&status) {
            return status;
        }
        service::task::sleep(Duration::from_millis(5)).await;
    }
    panic!("{what}: {:?}", edge.status())
}

/// Submits some pings of this channel.
async fn submit_all(edge: &Edge, from: u64, channel: &str, pings: u64) {
    for number in from..from + pings {
        submit(edge, number, channel, &[b' '; 1_000])
            .await
            .expect("taken");
    }
}

#[test]
fn a_plan_that_can_never_be_put_lets_all_others_be_sealed() {
    run(async {
        let (disk, inner) = (SimulatedDisk::new(), memory());
        let store = refusing(&inner, "app_update_channel=beta");
        let limits = EdgeLimits { seals: 1, ..limits() };
        let running = open_simulated(&disk, store.clone(), limits).await.expect("opens");
        let edge = &running.edge;
        submit_all(edge, 0, "beta", 3).await;
        edge.seal_all();
        let status = wait_until(edge, "the plan stands aside", |status| status.stuck_plans == 1).await;
        assert_eq!(status.waiting, 3);
        assert!(status.oldest_stuck.is_some());
        let refused = store.refused.load(Ordering::SeqCst);
        for round in 1..5_u64 {
            submit_all(edge, round * 100, "release", 20).await;
            edge.seal_all();
            let chunked = round * 20;
            wait_until(edge, "the others are sealed", |status| status.chunked == chunked).await;
        }
        assert_eq!(edge.status().waiting, 3);
        for _ in 0..6_000 {
            if store.refused.load(Ordering::SeqCst) > refused + 3 {
                break;
            }
            service::task::sleep(Duration::from_millis(5)).await;
        }
        assert!(
            store.refused.load(Ordering::SeqCst) > refused + 3,
            "it is tried on"
        );
        edge.shutdown(false).await;
        // A start does not wait for it either, and the store takes it in the end.
        let running = open_simulated(&disk.kill(), store.clone(), limits)
            .await
            .expect("opens");
        submit_all(&running.edge, 900, "release", 5).await;
        running.edge.seal_all();
        wait_until(&running.edge, "new pings are sealed", |status| {
            status.chunked == 85
        })
        .await;
        running.edge.shutdown(false).await;
        let running = open_simulated(&disk.kill(), Arc::clone(&inner), limits)
            .await
            .expect("opens");
        running.edge.wait_until_sealed().await;
        assert_eq!(records(inner.as_ref()).await.len(), 88);
    });
}

#[test]
fn more_stuck_plans_than_seals_do_not_take_all_places() {
    run(async {
        let (disk, inner) = (SimulatedDisk::new(), memory());
        let store = refusing(&inner, "app_update_channel=beta");
        let limits = EdgeLimits { seals: 2, ..limits() };
        let running = open_simulated(&disk, store, limits).await.expect("opens");
        let edge = &running.edge;
        let uri = |number: u64| {
            format!(
                "/submit/telemetry/00000000-0000-4000-8000-{number:012}/main/Firefox/61.0/beta/2018032803020{number}?v=4"
            )
        };
        for number in 0..9 {
            submit_with(edge, &uri(number), &[], b"{}").await.expect("taken");
        }
        submit(edge, 10, "release", b"{}").await.expect("taken");
        edge.seal_all();
        wait_until(edge, "all others are sealed", |status| status.chunked >= 1).await;
        edge.shutdown(false).await;
    });
}

#[test]
fn while_the_store_takes_nothing_no_more_plans_are_made_than_seals_and_one() {
    run(async {
        let (disk, inner) = (SimulatedDisk::new(), memory());
        let store = refusing(&inner, "pings/");
        let limits = EdgeLimits {
            seals: 2,
            retry: Duration::from_millis(20),
            ..limits()
        };
        let running = open_simulated(&disk, store.clone(), limits).await.expect("opens");
        let edge = &running.edge;
        for channel in ["nightly", "beta", "release", "esr", "aurora"] {
            submit(edge, 1, channel, b"{}").await.expect("taken");
        }
        edge.seal_all();
        wait_until(edge, "one stands aside", |status| status.stuck_plans >= 1).await;
        let status = edge.status();
        assert!(status.seals <= 3, "{status:?}");
        assert_eq!(status.chunked, 0);
        edge.shutdown(false).await;
    });
}

/// Turns the keys of all plans in the log into those of a later format, as frames with right checksums; answers how many there
/// are. `edge/src/log/frame.rs` says how a frame lies.
fn write_plans_of_a_later_format(disk: &SimulatedDisk) -> usize {
    const PLAN: u8 = 2;
    let (disk, mut plans) = (disk.shared(), 0);
    for (path, _) in disk.read_dir(Path::new("/log")).expect("the log") {
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        let file = disk.open(&path).expect("a segment");
        let Some((frames, _)) = read_segment(file.as_ref()).expect("readable") else {
            continue;
        };
        let mut salt = [0; 16];
        assert_eq!(file.read_at(&mut salt, 8).expect("readable"), 16);
        for (kind, offset, mut payload) in frames {
            let key = b"pings/v1/";
            let at = payload.windows(key.len()).position(|part| part == key);
            let Some(at) = at.filter(|_| kind == PLAN) else {
                continue;
            };
            payload[at + 7] = b'9';
            let mut header = [0; 24];
            assert_eq!(file.read_at(&mut header, offset).expect("readable"), 24);
            let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
            for part in [
                &salt[..],
                &offset.to_le_bytes(),
                &header[4..12],
                &header[16..24],
                &payload,
            ] {
                digest.update(part);
            }
            header[12..16].copy_from_slice(&digest.finalize().to_le_bytes()[..4]);
            file.write_all_at(&[&header[..], &payload].concat(), offset)
                .expect("written");
            plans += 1;
        }
    }
    plans
}

/// As when another version of the program wrote it: its pings are in no chunk, and this program cannot make it.
#[test]
fn a_plan_whose_key_cannot_be_read_is_told_holds_up_no_other_and_keeps_its_pings_over_starts() {
    run_measured(async |handle| {
        let (disk, inner) = (SimulatedDisk::new(), memory());
        let limits = EdgeLimits { seals: 1, ..limits() };
        let refused = refusing(&inner, "");
        let running = open_simulated(&disk, refused.clone(), limits)
            .await
            .expect("opens");
        submit_all(&running.edge, 0, "beta", 3).await;
        running.edge.seal_all();
        while refused.refused.load(Ordering::SeqCst) == 0 {
            service::task::sleep(Duration::from_millis(5)).await;
        }
        running.edge.shutdown(false).await;
        let mut disk = disk.kill();
        assert_eq!(write_plans_of_a_later_format(&disk), 1);
        for start in 1..4_u64 {
            let running = open_simulated(&disk, Arc::clone(&inner), limits)
                .await
                .expect("opens");
            let edge = &running.edge;
            wait_until(edge, "it is told", |status| {
                status.stuck_plans == 1 && status.oldest_stuck.is_some()
            })
            .await;
            submit_all(edge, start * 100, "release", 20).await;
            edge.seal_all();
            let chunked = start * 20;
            let status = wait_until(edge, "the others are sealed", |status| status.chunked == chunked).await;
            assert_eq!((status.waiting, status.stuck_plans), (3, 1), "start {start}");
            for _ in 0..6_000 {
                if figure(&handle, "highwater_edge_stuck_plans") == Some(1.0) {
                    break;
                }
                service::task::sleep(Duration::from_millis(5)).await;
            }
            assert_eq!(figure(&handle, "highwater_edge_stuck_plans"), Some(1.0));
            edge.shutdown(false).await;
            disk = disk.kill();
        }
        let found = records(inner.as_ref()).await;
        assert_eq!(found.len(), 60, "no chunk of it, and each other ping once");
    });
}

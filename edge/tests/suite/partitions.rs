//! Memory with many open partitions, as a process of its own: what a partition costs while it is open, and that sealing
//! all of them at once takes no more. 20,000 partitions, or 100,000 when `HIGHWATER_SOAK` is set.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use disk::RealDisk;
use edge::{Edge, EdgeLimits, EdgeOptions};
use store::{ListPage, ObjectMeta, Payload, Put, Store, StoreError};

use crate::alone::alone;
use crate::support::{open, options, run, submit_with, system_clock};
use crate::vitals::{peak_bytes, reset_peak, soak};

/// A store that keeps nothing, so that what it takes is not the edge's.
#[derive(Debug)]
struct Nowhere;

#[async_trait::async_trait]
impl Store for Nowhere {
    async fn put_if_absent(&self, _: &str, _: Payload) -> Result<Put, StoreError> {
        Ok(Put::Created)
    }

    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        Err(StoreError::NotFound { key: key.to_owned() })
    }

    async fn get_range(&self, key: &str, _: Range<u64>) -> Result<Bytes, StoreError> {
        self.get(key).await
    }

    async fn get_tail(&self, key: &str, _: u64) -> Result<(Bytes, u64), StoreError> {
        Err(StoreError::NotFound { key: key.to_owned() })
    }

    async fn head(&self, _: &str) -> Result<Option<ObjectMeta>, StoreError> {
        Ok(None)
    }

    async fn list(&self, _: &str, _: Option<&str>, _: usize) -> Result<ListPage, StoreError> {
        Ok(ListPage {
            objects: Vec::new(),
            more: false,
        })
    }

    async fn delete(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

fn at(folder: &Path) -> EdgeOptions {
    let limits = EdgeLimits {
        new_partitions: u32::MAX,
        seal_age: std::time::Duration::from_secs(1_000_000),
        ..EdgeLimits::default()
    };
    EdgeOptions {
        claims: None,
        log_dir: folder.join("log"),
        staging_dir: folder.join("staging"),
        damaged_dir: folder.join("damaged"),
        ..options(limits)
    }
}

/// Submits so many pings of so many partitions, from 64 sides.
async fn fill(edge: &Arc<Edge>, pings: u64, partitions: u64) {
    let sender = |side: u64| {
        let edge = Arc::clone(edge);
        service::task::spawn("sender", async move {
            for number in (side..pings).step_by(64) {
                let partition = number % partitions;
                let (version, build) = (partition % 300, partition / 300);
                let uri = format!(
                    "/submit/telemetry/00000000-0000-4000-8000-{number:012}/main/Firefox/{version}.0a1/nightly/2018032803{build:04}?v=4"
                );
                submit_with(&edge, &uri, &[], &[b' '; 300]).await.expect("taken");
            }
        })
    };
    for sender in (0..64).map(sender).collect::<Vec<_>>() {
        sender.await.expect("no panic");
    }
}

/// A folder in memory where there is one: 40,000 syncs are not what this is about.
fn folder() -> tempfile::TempDir {
    let shm = PathBuf::from("/dev/shm");
    let quick = shm.is_dir().then(|| tempfile::tempdir_in(shm).ok()).flatten();
    quick.unwrap_or_else(|| tempfile::tempdir().expect("a folder"))
}

/// The peak of memory while pings of so many partitions are taken, and while they are sealed.
fn peaks(pings: u64, partitions: u64) -> (u64, u64) {
    let folder = folder();
    std::fs::create_dir(folder.path().join("staging")).expect("made");
    run(async {
        let running = open(
            RealDisk::shared(),
            Arc::new(Nowhere),
            system_clock(),
            at(folder.path()),
        )
        .await
        .expect("opens");
        let mut announced = running.announced;
        drop(service::task::spawn("listener", async move {
            while announced.recv().await.is_some() {}
        }));
        reset_peak();
        fill(&running.edge, pings, partitions).await;
        assert_eq!(running.edge.status().open_partitions as u64, partitions);
        let open = peak_bytes();
        running.edge.wait_until_sealed().await;
        assert_eq!(running.edge.status().chunked, pings);
        running.edge.shutdown(false).await;
        (open, peak_bytes())
    })
}

#[test]
fn memory_grows_by_less_than_a_kilobyte_for_an_open_partition() {
    alone(
        "partitions::memory_grows_by_less_than_a_kilobyte_for_an_open_partition",
        || {
            let partitions = if soak() { 100_000 } else { 20_000 };
            let few = peaks(partitions, 10);
            let many = peaks(partitions, partitions);
            println!(
                "{partitions} pings in 10 partitions: {} MB taking, {} MB sealing; in as many partitions: {} MB, {} MB",
                few.0 / 1_000_000,
                few.1 / 1_000_000,
                many.0 / 1_000_000,
                many.1 / 1_000_000
            );
            assert!(
                many.0 < few.0 + partitions * 1_000,
                "taking: {many:?} after {few:?}"
            );
            assert!(
                many.1 < few.1 + partitions * 1_000,
                "sealing: {many:?} after {few:?}"
            );
            assert!(many.1 < 200_000_000, "{many:?}");
        },
    );
}

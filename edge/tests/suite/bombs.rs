//! Sixteen gzip bombs at once, as large as the body limit admits, cost a bounded memory, and are kept as sent.
//! On its own, since it measures the process.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use crate::alone::alone;
use crate::vitals::peak_bytes;
use bytes::Bytes;
use disk::{Disk, RealDisk};
use edge::intake::{Accepted, Intake};
use edge::{Edge, EdgeLimits, EdgeOptions, Parts};
use flate2::Compression;
use flate2::write::GzEncoder;
use ping::{DimensionSchema, Incarnation};
use service::clock::SystemClock;
use service::random::SystemRandom;
use store::{Blocking, DirectoryStore};
use tokio::sync::mpsc;

const BODY_BYTES: usize = 8 << 20;

/// A gzip body of about `BODY_BYTES` that inflates to a thousand times as much.
fn bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![0; 1 << 20];
    while encoder.get_ref().len() < BODY_BYTES - (64 << 10) {
        encoder.write_all(&zeros).expect("a vector has room");
    }
    encoder.finish().expect("a vector has room")
}

/// A gzip body that inflates to just what is admitted.
fn just_admitted() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(&vec![b' '; 32 << 20])
        .expect("a vector has room");
    encoder.finish().expect("a vector has room")
}

#[test]
fn sixteen_bombs_at_once_grow_memory_by_at_most_200_megabytes() {
    alone(
        "bombs::sixteen_bombs_at_once_grow_memory_by_at_most_200_megabytes",
        || {
            let dir = tempfile::tempdir().expect("a folder");
            let bodies = [Bytes::from(bomb()), Bytes::from(just_admitted())];
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_time()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let disk: Arc<dyn Disk> = RealDisk::shared();
                let (root, staging) = (dir.path().join("store"), dir.path().join("staging"));
                let store = DirectoryStore::new(Arc::clone(&disk), root, staging.clone(), Blocking::Pool);
                let (announce, _announced) = mpsc::channel(1_000);
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
                let parts = Parts {
                    disk,
                    store: Arc::new(store),
                    clock: SystemClock::shared(),
                    random: SystemRandom::shared(),
                    schema: DimensionSchema::default(),
                    incarnation: Incarnation::from_bytes([1; 16]),
                    privacy: edge::Privacy::none(),
                    announce,
                };
                let edge = Edge::open(options, parts).await.expect("opens");
                let before = peak_bytes();
                for number in 0..32 {
                    // Sixteen partitions, so that sixteen seals are due at once.
                    let uri = format!(
                        "/submit/telemetry/{number}/main/Firefox/6{}.0/release/2018",
                        number % 16
                    );
                    let body = bodies[number % 2].clone();
                    let headers = vec![("content-encoding".to_owned(), "gzip".to_owned())];
                    edge.submit(Accepted {
                        uri: uri.into(),
                        headers,
                        body,
                    })
                    .await
                    .expect("taken");
                }
                edge.wait_until_sealed().await;
                let status = edge.status();
                assert_eq!((status.waiting, status.chunked), (0, 32));
                let grown = peak_bytes() - before;
                println!("memory grew by {} MB", grown / 1_000_000);
                assert!(grown <= 200_000_000, "memory grew by {grown} bytes");
                edge.shutdown(false).await;
            });
        },
    );
}

//! Recovery of a log after a kill, as a process of its own: it streams, so that memory does not grow with the log.
//!
//! `a_large_log_is_recovered_in_bounded_memory` takes 2 GB when `HIGHWATER_SOAK` is set, and holds its processor time
//! against that of reading the same bytes with a checksum and nothing else.

use std::path::Path;
use std::sync::Arc;

use disk::RealDisk;
use edge::{Edge, EdgeLimits, EdgeOptions};

use crate::alone::alone;
use crate::support::{memory, open, options, run, submit, system_clock};
use crate::vitals::{cpu_ns, peak_bytes, reset_peak, soak};

/// Bytes of a body: about what a main ping takes, packed.
const BODY_BYTES: usize = 20_000;

fn at(folder: &Path) -> EdgeOptions {
    let limits = EdgeLimits {
        log_bytes: 8 << 30,
        seal_age: std::time::Duration::from_secs(1_000_000),
        // Nothing is full: all of it waits.
        chunk: chunk::ChunkLimits {
            stored_bytes: u64::MAX,
            ..chunk::ChunkLimits::default()
        },
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

/// Logs so many pings, from 64 sides.
async fn fill(edge: &Arc<Edge>, pings: u64) {
    let sender = |side: u64| {
        let edge = Arc::clone(edge);
        service::task::spawn("sender", async move {
            let body: Vec<u8> = (0..BODY_BYTES as u64)
                .map(|at| (at.wrapping_mul(side + 77) >> 3) as u8)
                .collect();
            for number in (side..pings).step_by(64) {
                submit(
                    &edge,
                    number,
                    ["release", "beta", "esr"][number as usize % 3],
                    &body,
                )
                .await
                .expect("taken");
            }
        })
    };
    for sender in (0..64).map(sender).collect::<Vec<_>>() {
        sender.await.expect("no panic");
    }
}

/// Reads all segments with a checksum and nothing else; answers their bytes.
fn read_with_crc(log: &Path) -> u64 {
    let (disk, mut bytes) = (RealDisk::shared(), 0);
    let mut window = vec![0; 1 << 20];
    for (path, _) in disk.read_dir(log).expect("a folder") {
        if path.ends_with("spare") {
            continue;
        }
        let file = disk.open_read(&path).expect("there");
        let mut offset = 0;
        loop {
            let read = file.read_at(&mut window, offset).expect("reads");
            if read == 0 {
                break;
            }
            std::hint::black_box(crc_fast::checksum(
                crc_fast::CrcAlgorithm::Crc32Iscsi,
                &window[..read],
            ));
            offset += read as u64;
        }
        bytes += offset;
    }
    bytes
}

#[test]
fn a_large_log_is_recovered_in_bounded_memory() {
    alone("recovery::a_large_log_is_recovered_in_bounded_memory", || {
        let pings = if soak() { 105_000 } else { 5_000 };
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("staging")).expect("made");
        run(async {
            let running = open(RealDisk::shared(), memory(), system_clock(), at(folder.path()))
                .await
                .expect("opens");
            fill(&running.edge, pings).await;
            running.edge.shutdown(false).await;
        });
        let rounds = if soak() { 5 } else { 1 };
        let mut ratios = Vec::new();
        for _ in 0..rounds {
            let before = cpu_ns();
            let bytes = read_with_crc(&folder.path().join("log"));
            let crc = cpu_ns() - before;
            reset_peak();
            let (resident, before) = (peak_bytes(), cpu_ns());
            let (recovery, waiting) = run(async {
                let running = open(RealDisk::shared(), memory(), system_clock(), at(folder.path()))
                    .await
                    .expect("opens");
                let answer = (cpu_ns() - before, running.edge.status().waiting);
                running.edge.shutdown(false).await;
                answer
            });
            let (peak, ratio) = (peak_bytes(), recovery as f64 / crc as f64);
            println!(
                "{} MB of log: crc alone {} ms, recovery {} ms of processor time, {ratio:.2} times; resident {} MB before, at most {} MB",
                bytes / 1_000_000,
                crc / 1_000_000,
                recovery / 1_000_000,
                resident / 1_000_000,
                peak / 1_000_000
            );
            assert_eq!(waiting, pings);
            assert!(peak < 256_000_000 && peak < resident + 64_000_000, "{peak} bytes");
            ratios.push(ratio);
        }
        ratios.sort_by(f64::total_cmp);
        if soak() {
            assert!(ratios[rounds / 2] <= 3.0, "{ratios:?}");
        }
    });
}

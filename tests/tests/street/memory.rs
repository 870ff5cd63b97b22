//! Memory stays in its bounds whatever is sent.

use std::thread;

use tests::{Pipeline, gzip};

#[test]
fn sixteen_bombs_at_once_grow_memory_by_at_most_200_mb() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &[]);
    let mut edge = pipeline.edge_client();
    // Zeros pack to a thousandth: this member inflates to 4 GB, and a body holds as many as the limit admits.
    let megabytes = gzip(&vec![0; 64 << 20]);
    let bomb: Vec<u8> = megabytes
        .iter()
        .copied()
        .cycle()
        .take(megabytes.len() * ((8 << 20) / megabytes.len()))
        .collect();
    println!(
        "a bomb of {} bytes inflates to {} MiB",
        bomb.len(),
        bomb.len() / megabytes.len() * 64
    );
    assert_eq!(
        edge.post("/submit/telemetry/first/core", &[], b"{}")
            .expect("an answer")
            .status,
        200
    );
    pipeline.wait_until_settled();
    let before = pipeline.resident_bytes();
    let senders: Vec<_> = (0..16)
        .map(|number| {
            let (mut edge, bomb) = (pipeline.edge_client(), bomb.clone());
            #[expect(clippy::disallowed_methods, reason = "load from outside the program")]
            thread::spawn(move || {
                edge.post(
                    &format!("/submit/telemetry/bomb-{number}/main"),
                    &[("Content-Encoding", "gzip")],
                    &bomb,
                )
                .map(|r| r.status)
            })
        })
        .collect();
    let highest = std::cell::Cell::new(before);
    for sender in senders {
        assert_eq!(sender.join().expect("no panic").expect("an answer"), 200);
        highest.set(highest.get().max(pipeline.resident_bytes()));
    }
    let highest_seen = &highest;
    let status = pipeline.wait_for("the bombs to be kept as errors", |status| {
        highest.set(highest.get().max(pipeline.resident_bytes()));
        status["errored_pings"] == 16 && status["settled"] == true
    });
    let highest = highest_seen.get();
    println!(
        "resident before {} MB, at most {} MB",
        before / 1_000_000,
        highest / 1_000_000
    );
    assert!(
        highest < before + 200_000_000,
        "memory grew from {before} to {highest}: {status}"
    );
}

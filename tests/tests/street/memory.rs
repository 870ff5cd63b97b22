//! Memory stays in its bounds whatever is sent.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tests::{Pipeline, SmallPing, gzip};

/// The largest body that is taken.
const LARGEST: usize = 8 << 20;

/// What bombs may cost beside a program that is warm and beside their own bytes: on a machine that is busy all of them are on
/// their way at once.
const BOMBS_BYTES_MAX: u64 = 150_000_000;

/// So often a client sends what was cut.
const TRIES_MAX: usize = 5;

/// One member that inflates to 1 GB.
fn single_bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let zeros = vec![0; 16 << 20];
    for _ in 0..64 {
        encoder.write_all(&zeros).expect("memory takes all");
    }
    encoder.finish().expect("memory takes all")
}

/// As many members as the limit admits, each of which inflates to 64 MiB.
fn bomb_of_many_members() -> Vec<u8> {
    let member = gzip(&vec![0; 64 << 20]);
    member.repeat(LARGEST / member.len())
}

#[test]
fn thirty_two_bombs_at_once_grow_memory_by_what_they_weigh_and_at_most_150_mb() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &[]);
    let honest = SmallPing::numbered(1);
    let mut edge = pipeline.edge_client();
    let first = edge.post(&honest.uri(), &[], &honest.body()).expect("an answer");
    assert_eq!(first.status, 200);
    pipeline.wait_until_settled();
    let before = pipeline.resident_bytes();
    let bombs = [single_bomb(), bomb_of_many_members()];
    let sent: u64 = (0..32).map(|number| bombs[number % 2].len() as u64).sum();
    std::thread::scope(|scope| {
        for number in 0..32 {
            let (mut edge, bomb) = (pipeline.edge_client(), &bombs[number % 2]);
            scope.spawn(move || {
                let target = format!("/submit/telemetry/00000000-0000-4000-8000-{number:012x}/main");
                // A body that comes too slowly, on a machine with little to spare, is cut: who sent it sends it again.
                let answer = (0..TRIES_MAX).find_map(|_| {
                    let answer = edge.post(&target, &[("Content-Encoding", "gzip")], bomb);
                    answer.ok().filter(|answer| answer.status != 408)
                });
                assert_eq!(
                    answer.expect("an answer").status,
                    200,
                    "what is wrong inside is found later"
                );
            });
        }
    });
    let neighbour = SmallPing::numbered(2);
    let answer = edge
        .post(&neighbour.uri(), &[], &neighbour.body())
        .expect("an answer");
    assert_eq!(answer.status, 200);
    let status = pipeline.wait_until_settled();
    assert_eq!(status["errored_by_reason"]["inflated_too_large"], 32, "{status}");
    assert_eq!(status["folded"], 2, "{status}");
    let highest = pipeline.peak_bytes();
    assert!(
        highest < before + sent + BOMBS_BYTES_MAX,
        "memory grew from {before} to {highest}, for {sent} bytes of bombs: {status}"
    );
}

//! A client that asks and asks, and never reads an answer.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use tests::Pipeline;

use super::crowd::an_honest_client_is_served;

#[test]
fn a_client_that_never_reads_its_answers_is_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &["--write-timeout", "2s"]);
    an_honest_client_is_served(&pipeline, 1);
    let before = pipeline.resident_bytes();
    let requests = b"GET /__version__ HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1_000);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let mut stream = TcpStream::connect(&pipeline.edge).expect("a connection");
                stream
                    .set_write_timeout(Some(Duration::from_secs(60)))
                    .expect("a time-out");
                // Answers fill the receive window; then requests fill the other; then the program gives up.
                let mut sent = 0;
                while stream.write_all(&requests).is_ok() {
                    sent += requests.len();
                    assert!(
                        sent < 1 << 30,
                        "the program reads on for ever, though its answers are not read"
                    );
                }
            });
        }
    });
    let cost = pipeline.peak_bytes().saturating_sub(before);
    println!("16 deaf clients cost {} MB at most", cost / 1_000_000);
    assert!(cost < 50_000_000, "deaf clients cost {cost} bytes");
    an_honest_client_is_served(&pipeline, 2);
    assert_eq!(pipeline.wait_until_settled()["accepted"], 2);
}

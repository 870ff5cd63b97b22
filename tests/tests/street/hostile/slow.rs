//! Connections that say nothing, too little, or too slowly.

use std::process::Command;
use std::time::Duration;

use service::clock::SystemClock;
use tests::Pipeline;

use super::crowd::{Crowd, MANY, an_honest_client_is_served, post, tell, turn, wait};

/// What all connections together may cost beside an idle program.
const CROWD_BYTES_MAX: u64 = 150_000_000;

/// Lets a crowd misbehave beside honest clients: one that was there before, and new ones.
fn besiege(opening: &[u8], byte: Option<u8>, members: usize, arguments: &[&str]) {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), arguments);
    let mut regular = pipeline.edge_client();
    post(&mut regular, 1);
    let before = pipeline.resident_bytes();
    let mut crowd = Crowd::gather(&pipeline.edge, members, opening);
    for second in 0..4 {
        an_honest_client_is_served(&pipeline, 10 + second);
        for again in 0..4 {
            post(&mut regular, 100 + second * 10 + again);
            wait(Duration::from_millis(200));
        }
        if let Some(byte) = byte {
            crowd.trickle(byte);
        }
    }
    let cost = pipeline.peak_bytes().saturating_sub(before);
    tell(&format!("the crowd cost {} MB at most", cost / 1_000_000));
    assert!(cost < CROWD_BYTES_MAX, "the crowd cost {cost} bytes");
    let answered = crowd.answered_before_the_end();
    assert_eq!(
        answered, 0,
        "a slow client is closed without an answer, for some drop a ping at any"
    );
    an_honest_client_is_served(&pipeline, 1_000);
    let status = pipeline.wait_until_settled();
    assert_eq!(status["accepted"], 1 + 4 + 16 + 1, "{status}");
}

#[test]
fn ten_thousand_connections_that_send_nothing_hold_up_nobody() {
    besiege(b"", None, MANY, &["--header-timeout", "20s"]);
}

#[test]
fn ten_thousand_connections_that_stop_in_a_header_hold_up_nobody() {
    let opening = b"POST /submit/telemetry/x/main HTTP/1.1\r\nHost: x\r\nContent-Le";
    besiege(opening, None, MANY, &["--header-timeout", "20s"]);
}

#[test]
fn ten_thousand_connections_that_send_a_byte_a_second_hold_up_nobody() {
    let opening = b"POST /submit/telemetry/x/main HTTP/1.1\r\nX-Slow: ";
    besiege(opening, Some(b'a'), MANY, &["--header-timeout", "8s"]);
}

#[test]
fn bodies_that_come_a_byte_a_second_are_given_up() {
    let opening = b"POST /submit/telemetry/x/main HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{";
    besiege(opening, Some(b' '), 2_000, &["--body-timeout", "6s"]);
}

/// The program, where so few files may be open.
fn limited_to(files: u32) -> Command {
    let mut limited = Command::new("sh");
    limited
        .args(["-c", &format!("ulimit -n {files} && exec \"$0\" \"$@\"")])
        .arg(tests::highwater());
    limited
}

#[test]
fn where_few_files_may_be_open_silent_connections_make_room_all_the_same() {
    // The least that it starts with, and some more.
    for (files, members) in [(160, 200), (400, 1_000)] {
        let _turn = turn();
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let arguments = ["--header-timeout", "600s"];
        let pipeline = Pipeline::start_by(limited_to(files), &data, &arguments).expect("it starts");
        // Both listeners together have no more than there is.
        let crowds = [&pipeline.edge, &pipeline.api].map(|address| Crowd::gather(address, members, b""));
        for ping in 0..5 {
            an_honest_client_is_served(&pipeline, ping);
            let clock = SystemClock::shared();
            let begun = clock.monotonic();
            let alive = pipeline.edge_client().get("/__heartbeat__").expect("an answer");
            assert_eq!(alive.status, 200, "{files}: {}", alive.text());
            let took = clock.monotonic() - begun;
            assert!(took < Duration::from_secs(5), "{files}: {took:?}");
        }
        let status = pipeline.wait_until_settled();
        assert_eq!(status["accepted"], 5, "{status}");
        drop(crowds);
        let log = std::fs::read_to_string(data.with_extension("log")).expect("its log");
        assert!(!log.contains("cannot accept"), "{files}: {log}");
    }
}

#[test]
fn where_too_few_files_may_be_open_the_start_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    for files in [64, 159] {
        let data = folder.path().join(files.to_string());
        let words = Pipeline::start_by(limited_to(files), &data, &[]).expect_err("too few");
        assert!(
            words.contains("160 are the least") && words.contains("ulimit -n 1024"),
            "{words}"
        );
        assert!(!data.exists(), "nothing was made");
    }
}

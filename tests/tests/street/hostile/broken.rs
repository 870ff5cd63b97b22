//! Requests on whose end two readers could disagree: whoever smuggles a second one in that way is refused.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use tests::{Pipeline, run};

use super::crowd::an_honest_client_is_served;

/// So that a request without an end is soon given up.
const IMPATIENT: [&str; 4] = ["--header-timeout", "2s", "--body-timeout", "2s"];

/// A ping that must never be taken: it stands where a body, or the rest of one, should be.
const SMUGGLED: &str =
    "POST /submit/telemetry/smuggled/main HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";

/// A head's lines after the request line, for a body of `{}` that the smuggled ping follows.
const HEADS: [(&str, &str); 16] = [
    ("two lengths", "Content-Length: 2\r\nContent-Length: 120"),
    ("two lengths in one line", "Content-Length: 2, 120"),
    (
        "a length and chunks",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
    ),
    (
        "chunks and a length",
        "Transfer-Encoding: chunked\r\nContent-Length: 2",
    ),
    ("a space before the colon", "Content-Length : 2"),
    ("a folded header", "Content-Length:\r\n 2"),
    ("a header folded onto the next", "X-A: b\r\n Content-Length: 2"),
    ("a negative length", "Content-Length: -2"),
    ("a length with a sign", "Content-Length: +2"),
    ("a length in hex", "Content-Length: 0x2"),
    (
        "a length beyond numbers",
        "Content-Length: 99999999999999999999999",
    ),
    ("an unknown coding", "Transfer-Encoding: xchunked"),
    ("a coding before chunks", "Transfer-Encoding: gzip, chunked"),
    ("chunks that are not last", "Transfer-Encoding: chunked, identity"),
    ("a nul in a value", "Content-Length: 2\0"),
    ("a line that ends in a bare return", "X: y\rContent-Length: 2"),
];

/// Sends bytes and reads all answers, up to the end of the connection; the status codes.
fn answers(edge: &str, bytes: &[u8]) -> Vec<u16> {
    let mut stream = TcpStream::connect(edge).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a time-out");
    let mut text = Vec::new();
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    // A reset after a refusal is an end, too.
    let _ = stream.read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text);
    text.split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| answer[..3].parse().expect("a status code"))
        .collect()
}

fn stored(data: &std::path::Path) -> String {
    let printed = run(&["pings", "--data-dir", &data.display().to_string()]);
    assert!(printed.success, "{}", printed.stderr);
    printed.stdout
}

#[test]
fn a_request_with_two_ends_smuggles_nothing_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let pipeline = Pipeline::start(&data, &IMPATIENT);
    for (what, head) in HEADS {
        let bytes =
            format!("POST /submit/telemetry/outer/main HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n{{}}{SMUGGLED}");
        let codes = answers(&pipeline.edge, bytes.as_bytes());
        assert!(
            codes.is_empty() || codes.len() == 1 && codes[0] >= 400,
            "{what} was answered {codes:?}"
        );
    }
    // Chunks are refused as a whole, whatever is in them: 411, and nothing behind them is read.
    for chunks in [
        "2\r\n{}\r\n0\r\n\r\n",
        "2;extension=\"\r\n\"\r\n{}\r\n0\r\n\r\n",
        "fffffffffffffffff\r\n{}",
        "0\r\n\r\n",
        "2\n{}\n0\n\n",
    ] {
        let bytes = format!(
            "POST /submit/telemetry/outer/main HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}{SMUGGLED}"
        );
        let codes = answers(&pipeline.edge, bytes.as_bytes());
        assert!(
            codes == [411] || codes == [400],
            "{chunks:?} was answered {codes:?}"
        );
    }
    an_honest_client_is_served(&pipeline, 1);
    assert_eq!(pipeline.wait_until_settled()["accepted"], 1);
    assert!(!stored(&data).contains("smuggled"));
}

#[test]
fn lines_that_end_in_a_bare_feed_are_one_request_or_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let pipeline = Pipeline::start(&data, &IMPATIENT);
    // RFC 9112 2.2 lets a server take a bare line feed for a line's end; then the length counts, and the rest is a
    // request of its own.
    let bytes = b"POST /submit/telemetry/bare/main HTTP/1.1\nHost: x\nContent-Length: 2\n\n{}GET /__version__ HTTP/1.1\r\nHost: x\r\n\r\n";
    let codes = answers(&pipeline.edge, bytes);
    assert!(codes == [200, 200] || codes == [400], "answered {codes:?}");
    an_honest_client_is_served(&pipeline, 1);
    let accepted = pipeline.wait_until_settled()["accepted"].clone();
    assert_eq!(accepted, if codes.len() == 2 { 2 } else { 1 });
}

#[test]
fn a_flood_of_headers_and_a_head_without_end_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &IMPATIENT);
    let flood = "X-A: b\r\n".repeat(5_000);
    let endless = format!("X-A: {}\r\n", "b".repeat(1 << 20));
    for headers in [flood, endless] {
        let bytes =
            format!("POST /submit/telemetry/x/main HTTP/1.1\r\n{headers}Content-Length: 2\r\n\r\n{{}}");
        let codes = answers(&pipeline.edge, bytes.as_bytes());
        assert!(codes.is_empty() || codes == [431], "answered {codes:?}");
    }
    an_honest_client_is_served(&pipeline, 1);
    assert_eq!(pipeline.wait_until_settled()["accepted"], 1);
}

#[test]
fn pipelined_pings_are_answered_each_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &IMPATIENT);
    let one = "POST /submit/telemetry/first/core HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
    let wrong = "DELETE /submit/telemetry/x HTTP/1.1\r\nHost: x\r\n\r\n";
    let bytes = format!("{}{wrong}{one}", one.repeat(20));
    let codes = answers(&pipeline.edge, bytes.as_bytes());
    let mut expected = vec![200; 20];
    expected.push(405);
    assert!(codes.starts_with(&expected), "answered {codes:?}");
    let accepted = codes.iter().filter(|code| **code == 200).count();
    assert_eq!(pipeline.wait_until_settled()["accepted"], accepted);
}

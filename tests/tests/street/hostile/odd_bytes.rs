//! Every byte there is, in every place of a request's head.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use tests::{Pipeline, run};

use super::crowd::an_honest_client_is_served;

/// Places of a URI; `*` is where the byte goes.
const URIS: [&str; 9] = [
    "/submit/*/id/main/Firefox/54.0/beta/1",
    "/submit/telemetry/i*d/main/Firefox/54.0/beta/1",
    "/submit/telemetry/id/m*in/Firefox/54.0/beta/1",
    "/submit/telemetry/id/main/F*x/54.0/beta/1",
    "/submit/telemetry/id/main/Firefox/54*/beta/1",
    "/submit/telemetry/id/main/Firefox/54.0/*/1",
    "/submit/telemetry/id/main/Firefox/54.0/beta/*",
    "/submit/telemetry/id/main/Firefox/54.0/beta/1?v=*",
    "*submit/telemetry/id",
];

/// The contract's answers, and those of HTTP itself.
const CODES: [u16; 8] = [200, 400, 404, 405, 411, 413, 414, 431];

fn with_byte(text: &str, byte: u8) -> Vec<u8> {
    let at = text.find('*').expect("a place");
    [&text.as_bytes()[..at], &[byte], &text.as_bytes()[at + 1..]].concat()
}

/// Sends one request on a connection of its own; the status code, if there was one.
fn code(edge: &str, uri: &[u8], header: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(edge).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a time-out");
    let request = [
        b"POST ",
        uri,
        b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUser-Agent: ",
        header,
        b"\r\nContent-Length: 2\r\n\r\n{}",
    ]
    .concat();
    let mut answer = Vec::new();
    let _ = stream.write_all(&request);
    let _ = stream.read_to_end(&mut answer);
    std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()
}

fn stored_uris(data: &std::path::Path) -> BTreeSet<String> {
    let printed = run(&["pings", "--data-dir", &data.display().to_string()]);
    assert!(printed.success, "{}", printed.stderr);
    printed
        .stdout
        .lines()
        .map(|line| {
            let ping: Value = serde_json::from_str(line).expect("a ping a line");
            ping["meta"]["uri"].as_str().expect("a URI").to_owned()
        })
        .collect()
}

#[test]
fn any_byte_in_a_uri_or_header_is_answered_by_the_contract_and_kept_as_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let pipeline = Pipeline::start(&data, &[]);
    let (mut accepted, mut expected_uris) = (0_u64, BTreeSet::new());
    for byte in 0..=u8::MAX {
        let headers = std::iter::once((
            with_byte("/submit/telemetry/header/main?*", b'h'),
            vec![b'a', byte, b'z'],
        ));
        let uris = URIS.iter().map(|uri| (with_byte(uri, byte), b"plain".to_vec()));
        for (uri, header) in uris.chain(headers) {
            let Some(code) = code(&pipeline.edge, &uri, &header) else {
                continue; // closed without an answer
            };
            assert!(
                CODES.contains(&code),
                "byte {byte:#04x} in {uri:?} was answered {code}"
            );
            if code == 200 {
                accepted += 1;
                // What follows a `#` is no part of a request's target (RFC 9112, 3.2): it is left out.
                let target = uri.split(|byte| *byte == b'#').next().expect("one, at least");
                expected_uris.insert(String::from_utf8_lossy(target).into_owned());
            }
        }
    }
    println!("{accepted} of {} were taken", 256 * (URIS.len() + 1));
    assert!(accepted > 300, "letters, at least, are no reason to refuse");
    an_honest_client_is_served(&pipeline, 1);
    assert_eq!(pipeline.wait_until_settled()["accepted"], accepted + 1);
    let stored = stored_uris(&data);
    let lost: Vec<_> = expected_uris.difference(&stored).collect();
    assert!(lost.is_empty(), "not kept as sent: {lost:?}");
}

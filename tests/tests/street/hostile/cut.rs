//! Bodies that end before their end.

use std::io::Write;
use std::net::{Shutdown, TcpStream};

use tests::{Pipeline, SmallPing, gzip};

use super::crowd::an_honest_client_is_served;

/// As many bytes as the largest body that is taken.
const LARGEST: usize = 8 << 20;

/// Sends a head that promises a body, some of it, and closes.
fn cut(edge: &str, head: &str, part: &[u8], linger: bool) {
    let mut stream = TcpStream::connect(edge).expect("a connection");
    // The program may refuse, and close, before all is sent.
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(part));
    if linger {
        let _ = stream.shutdown(Shutdown::Write);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    }
}

#[test]
fn a_cut_body_of_any_length_is_not_a_ping_and_gives_its_room_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &[]);
    let ping = SmallPing::numbered(7);
    let body = gzip(&ping.body());
    let lengths = [
        0,
        1,
        2,
        9,
        10,
        11,
        body.len() / 2,
        body.len() - 9,
        body.len() - 8,
        body.len() - 1,
    ];
    for length in lengths {
        for linger in [false, true] {
            let head = format!(
                "POST {} HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
                ping.uri(),
                body.len()
            );
            cut(&pipeline.edge, &head, &body[..length], linger);
        }
    }
    // 400 MB of cut bodies: more than all bodies may take together, so that room which did not come back would tell.
    let large = vec![b' '; LARGEST - 1];
    for _ in 0..50 {
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {LARGEST}\r\n\r\n",
            ping.uri()
        );
        cut(&pipeline.edge, &head, &large, true);
    }
    an_honest_client_is_served(&pipeline, 1);
    let response = pipeline
        .edge_client()
        .post(&SmallPing::numbered(2).uri(), &[], &vec![b' '; LARGEST])
        .expect("an answer");
    assert_eq!(response.status, 200, "{}", response.text());
    let status = pipeline.wait_until_settled();
    assert_eq!(status["accepted"], 2, "a cut body was taken for a ping: {status}");
}

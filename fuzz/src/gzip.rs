//! Target: inflating bodies under a cap. What comes out is what a plain decoder makes of it, and never more than the
//! cap; nothing that one can inflate is refused.

use std::io::Read;

use edge::fuzzing::inflate;
use flate2::bufread::GzDecoder;

use crate::parts::Input;

/// A `content-encoding`, a cap and a body.
pub fn target(data: &[u8]) {
    let mut input = Input(data);
    let codings = [&[][..], &["gzip"], &["x-gzip"], &["identity", "gzip"], &["br"]];
    let coding = usize::from(input.byte());
    let codings = codings[coding % codings.len()];
    let cap = input.short();
    let body = input.0;
    let ours = inflate(codings, body, cap);
    if let Ok(inflated) = &ours {
        assert!(inflated.len() <= cap, "the cap holds");
    }
    let first = body.iter().find(|byte| !b" \t\r\n".contains(byte));
    if codings == ["br"] {
        assert_eq!(ours, Err("encoding_unsupported"));
    } else if body.starts_with(&MAGIC) {
        compare(ours, body, cap);
    } else if !codings.is_empty() && first != Some(&b'{') {
        assert_eq!(ours, Err("not_gzip"));
    } else if body.len() > cap {
        assert_eq!(ours, Err("inflated_too_large"));
    } else {
        assert_eq!(ours.as_deref(), Ok(body));
    }
}

/// What a gzip member begins with.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// All members, the plain way; what follows the last one is left out. At most one byte more than the cap.
fn plainly(body: &[u8], cap: usize) -> std::io::Result<Vec<u8>> {
    let (mut rest, mut all) = (body, Vec::new());
    loop {
        let mut member = GzDecoder::new(rest);
        let room = (cap as u64 + 1).saturating_sub(all.len() as u64);
        member.by_ref().take(room).read_to_end(&mut all)?;
        rest = member.into_inner();
        if all.len() > cap || !rest.starts_with(&MAGIC) {
            return Ok(all);
        }
    }
}

fn compare(ours: Result<Vec<u8>, &str>, body: &[u8], cap: usize) {
    match (ours, plainly(body, cap)) {
        (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs),
        (Ok(_), Err(error)) => panic!("inflated what a plain decoder refuses: {error}"),
        (Err(reason), Ok(theirs)) => assert!(
            reason == "inflated_too_large" && theirs.len() > cap,
            "refused for {reason} what a plain decoder inflates"
        ),
        (Err(_), Err(_)) => {}
    }
}

/// One member, two, an empty one, one with a name in its header, a bomb, none.
pub fn seeds() -> Vec<Vec<u8>> {
    let text = sample_pings::gzip(b"{\"a\":1,\"a\":2,\"clientId\":\"x\"}", 6);
    let stored = sample_pings::gzip(b"stored as it is", 0);
    let bomb = sample_pings::gzip(&[b'0'; 60_000], 9);
    let mut named = text.clone();
    named[3] |= 8;
    named.splice(10..10, *b"ping.json\0");
    let bodies = [
        text.clone(),
        [text, stored.clone()].concat(),
        sample_pings::gzip(b"", 6),
        [stored.clone(), stored].concat(),
        named,
        [sample_pings::gzip(b"{\"a\":1}", 6), vec![0; 480]].concat(),
        [sample_pings::gzip(b"{\"a\":1}", 6), b"\r\n".to_vec()].concat(),
        bomb,
        b"{}".to_vec(),
    ];
    let cap = 40_000_u16.to_le_bytes();
    let with = |coding: u8| move |body: &Vec<u8>| [&[coding], cap.as_slice(), body].concat();
    bodies
        .iter()
        .map(with(0))
        .chain(bodies.iter().map(with(1)))
        .collect()
}

//! A chunk of format 1, kept, must be read for ever. `REGENERATE=1` writes it where there is none.

use std::fs;
use std::path::Path;

use crate::support::{Full, day, record, write};
use bytes::Bytes;
use chunk::{ChunkReader, records, verify};
use index_schema::ChunkKind;

fn expected() -> Vec<Full> {
    (1..6)
        .map(|number| {
            let body = format!("{{\"clientId\":\"{number:08}\",\"payload\":{{\"n\":{number}}}}}");
            (record(number * 3, ChunkKind::Pings), body.into_bytes())
        })
        .collect()
}

#[test]
fn the_kept_chunk_of_format_1_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/chunk-v1.zst");
    if !path.exists() && std::env::var_os("REGENERATE").is_some() {
        fs::write(&path, write(ChunkKind::Pings, &expected()).sink).expect("written");
    }
    let bytes = Bytes::from(fs::read(&path).expect("tests/golden/chunk-v1.zst"));
    let verified = verify(&bytes).expect("whole");
    assert_eq!(verified.tail.summary.writer, "highwater test");
    assert_eq!(
        verified.tail.summary.sealed_us,
        day().as_micros() + 86_400_000_000
    );
    let mut reader = ChunkReader::new(bytes).expect("a chunk");
    let raw = reader.frame(0).expect("a frame");
    let back: Vec<Full> = records(&raw)
        .map(|record| record.map(|record| (record.to_head(), record.body.to_vec())))
        .collect::<Result<_, _>>()
        .expect("records");
    assert_eq!(back, expected());
}

#[test]
fn what_is_written_today_holds_the_same_records() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/chunk-v1.zst");
    let kept = verify(&fs::read(path).expect("the kept chunk"))
        .expect("whole")
        .tail;
    let fresh = write(ChunkKind::Pings, &expected());
    assert_eq!(fresh.summary.record_digest, kept.summary.record_digest);
    assert_eq!(fresh.summary.partition, kept.summary.partition);
}

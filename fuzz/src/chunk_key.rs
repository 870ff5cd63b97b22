//! Target: keys of chunks, both ways: what is read is written again byte for byte, and what is written is read again.

use index_schema::{ChunkKey, ChunkKind};
use ping::limits::DIMENSION_VALUE_ENCODED_BYTES_MAX;
use ping::{ChunkId, Incarnation, Partition, SubmissionDate};

/// A text; read as a key, and as lines: a prefix, then eight dimension values.
pub fn target(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(key) = ChunkKey::parse(&text) {
        assert_eq!(key.to_string(), text, "a chunk has one spelling of its key");
        assert!(text.starts_with(&ChunkKey::listing_prefix(&key.prefix, key.kind)));
    }
    let mut lines = text.split('\n').map(str::to_owned);
    let prefix = lines.next().unwrap_or_default();
    let values: Vec<String> = lines.collect();
    if let Ok(values) = <[String; 8]>::try_from(values) {
        write_and_read(&prefix, values, data.len() as u64);
    }
}

fn write_and_read(prefix: &str, values: [String; 8], number: u64) {
    if ChunkKey::check_prefix(prefix).is_err() {
        return;
    }
    let writable = values[0].parse::<SubmissionDate>().is_ok() && values.iter().all(|value| fits(value));
    let key = ChunkKey {
        prefix: prefix.to_owned(),
        kind: if number.is_multiple_of(2) {
            ChunkKind::Pings
        } else {
            ChunkKind::Errors
        },
        partition: Partition::new(values),
        id: ChunkId {
            incarnation: Incarnation::from_bytes([0xab; 16]),
            boot: number,
            plan: u64::MAX - number,
        },
    };
    let written = key.to_string();
    match ChunkKey::parse(&written) {
        Ok(read) => assert_eq!(read, key),
        Err(error) => assert!(!writable, "{error}"),
    }
}

/// Whether a value is neither empty nor, percent-encoded, too long.
fn fits(value: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let plain = value.bytes().filter(plain).count();
    (1..=DIMENSION_VALUE_ENCODED_BYTES_MAX).contains(&(plain + 3 * (value.len() - plain)))
}

/// Keys of both kinds, one with escapes, and lines.
pub fn seeds() -> Vec<Vec<u8>> {
    let of = |prefix: &str, values: [&str; 8], kind| ChunkKey {
        prefix: prefix.to_owned(),
        kind,
        partition: Partition::new(values.map(str::to_owned)),
        id: ChunkId {
            incarnation: Incarnation::from_bytes([7; 16]),
            boot: 1,
            plan: 42,
        },
    };
    let plain = [
        "20170131",
        "telemetry",
        "4",
        "main",
        "Firefox",
        "nightly",
        "61.0a1",
        "20170130030205",
    ];
    let odd = ["20170131", "a b", "OTHER", "ü/=%", "UNKNOWN", "..", "\0", "-"];
    vec![
        of("pings", plain, ChunkKind::Pings).to_string().into_bytes(),
        of("a/b", odd, ChunkKind::Errors).to_string().into_bytes(),
        format!("pings\n{}", plain.join("\n")).into_bytes(),
        format!("a/errors.\n{}", odd.join("\n")).into_bytes(),
    ]
}

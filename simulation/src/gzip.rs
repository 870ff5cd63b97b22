//! Packing bodies as clients do.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// These bytes as one gzip member.
///
/// # Panics
/// Never: memory takes everything.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

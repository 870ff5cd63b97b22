//! Inflating a body that the edge kept as an error because it was too large when inflated, under a cap of our own.

use std::io::Read;

use chunk::RecordRef;
use flate2::bufread::MultiGzDecoder;
use index_schema::IndexEntry;

/// The reason of records that a higher cap may make readable.
pub(crate) const TOO_LARGE: &str = "inflated_too_large";

/// What a gzip stream begins with.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Whether a chunk of errored pings has records that a higher cap may make readable.
pub(crate) fn is_retriable(entry: &IndexEntry) -> bool {
    entry.error_reasons.contains_key(TOO_LARGE)
}

/// The body of a record that was too large, if it has at most `cap` bytes when inflated.
pub(crate) fn inflated(record: &RecordRef<'_>, cap: u64) -> Option<Vec<u8>> {
    if record.error != Some(TOO_LARGE) {
        return None;
    }
    let mut body = Vec::new();
    if record.body.starts_with(&MAGIC) {
        let one_more = cap.saturating_add(1);
        let mut decoder = MultiGzDecoder::new(record.body).take(one_more);
        decoder.read_to_end(&mut body).ok()?;
    } else {
        body.extend_from_slice(record.body);
    }
    (body.len() as u64 <= cap).then_some(body)
}

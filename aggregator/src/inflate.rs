//! Decoding a body that the edge kept as an error: because it was larger than the edge's cap when inflated, under a cap of our
//! own; or because the edge of that time could not decode it.

use chunk::{Codings, RecordRef, Undecoded};
use index_schema::IndexEntry;

/// The reason of records that a higher cap may make readable.
pub(crate) const TOO_LARGE: &str = Undecoded::TooLarge.reason();

/// Whether a record with this reason may be readable now.
fn is_decodable(reason: &str) -> bool {
    Undecoded::ALL
        .iter()
        .any(|undecoded| undecoded.reason() == reason)
}

/// Whether a chunk of errored pings has records that may be readable now.
pub(crate) fn is_retriable(entry: &IndexEntry) -> bool {
    entry.error_reasons.keys().any(|reason| is_decodable(reason))
}

/// The body of an errored record, if it can be decoded and has at most `cap` bytes then.
pub(crate) fn inflated(record: &RecordRef<'_>, cap: u64) -> Option<Vec<u8>> {
    if !record.error.is_some_and(is_decodable) {
        return None;
    }
    let headers = record.headers().filter(|(name, _)| *name == "content-encoding");
    let coding = Codings::of(headers.map(|(_, value)| value))
        .coding_of(record.body)
        .ok()?;
    let (mut body, cap) = (Vec::new(), usize::try_from(cap).unwrap_or(usize::MAX));
    match coding {
        Some(coding) => coding.undo(record.body, cap, &mut body).ok()?,
        None if record.body.len() <= cap => body.extend_from_slice(record.body),
        None => return None,
    }
    Some(body)
}

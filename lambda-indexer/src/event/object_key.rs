//! The key of an object as notifications write it.

use index_schema::ChunkKey;
use percent_encoding::percent_decode_str;

use super::EventError;

/// Decodes the key of an S3 notification: `+` and `%20` are both spaces, since AWS writes the one and others the other; a
/// plus sign is always `%2B`. A `%` that begins no escape stays as it is.
pub(super) fn decode(written: &str) -> Result<String, EventError> {
    let spaced = written.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(key) => Ok(key.into_owned()),
        Err(_) => Err(EventError::Key(written.to_owned())),
    }
}

/// The key of an EventBridge event: as it is, for EventBridge does not encode keys; decoded only where that makes a chunk
/// key of what is none, for other senders than AWS.
pub(super) fn plain_or_encoded(written: String) -> String {
    if ChunkKey::parse(&written).is_ok() {
        return written;
    }
    match decode(&written) {
        Ok(key) if ChunkKey::parse(&key).is_ok() => key,
        _ => written,
    }
}

//! Frames of a chunk: their magic numbers, and the skippable ones, which any zstd decoder passes over.
//! Source: RFC 8878, sections 3.1.1 and 3.1.2.

/// A zstd frame: records.
pub const DATA_MAGIC: u32 = 0xfd2f_b528;

/// A skippable frame: the identities of the records.
pub const IDS_MAGIC: u32 = 0x184d_2a51;

/// A skippable frame: the summary.
pub const SUMMARY_MAGIC: u32 = 0x184d_2a52;

/// A skippable frame, reserved for keyed fingerprints of clients, which erasure will need. Not written yet.
pub const FINGERPRINTS_MAGIC: u32 = 0x184d_2a53;

/// A skippable frame: the seek table of the Zstandard seekable format.
pub const SEEK_TABLE_MAGIC: u32 = 0x184d_2a5e;

/// Bytes before the payload of a skippable frame: magic and length, both little-endian u32.
pub(crate) const SKIPPABLE_HEADER_BYTES: usize = 8;

/// A skippable frame with these parts as its payload. `None` when they are longer than a frame can be.
pub(crate) fn skippable(magic: u32, parts: &[&[u8]]) -> Option<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut frame = Vec::with_capacity(SKIPPABLE_HEADER_BYTES + length);
    frame.extend_from_slice(&magic.to_le_bytes());
    frame.extend_from_slice(&u32::try_from(length).ok()?.to_le_bytes());
    for part in parts {
        frame.extend_from_slice(part);
    }
    Some(frame)
}

/// The payload of a skippable frame, if `frame` is one whole frame of this type.
pub(crate) fn skippable_payload(magic: u32, frame: &[u8]) -> Option<&[u8]> {
    let (header, payload) = frame.split_at_checked(SKIPPABLE_HEADER_BYTES)?;
    (u32_at(header, 0) == Some(magic) && u32_at(header, 4) == u32::try_from(payload.len()).ok())
        .then_some(payload)
}

/// The little-endian u32 at an offset.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|four| u32::from_le_bytes(*four))
}

/// Whether a magic number is that of a skippable frame.
#[cfg(feature = "zstd")]
pub(crate) const fn is_skippable(magic: u32) -> bool {
    magic & 0xffff_fff0 == 0x184d_2a50
}

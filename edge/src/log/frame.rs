//! A frame of the log: how one entry lies in a segment, in both directions.
//!
//! ```text
//! at offset, 8-aligned   mark u32 | kind u8 | 0 0 0 | payload length u32 | CRC-32C u32 | synced u64 | payload | 0..7 zeros
//! ```
//! All numbers are little-endian. The checksum covers the segment's salt, the frame's offset, the kind, the length,
//! `synced` and the payload; the mark is the CRC-32C of the salt.
//!
//! What holds: who sends a body does not know the salt, so bytes in it pass for a frame only by luck. A reader that goes
//! from frame to frame never looks into a body; one does that looks for the next frame behind damage or a torn frame, and
//! then only into what is no whole frame itself. What does not hold: a secret of 128 bits. A CRC is linear, so the mark
//! tells all that the salt adds to a checksum, and who guesses these 32 bits, and the offset, has a frame. A body may hold
//! one guess for each 24 bytes: of 63 MiB, it passes in one of 1,500 cases in which such a reader looks into it. And
//! whoever can read the log can write such a body at will.

use crc_fast::{CrcAlgorithm, Digest};

/// Bytes before the payload.
pub(crate) const FRAME_HEADER_BYTES: usize = 24;

/// Frames begin at multiples of this.
pub(crate) const FRAME_ALIGNMENT: u64 = 8;

/// No payload is longer: a plan of a million records takes at most 11 MB, a ping at most its body limit and its head.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 64 << 20;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// `LogState`: the first frame of a segment.
    State,
    /// `PingRecord`, its body as sent.
    Ping,
    /// `Plan`.
    Plan,
    /// `PlanDone`; one of 0 records gives the plan up, and its records wait again.
    Done,
    /// `PingRecord`: a ping that waits, copied forward under the same id. From here on it lies here.
    Copy,
}

/// 16 random bytes of a segment, drawn when it is made, and what its frames begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Salt {
    bits: [u8; 16],
    mark: [u8; 4],
}

/// A frame as it stands in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// What it holds.
    pub(crate) kind: FrameKind,
    /// Up to where the segment was known synced when the frame's commit group was written. In a segment's first
    /// frame: how long the segment was, synced, before it got its name.
    pub(crate) synced: u64,
    /// The entry.
    pub(crate) payload: &'a [u8],
    /// Bytes it takes, header and padding included.
    pub(crate) length: usize,
}

/// Why there is no frame at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoFrame {
    /// The bytes are none.
    Invalid,
    /// A whole frame would need this many bytes; fewer were given.
    NeedMore(usize),
}

impl FrameKind {
    const fn to_byte(self) -> u8 {
        match self {
            Self::State => 1,
            Self::Ping => 2,
            Self::Plan => 3,
            Self::Done => 4,
            Self::Copy => 5,
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::State),
            2 => Some(Self::Ping),
            3 => Some(Self::Plan),
            4 => Some(Self::Done),
            5 => Some(Self::Copy),
            _ => None,
        }
    }
}

impl Salt {
    /// The salt with these bits.
    pub(crate) fn new(bits: [u8; 16]) -> Self {
        let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
        digest.update(b"frame");
        digest.update(&bits);
        Self {
            bits,
            mark: crc_of(&digest).to_le_bytes(),
        }
    }

    /// Its bits.
    pub(crate) const fn bits(&self) -> &[u8; 16] {
        &self.bits
    }

    /// What the frames of its segment begin with.
    pub(crate) const fn mark(self) -> [u8; 4] {
        self.mark
    }

    fn checksum(self, offset: u64, header: &[u8; FRAME_HEADER_BYTES], payload: &[u8]) -> u32 {
        let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
        digest.update(&self.bits);
        digest.update(&offset.to_le_bytes());
        digest.update(&header[4..12]);
        digest.update(&header[16..24]);
        digest.update(payload);
        crc_of(&digest)
    }
}

/// Appends a frame to `buffer`, whose first byte lies at `base` of the segment, and answers how many bytes it takes.
/// The payload is what `write` appends.
pub(crate) fn encode(
    buffer: &mut Vec<u8>,
    base: u64,
    salt: Salt,
    kind: FrameKind,
    synced: u64,
    write: impl FnOnce(&mut Vec<u8>),
) -> usize {
    let start = buffer.len();
    let offset = base + start as u64;
    debug_assert_eq!(offset % FRAME_ALIGNMENT, 0, "frames are aligned");
    buffer.resize(start + FRAME_HEADER_BYTES, 0);
    write(buffer);
    let payload_length = buffer.len() - start - FRAME_HEADER_BYTES;
    assert!(
        payload_length <= PAYLOAD_BYTES_MAX,
        "no entry is longer: bodies, heads and plans are bounded"
    );
    let mut header = [0; FRAME_HEADER_BYTES];
    header[..4].copy_from_slice(&salt.mark());
    header[4] = kind.to_byte();
    header[8..12].copy_from_slice(&(payload_length as u32).to_le_bytes());
    header[16..].copy_from_slice(&synced.to_le_bytes());
    let checksum = salt.checksum(offset, &header, &buffer[start + FRAME_HEADER_BYTES..]);
    header[12..16].copy_from_slice(&checksum.to_le_bytes());
    buffer[start..start + FRAME_HEADER_BYTES].copy_from_slice(&header);
    buffer.resize(start + frame_length(payload_length), 0);
    buffer.len() - start
}

/// Bytes a frame with a payload of this length takes.
pub(crate) const fn frame_length(payload_length: usize) -> usize {
    (FRAME_HEADER_BYTES + payload_length).next_multiple_of(FRAME_ALIGNMENT as usize)
}

/// The frame that begins where `bytes` begin, at `offset` of the segment.
pub(crate) fn decode(bytes: &[u8], offset: u64, salt: Salt) -> Result<Frame<'_>, NoFrame> {
    let Some(header) = bytes.first_chunk::<FRAME_HEADER_BYTES>() else {
        return Err(NoFrame::NeedMore(FRAME_HEADER_BYTES));
    };
    let payload_length = u32_at(header, 8) as usize;
    let synced = synced_of(header);
    let kind = FrameKind::from_byte(header[4]).ok_or(NoFrame::Invalid)?;
    if header[..4] != salt.mark() || header[5..8] != [0; 3] || payload_length > PAYLOAD_BYTES_MAX {
        return Err(NoFrame::Invalid);
    }
    let length = frame_length(payload_length);
    if bytes.len() < length {
        return Err(NoFrame::NeedMore(length));
    }
    let (payload, padding) = bytes[FRAME_HEADER_BYTES..length].split_at(payload_length);
    if salt.checksum(offset, header, payload) != u32_at(header, 12) || padding.iter().any(|byte| *byte != 0) {
        return Err(NoFrame::Invalid);
    }
    Ok(Frame {
        kind,
        synced,
        payload,
        length,
    })
}

/// The frame of `length` bytes that was decoded at this place before: its checksum is not looked at again.
pub(crate) fn decoded_before(bytes: &[u8], length: usize) -> Option<Frame<'_>> {
    let header = bytes.get(..FRAME_HEADER_BYTES)?;
    let payload = FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + u32_at(header, 8) as usize;
    Some(Frame {
        kind: FrameKind::from_byte(header[4])?,
        synced: synced_of(header),
        payload: bytes.get(payload)?,
        length,
    })
}

/// What a frame that begins with these bytes bears as `synced`.
pub(crate) fn synced_of(header: &[u8]) -> u64 {
    u64::from_le_bytes(header[16..FRAME_HEADER_BYTES].try_into().expect("8 bytes"))
}

/// How long the frame would be that begins with these bytes, by its own words, though it is none; 0 where these are no words.
pub(crate) fn claimed_length(bytes: &[u8]) -> usize {
    let payload_length = bytes
        .first_chunk::<FRAME_HEADER_BYTES>()
        .map(|header| u32_at(header, 8));
    let payload_length = payload_length.map_or(usize::MAX, |length| length as usize);
    match payload_length <= PAYLOAD_BYTES_MAX {
        true => frame_length(payload_length),
        false => 0,
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"))
}

/// A CRC of 32 bits is handed out in the low half of 64.
fn crc_of(digest: &Digest) -> u32 {
    u32::try_from(digest.clone().finalize()).expect("CRC-32C has 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(base: u64, salt: [u8; 16], synced: u64, payload: &[u8]) -> Vec<u8> {
        let mut buffer = Vec::new();
        encode(
            &mut buffer,
            base,
            Salt::new(salt),
            FrameKind::Ping,
            synced,
            |out| out.extend_from_slice(payload),
        );
        buffer
    }

    proptest! {
        #[test]
        fn a_frame_is_read_back_as_it_was_written(
            salt: [u8; 16], place in 0..1_u64 << 40, synced: u64, payload: Vec<u8>,
        ) {
            let bytes = encoded(place * 8, salt, synced, &payload);
            let frame = decode(&bytes, place * 8, Salt::new(salt)).expect("whole");
            prop_assert_eq!(frame, Frame {
                kind: FrameKind::Ping, synced, payload: &payload, length: bytes.len(),
            });
        }

        #[test]
        fn any_bytes_are_no_frame_and_no_panic(salt: [u8; 16], mut bytes: Vec<u8>, marked: bool) {
            if marked && bytes.len() >= 8 {
                bytes[..4].copy_from_slice(&Salt::new(salt).mark());
                bytes[4..8].copy_from_slice(&[2, 0, 0, 0]);
            }
            prop_assert!(decode(&bytes, 0, Salt::new(salt)).is_err());
        }

        #[test]
        fn a_frame_of_another_place_or_segment_never_passes(
            salt: [u8; 16], other: [u8; 16], payload: Vec<u8>, place in 1..1_u64 << 40,
        ) {
            prop_assume!(salt != other);
            let bytes = encoded(8 * place, salt, 0, &payload);
            prop_assert_eq!(decode(&bytes, 0, Salt::new(salt)), Err(NoFrame::Invalid));
            prop_assert_eq!(decode(&bytes, 8 * place, Salt::new(other)), Err(NoFrame::Invalid));
        }
    }

    #[test]
    fn the_mark_tells_all_that_the_salt_adds_to_a_checksum() {
        // The polynomial of CRC-32C, lowest bit first: no checksum changes with these bits.
        let unseen = (1 | 0x82f6_3b78_u64 << 1).to_le_bytes();
        let (salt, mut other) = ([7; 16], [7; 16]);
        for (byte, flips) in other.iter_mut().zip(unseen) {
            *byte ^= flips;
        }
        assert_ne!(salt, other);
        assert_eq!(Salt::new(salt).mark(), Salt::new(other).mark());
        let bytes = encoded(64, salt, 32, b"the payload of a frame");
        assert!(decode(&bytes, 64, Salt::new(other)).is_ok());
    }

    #[test]
    fn a_flip_of_any_bit_is_found() {
        let bytes = encoded(64, [7; 16], 32, b"the payload of a frame");
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&flipped, 64, Salt::new([7; 16])).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_cut_frame_asks_for_the_rest() {
        let bytes = encoded(64, [7; 16], 32, b"the payload of a frame");
        for cut in 0..bytes.len() {
            let needed = if cut < FRAME_HEADER_BYTES {
                FRAME_HEADER_BYTES
            } else {
                bytes.len()
            };
            assert_eq!(
                decode(&bytes[..cut], 64, Salt::new([7; 16])),
                Err(NoFrame::NeedMore(needed))
            );
        }
    }
}

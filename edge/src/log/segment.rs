//! A segment: one file of the log. Its name, its header, and reading its frames back, with damage told from a torn tail.
//!
//! ```text
//! offset 0   "HWLOG" 0 | format version u16 | salt, 16 bytes | CRC-32C of these 24 bytes, u32 | 0 0 0 0
//! offset 32  the State frame, then frames one after the other; up to the end of the file zeros, or what
//!            lay there before: another salt makes that void
//! ```
//! All numbers are little-endian. What does not live here: what the frames mean.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crc_fast::{CrcAlgorithm, checksum};
use disk::File;

use super::frame::{self, FRAME_ALIGNMENT, FRAME_HEADER_BYTES, Frame, NoFrame, Salt};

/// Bytes before the first frame.
pub(crate) const SEGMENT_HEADER_BYTES: u64 = 32;

const HEADER_BYTES: usize = SEGMENT_HEADER_BYTES as usize;

/// The header's bytes that mean something: the last four are zeros that nobody looks at.
const HEADER_CHECKED_BYTES: usize = 28;

/// The version of segments written here. A program refuses segments of a newer one, and reads the older ones: version 1
/// had no copies.
pub(crate) const SEGMENT_VERSION: u16 = 2;

/// The oldest version that is read.
const SEGMENT_VERSION_OLDEST: u16 = 1;

/// Read at once, at least; and what a reader keeps in memory, as long as no frame is larger.
const WINDOW_BYTES: usize = 1 << 20;

/// No more of what lies behind the last frame is kept: commit groups take half of this, but for one of very long pings.
const TAIL_BYTES_MAX: u64 = 16 << 20;

/// And no less of the last frame there, for its length may be what is wrong.
const TAIL_BYTES_MIN: u64 = 64 << 10;

const MAGIC: [u8; 6] = *b"HWLOG\0";

/// What a segment's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// The segment's salt.
    pub(crate) salt: Salt,
    /// Whether one bit of it had flipped, which its checksum found.
    pub(crate) mended: bool,
}

/// Why a file's beginning is no segment header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// The bytes are none.
    Damaged,
    /// A header of a version that is not known here.
    Newer(u16),
}

/// What stands at a place of a segment.
#[derive(Debug)]
pub(crate) enum Entry<'a> {
    /// A frame.
    Frame {
        /// Where it begins.
        offset: u64,
        /// The frame.
        frame: Frame<'a>,
    },
    /// Bytes that were synced and are no frames any more.
    Damage(Range<u64>),
}

/// Reads a segment's frames in order, a window at a time.
#[derive(Debug)]
pub(crate) struct SegmentReader<'f> {
    window: Window<'f>,
    salt: Salt,
    offset: u64,
    synced: u64,
    limit: u64,
}

/// The path of the segment with this number.
pub(crate) fn path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:016}.log"))
}

/// The number of the segment with this path, if it is one of a segment.
pub(crate) fn number(path: &Path) -> Option<u32> {
    let stem = path.file_name()?.to_str()?.strip_suffix(".log")?;
    (stem.len() == 16 && stem.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| stem.parse().ok())
        .flatten()
}

/// The header of a segment with this salt.
pub(crate) fn encode_header(salt: Salt) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..6].copy_from_slice(&MAGIC);
    header[6..8].copy_from_slice(&SEGMENT_VERSION.to_le_bytes());
    header[8..24].copy_from_slice(salt.bits());
    let checksum = header_checksum(&header);
    header[24..28].copy_from_slice(&checksum.to_le_bytes());
    header
}

/// What the segment says that begins with these bytes. A header of which one bit flipped is read as it was written: no
/// frame of a segment can be read without its salt. Two whole headers differ in six bits or more, as CRC-32C tells that
/// many apart at this length, so no more than one is so near. A header with two to four flips is never taken for another.
pub(crate) fn decode_header(bytes: &[u8]) -> Result<Header, HeaderError> {
    let found = bytes.first_chunk::<HEADER_BYTES>().ok_or(HeaderError::Damaged)?;
    if is_whole(found) {
        return of_whole(found, false);
    }
    let mut flipped = (0..HEADER_CHECKED_BYTES * 8).map(|bit| {
        let mut header = *found;
        header[bit / 8] ^= 1 << (bit % 8);
        header
    });
    match flipped.find(is_whole) {
        Some(header) => of_whole(&header, true),
        None => Err(HeaderError::Damaged),
    }
}

fn is_whole(header: &[u8; HEADER_BYTES]) -> bool {
    header[..6] == MAGIC && header[24..28] == header_checksum(header).to_le_bytes()
}

fn of_whole(header: &[u8; HEADER_BYTES], mended: bool) -> Result<Header, HeaderError> {
    match u16::from_le_bytes([header[6], header[7]]) {
        SEGMENT_VERSION_OLDEST..=SEGMENT_VERSION => Ok(Header {
            salt: Salt::new(header[8..24].try_into().expect("16 bytes")),
            mended,
        }),
        other => Err(HeaderError::Newer(other)),
    }
}

fn header_checksum(header: &[u8; HEADER_BYTES]) -> u32 {
    u32::try_from(checksum(CrcAlgorithm::Crc32Iscsi, &header[..24])).expect("CRC-32C has 32 bits")
}

impl<'f> SegmentReader<'f> {
    /// Reads a segment that a later one follows, up to the length which that one vouches for.
    pub(crate) fn closed(file: &'f dyn File, salt: Salt, valid_length: u64) -> Self {
        Self {
            window: Window::new(file),
            salt,
            offset: SEGMENT_HEADER_BYTES,
            synced: valid_length,
            limit: valid_length,
        }
    }

    /// Reads the last segment: what its own frames vouch for, then on to the first byte that is in no frame.
    pub(crate) fn last(file: &'f dyn File, salt: Salt) -> io::Result<Self> {
        let mut reader = Self::closed(file, salt, file.len()?);
        reader.synced = reader.highest_synced()?.max(SEGMENT_HEADER_BYTES);
        Ok(reader)
    }

    /// Up to where the segment is vouched for: below it a byte in no frame is damage, above it the torn tail.
    pub(crate) const fn synced(&self) -> u64 {
        self.synced
    }

    /// Where reading stands; after the last entry, where the frames end.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// The next frame or damage; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Entry<'_>>> {
        if let Some(length) = self.frame_length_at(self.offset)? {
            let offset = self.offset;
            self.offset += length as u64;
            let bytes = self.window.read(offset, length)?;
            let frame =
                frame::decoded_before(bytes, length).expect("decoded just now, and kept in the window");
            return Ok(Some(Entry::Frame { offset, frame }));
        }
        if self.offset >= self.synced {
            return Ok(None);
        }
        let start = self.offset;
        self.offset = self.next_frame_after(start, self.synced)?.unwrap_or(self.synced);
        Ok(Some(Entry::Damage(start..self.offset)))
    }

    /// After the last entry: what was written to this segment behind it, and is no frame. Either a power cut tore its write,
    /// and then nobody was told of it, or it was whole and is damaged; nothing tells one from the other.
    pub(crate) fn torn_tail(&mut self) -> io::Result<Option<Range<u64>>> {
        let (start, mut end) = (self.offset, self.offset);
        let limit = self.limit.min(start + TAIL_BYTES_MAX);
        if self.is_marked_but_for_a_bit(start)? {
            end = self.claimed_end(start)?;
        }
        let mut from = start;
        while let Some(marked) = self.next_mark(from, limit)? {
            end = end.max(self.claimed_end(marked)?);
            from = marked + FRAME_ALIGNMENT;
        }
        let tail = start..end.min(limit);
        Ok((!tail.is_empty()).then_some(tail))
    }

    /// Whether the bytes here begin like a frame, one bit at most aside. What another segment left is far from that.
    fn is_marked_but_for_a_bit(&mut self, offset: u64) -> io::Result<bool> {
        let mark = u32::from_le_bytes(self.salt.mark());
        let found = self.window.read(offset, size_of::<u32>())?.try_into();
        Ok(found.is_ok_and(|found| (u32::from_le_bytes(found) ^ mark).count_ones() <= 1))
    }

    /// Where what begins here like a frame would end, by its own words.
    fn claimed_end(&mut self, offset: u64) -> io::Result<u64> {
        let length = frame::claimed_length(self.window.read(offset, FRAME_HEADER_BYTES)?) as u64;
        Ok(offset + length.max(TAIL_BYTES_MIN))
    }

    /// The greatest `synced` that any frame of the segment bears, wherever it lies.
    fn highest_synced(&mut self) -> io::Result<u64> {
        let (mut offset, mut highest) = (SEGMENT_HEADER_BYTES, 0);
        while let Some(start) = self.next_frame_from(offset, self.limit)? {
            let length = self.frame_length_at(start)?.expect("found just now");
            let bytes = self.window.read(start, FRAME_HEADER_BYTES)?;
            highest = highest.max(frame::synced_of(bytes));
            offset = start + length as u64;
        }
        Ok(highest.min(self.limit))
    }

    fn next_frame_after(&mut self, offset: u64, end: u64) -> io::Result<Option<u64>> {
        self.next_frame_from(offset + FRAME_ALIGNMENT, end)
    }

    /// Where the first frame at or after `offset` begins, below `end`.
    fn next_frame_from(&mut self, mut offset: u64, end: u64) -> io::Result<Option<u64>> {
        while offset < end {
            let Some(marked) = self.next_mark(offset, end)? else {
                return Ok(None);
            };
            if self.frame_length_at(marked)?.is_some() {
                return Ok(Some(marked));
            }
            offset = marked + FRAME_ALIGNMENT;
        }
        Ok(None)
    }

    /// The first aligned place at or after `offset` whose bytes begin like a frame.
    fn next_mark(&mut self, mut offset: u64, end: u64) -> io::Result<Option<u64>> {
        let mark = self.salt.mark();
        while offset < end {
            let bytes = self.window.read(offset, FRAME_HEADER_BYTES)?;
            if bytes.len() < FRAME_HEADER_BYTES {
                return Ok(None);
            }
            let whole = self.window.rest(offset);
            let step = FRAME_ALIGNMENT as usize;
            match whole.chunks_exact(step).position(|place| place[..4] == mark) {
                Some(index) => return Ok(Some(offset + (index * step) as u64).filter(|found| *found < end)),
                None => offset += (whole.len() / step * step).max(step) as u64,
            }
        }
        Ok(None)
    }

    /// The length of the frame at `offset`, if there is one that ends within the limit.
    fn frame_length_at(&mut self, offset: u64) -> io::Result<Option<usize>> {
        let mut wanted = FRAME_HEADER_BYTES;
        loop {
            if offset + wanted as u64 > self.limit {
                return Ok(None);
            }
            match frame::decode(self.window.read(offset, wanted)?, offset, self.salt) {
                Ok(frame) => return Ok(Some(frame.length)),
                Err(NoFrame::NeedMore(more)) if more > wanted => wanted = more,
                Err(_) => return Ok(None),
            }
        }
    }
}

/// Some consecutive bytes of a file, in memory.
#[derive(Debug)]
struct Window<'f> {
    file: &'f dyn File,
    start: u64,
    /// Room for a window; its first `held` bytes are the file's.
    room: Vec<u8>,
    held: usize,
}

impl<'f> Window<'f> {
    const fn new(file: &'f dyn File) -> Self {
        Self {
            file,
            start: 0,
            room: Vec::new(),
            held: 0,
        }
    }

    /// The bytes from `offset`, `length` of them; less only where the file ends.
    fn read(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let inside = offset >= self.start && offset + length as u64 <= self.start + self.held as u64;
        if !inside {
            let wanted = length.max(WINDOW_BYTES);
            if self.room.len() < wanted {
                // Zeroed memory as the system has it: most logs fill little of a window.
                self.room = vec![0; wanted];
            }
            self.held = 0;
            self.held = self.file.read_at(&mut self.room[..wanted], offset)?;
            self.start = offset;
        }
        let rest = self.rest(offset);
        Ok(&rest[..rest.len().min(length)])
    }

    /// The bytes from `offset` to the window's end.
    fn rest(&self, offset: u64) -> &[u8] {
        let skip = usize::try_from(offset.saturating_sub(self.start)).unwrap_or(usize::MAX);
        &self.room[skip.min(self.held)..self.held]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::frame::{FrameKind, encode};
    use proptest::prelude::*;

    /// A file that cannot be written to.
    #[derive(Debug)]
    struct Bytes(Vec<u8>);

    impl File for Bytes {
        fn write_all_at(&self, _: &[u8], _: u64) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let rest = &self.0[(offset as usize).min(self.0.len())..];
            let read = rest.len().min(buffer.len());
            buffer[..read].copy_from_slice(&rest[..read]);
            Ok(read)
        }

        fn sync(&self) -> io::Result<()> {
            Ok(())
        }

        fn allocate(&self, _: u64) -> io::Result<()> {
            Ok(())
        }

        fn set_len(&self, _: u64) -> io::Result<()> {
            Ok(())
        }

        fn identity(&self) -> io::Result<disk::FileIdentity> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn len(&self) -> io::Result<u64> {
            Ok(self.0.len() as u64)
        }
    }

    const SALT: [u8; 16] = *b"a segment's salt";

    /// A segment of commit groups, and where each frame ends.
    fn segment(groups: &[Vec<Vec<u8>>], zeros: usize) -> (Vec<u8>, Vec<u64>) {
        let salt = Salt::new(SALT);
        let mut bytes = encode_header(salt).to_vec();
        let (mut ends, mut synced) = (Vec::new(), SEGMENT_HEADER_BYTES);
        for group in groups {
            for payload in group {
                encode(&mut bytes, 0, salt, FrameKind::Ping, synced, |out| {
                    out.extend_from_slice(payload);
                });
                ends.push(bytes.len() as u64);
            }
            synced = bytes.len() as u64;
        }
        bytes.resize(bytes.len() + zeros, 0);
        (bytes, ends)
    }

    /// The payloads, and the damage.
    fn read(reader: &mut SegmentReader<'_>) -> (Vec<Vec<u8>>, Vec<Range<u64>>) {
        let (mut payloads, mut damage) = (Vec::new(), Vec::new());
        while let Some(entry) = reader.next().expect("readable") {
            match entry {
                Entry::Frame { frame, .. } => payloads.push(frame.payload.to_vec()),
                Entry::Damage(range) => damage.push(range),
            }
        }
        (payloads, damage)
    }

    fn read_last(bytes: Vec<u8>) -> (Vec<Vec<u8>>, Vec<Range<u64>>) {
        let file = Bytes(bytes);
        read(&mut SegmentReader::last(&file, Salt::new(SALT)).expect("readable"))
    }

    fn groups() -> Vec<Vec<Vec<u8>>> {
        vec![
            vec![vec![1; 30], vec![2; 5]],
            vec![vec![3; 100]],
            vec![vec![4; 8], vec![5; 9], vec![]],
        ]
    }

    #[test]
    fn a_header_is_read_back_through_any_one_flip_and_two_are_found() {
        let header = encode_header(Salt::new(SALT));
        let read = |mended| {
            Ok(Header {
                salt: Salt::new(SALT),
                mended,
            })
        };
        let flip = |bytes: &mut [u8], bit: usize| bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(decode_header(&header), read(false));
        for bit in 0..32 * 8 {
            let mut flipped = header;
            flip(&mut flipped, bit);
            assert_eq!(decode_header(&flipped), read(bit < 28 * 8), "bit {bit}");
            for other in (0..28 * 8)
                .filter(|other| *other != bit && bit < 28 * 8)
                .step_by(7)
            {
                let mut twice = flipped;
                flip(&mut twice, other);
                assert_eq!(
                    decode_header(&twice),
                    Err(HeaderError::Damaged),
                    "bits {bit} and {other}"
                );
            }
        }
        for length in 0..header.len() {
            assert_eq!(decode_header(&header[..length]), Err(HeaderError::Damaged));
        }
        let of_version = |version| {
            let mut header = header;
            header[6] = version;
            let checksum = header_checksum(&header);
            header[24..28].copy_from_slice(&checksum.to_le_bytes());
            decode_header(&header)
        };
        assert_eq!(of_version(1), read(false));
        for unknown in [0, 3] {
            assert_eq!(of_version(unknown), Err(HeaderError::Newer(unknown.into())));
        }
    }

    #[test]
    fn a_segment_is_named_by_its_number() {
        assert_eq!(path(Path::new("log"), 7), Path::new("log/0000000000000007.log"));
        assert_eq!(number(Path::new("log/0000000000000007.log")), Some(7));
        for other in [
            "log/7.log",
            "log/spare",
            "log/000000000000000x.log",
            "log/9999999999999999.log",
        ] {
            assert_eq!(number(Path::new(other)), None, "{other}");
        }
    }

    #[test]
    fn a_torn_tail_is_cut_at_every_byte() {
        let payloads: Vec<_> = groups().concat();
        let (bytes, ends) = segment(&groups(), 64);
        // The last group's frames say that the first three frames were synced.
        for cut in ends[2] as usize..bytes.len() {
            for filled in [false, true] {
                let mut torn = bytes[..cut].to_vec();
                torn.resize(if filled { bytes.len() } else { cut }, 0);
                // The last frame has no payload and ends in header bytes that are never all zero.
                let whole = ends.iter().filter(|end| **end as usize <= cut).count();
                let (read, damage) = read_last(torn);
                assert!(damage.is_empty(), "cut at {cut}");
                assert!(read.len() >= whole && payloads.starts_with(&read), "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_hole_below_what_was_synced_is_damage_and_reading_goes_on_behind_it() {
        let payloads: Vec<_> = groups().concat();
        let (bytes, ends) = segment(&groups(), 64);
        for frame in 0..3 {
            let mut holed = bytes.clone();
            let start = if frame == 0 {
                SEGMENT_HEADER_BYTES
            } else {
                ends[frame - 1]
            };
            holed[start as usize..ends[frame] as usize].fill(0);
            let (read, damage) = read_last(holed);
            assert_eq!(damage, vec![start..ends[frame]]);
            let mut rest = payloads.clone();
            rest.remove(frame);
            assert_eq!(read, rest);
        }
    }

    #[test]
    fn a_hole_above_what_was_synced_is_a_torn_tail() {
        let payloads: Vec<_> = groups().concat();
        let (mut bytes, ends) = segment(&groups(), 64);
        bytes[ends[3] as usize] ^= 1;
        assert_eq!(read_last(bytes), (payloads[..4].to_vec(), vec![]));
    }

    #[test]
    fn a_tail_is_what_was_written_behind_the_last_frame_and_never_what_lay_there_before() {
        let tail_of = |bytes: Vec<u8>| {
            let file = Bytes(bytes);
            let mut reader = SegmentReader::last(&file, Salt::new(SALT)).expect("readable");
            read(&mut reader);
            reader.torn_tail().expect("readable")
        };
        let (bytes, ends) = segment(&groups(), 64);
        let whole = bytes.len() as u64;
        assert_eq!(tail_of(bytes.clone()), None, "zeros");
        for frame in 3..6 {
            for bit in 0..(ends[frame] - ends[frame - 1]) * 8 {
                let mut flipped = bytes.clone();
                flipped[(ends[frame - 1] + bit / 8) as usize] ^= 1 << (bit % 8);
                assert_eq!(
                    tail_of(flipped),
                    Some(ends[frame - 1]..whole),
                    "frame {frame}, bit {bit}"
                );
            }
        }
        let mut reused = bytes;
        let salt = Salt::new([9; 16]);
        for _ in 0..100 {
            let base = reused.len() as u64;
            let mut old = Vec::new();
            encode(&mut old, base, salt, FrameKind::Ping, 0, |out| out.push(1));
            reused.extend(old);
        }
        assert_eq!(tail_of(reused), None, "what an earlier segment left");
    }

    #[test]
    fn what_lies_behind_the_length_a_later_segment_vouches_for_is_void() {
        let payloads: Vec<_> = groups().concat();
        let (bytes, ends) = segment(&groups(), 64);
        for (frames, end) in ends.iter().enumerate() {
            let file = Bytes(bytes.clone());
            let mut reader = SegmentReader::closed(&file, Salt::new(SALT), *end);
            assert_eq!(read(&mut reader), (payloads[..=frames].to_vec(), vec![]));
        }
        let file = Bytes(bytes[..ends[3] as usize].to_vec());
        let mut reader = SegmentReader::closed(&file, Salt::new(SALT), ends[5]);
        assert_eq!(
            read(&mut reader),
            (
                payloads[..4].to_vec(),
                std::iter::once(ends[3]..ends[5]).collect()
            )
        );
    }

    #[test]
    fn a_body_that_holds_frames_of_another_place_or_segment_never_passes() {
        // The attacker guesses the salt: only the offset is wrong.
        for salt in [SALT, [9; 16]] {
            let mut body = Vec::new();
            for _ in 0..4 {
                encode(
                    &mut body,
                    1 << 20,
                    Salt::new(salt),
                    FrameKind::Done,
                    1 << 30,
                    |out| out.push(1),
                );
            }
            let (mut bytes, ends) = segment(&[vec![body.clone()], vec![body]], 8);
            bytes[ends[0] as usize] ^= 1;
            let (read, damage) = read_last(bytes);
            assert_eq!(
                (read.len(), damage),
                (1, vec![]),
                "the second frame is torn, and nothing inside it passes"
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(mut tail: Vec<u8>, cuts in proptest::collection::vec(0..600_usize, 0..4)) {
            let (mut bytes, _) = segment(&groups(), 0);
            for cut in cuts {
                let at = cut % bytes.len();
                bytes[at] ^= 0x5a;
            }
            bytes.append(&mut tail);
            read_last(bytes.clone());
            let file = Bytes(bytes);
            read(&mut SegmentReader::closed(&file, Salt::new(SALT), 1_000));
        }
    }
}

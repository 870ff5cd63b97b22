//! Where an entry lies in the log: all that is kept in memory of a waiting ping.

use super::frame::FRAME_ALIGNMENT;

/// The place of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// The segment's number.
    pub(crate) segment: u32,
    /// The offset in it, in units of the alignment.
    place: u32,
    /// Bytes of the frame.
    pub(crate) length: u32,
}

/// The budget in number of waiting pings rests on this.
const _: () = assert!(size_of::<Position>() == 12);

impl Position {
    /// The place of a frame of `length` bytes at `offset` of a segment.
    pub(crate) fn new(segment: u32, offset: u64, length: usize) -> Self {
        Self {
            segment,
            place: u32::try_from(offset / FRAME_ALIGNMENT).expect("segments are shorter than 32 GiB"),
            length: u32::try_from(length).expect("frames are shorter than 4 GiB"),
        }
    }

    /// The frame's offset in its segment.
    pub(crate) const fn offset(self) -> u64 {
        self.place as u64 * FRAME_ALIGNMENT
    }
}

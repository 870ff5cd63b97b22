//! A file without its names: what the platter holds, what the page cache shows, and the changes between the two.
//!
//! A write is cut at multiples of 512 bytes, a disk's sector, and each piece may reach the platter or not, by itself. So may
//! each growth of the length. Two changes of one place keep their order: the page cache holds only the newer.

use rand::{Rng, RngExt};

use super::content::Content;

const SECTOR_BYTES: u64 = 512;

/// One thing that reaches the platter whole or not at all.
#[derive(Clone, Debug)]
enum Change {
    Bytes { offset: u64, bytes: Box<[u8]> },
    Grow(u64),
    SetLen(u64),
}

impl Change {
    fn apply(&self, content: &mut Content) {
        match self {
            Self::Bytes { offset, bytes } => content.write(bytes, *offset),
            Self::Grow(len) => content.grow(*len),
            Self::SetLen(len) => content.set_len(*len),
        }
    }
}

/// A file without its names.
#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    durable: Content,
    cached: Content,
    unsynced: Vec<Change>,
    /// Whether bytes were taken for which there was no room: the next sync finds that.
    unplaced: bool,
}

impl Inode {
    pub(super) const fn len(&self) -> u64 {
        self.cached.len()
    }

    pub(super) fn read(&self, buffer: &mut [u8], offset: u64) -> usize {
        self.cached.read(buffer, offset)
    }

    pub(super) fn write(&mut self, mut bytes: &[u8], mut offset: u64) {
        while !bytes.is_empty() {
            let to_boundary = SECTOR_BYTES - offset % SECTOR_BYTES;
            let take = usize::try_from(to_boundary).map_or(bytes.len(), |room| room.min(bytes.len()));
            let (piece, rest) = bytes.split_at(take);
            let end = offset + take as u64;
            if end > self.len() {
                self.grow(end);
            }
            self.change(Change::Bytes {
                offset,
                bytes: piece.into(),
            });
            (offset, bytes) = (end, rest);
        }
    }

    /// Makes the file at least this long.
    pub(super) fn grow(&mut self, len: u64) {
        self.change(Change::Grow(len));
    }

    /// Makes the file exactly this long.
    pub(super) fn set_len(&mut self, len: u64) {
        self.change(Change::SetLen(len));
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.cached);
        self.unsynced.push(change);
    }

    pub(super) fn sync(&mut self) {
        // Not a copy of the page cache: what a failed sync let go is clean there, and is not written now.
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// A sync that fails: some of the changes reached the platter, and none is tried again.
    pub(super) fn fail_sync(&mut self, rng: &mut impl Rng) {
        self.durable = self.survivor(rng, 0.5);
        self.unsynced.clear();
    }

    /// The file as found after a power cut.
    pub(super) fn after_power_cut(&self, rng: &mut impl Rng, chance: f64) -> Self {
        let durable = self.survivor(rng, chance);
        Self {
            cached: durable.clone(),
            durable,
            unsynced: Vec::new(),
            unplaced: false,
        }
    }

    /// Notes whether bytes were taken for which there was no room.
    pub(super) const fn set_unplaced(&mut self, unplaced: bool) {
        self.unplaced |= unplaced;
    }

    /// Whether bytes were taken for which there was no room, since the last sync.
    pub(super) const fn take_unplaced(&mut self) -> bool {
        std::mem::replace(&mut self.unplaced, false)
    }

    fn survivor(&self, rng: &mut impl Rng, chance: f64) -> Content {
        let mut content = self.durable.clone();
        for change in &self.unsynced {
            if rng.random_bool(chance) {
                change.apply(&mut content);
            }
        }
        content.trim();
        content
    }
}

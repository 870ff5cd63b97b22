//! Which segments of the log the waiting pings of open chunks lie in, by bytes. Pure.

use std::collections::BTreeMap;

use crate::log::position::Position;

/// Bytes of waiting pings by segment.
#[derive(Debug, Default)]
pub(crate) struct SegmentBytes {
    bytes: BTreeMap<u32, u64>,
    newest: u32,
}

impl SegmentBytes {
    /// Adds pings.
    pub(crate) fn add(&mut self, positions: &[Position]) {
        for position in positions {
            *self.bytes.entry(position.segment).or_insert(0) += u64::from(position.length);
            self.newest = self.newest.max(position.segment);
        }
    }

    /// Takes pings away that were added.
    pub(crate) fn remove(&mut self, positions: &[Position]) {
        for position in positions {
            if let Some(bytes) = self.bytes.get_mut(&position.segment) {
                *bytes -= u64::from(position.length);
                if *bytes == 0 {
                    self.bytes.remove(&position.segment);
                }
            }
        }
    }

    /// The oldest segment with such pings, and their bytes.
    pub(crate) fn oldest(&self) -> Option<(u32, u64)> {
        self.bytes
            .first_key_value()
            .map(|(segment, bytes)| (*segment, *bytes))
    }

    /// The newest segment that any ping lay in; 0 before the first.
    pub(crate) const fn newest(&self) -> u32 {
        self.newest
    }
}

/// The oldest segment that these pings lie in; `u32::MAX` when there are none.
pub(crate) fn oldest_of(positions: &[Position]) -> u32 {
    positions
        .iter()
        .map(|position| position.segment)
        .min()
        .unwrap_or(u32::MAX)
}

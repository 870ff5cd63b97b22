//! Copies that counted and cannot be read again: for an hour nothing of where they lie is tried. Pure: it is told the time.
//!
//! Kept in memory only. After a restart it is tried again, which costs a few reads and changes no answer.

use std::collections::HashMap;
use std::time::Duration;

use ping::ChunkId;

use crate::copies::RecordPosition;

/// How long what could not be read is not tried again.
const UNTRIED: Duration = Duration::from_secs(3_600);

/// Stretches that are known by name: some MB. Beyond it every stored copy counts as one that cannot be read, for an hour.
const STRETCHES_MAX: usize = 100_000;

/// Neighbouring records of a chunk: one of them, those of a data frame, or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The first one's position.
    pub(crate) first: u32,
    /// The last one's position.
    pub(crate) last: u32,
}

impl Stretch {
    /// All records of a chunk.
    pub(crate) const ALL: Self = Self {
        first: 0,
        last: u32::MAX,
    };

    /// One record.
    pub(crate) const fn one(position: u32) -> Self {
        Self {
            first: position,
            last: position,
        }
    }

    const fn holds(self, position: u32) -> bool {
        self.first <= position && position <= self.last
    }
}

/// What cannot be read, and until when it is not tried.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unreadable {
    chunks: HashMap<ChunkId, Vec<(Stretch, Duration)>>,
    stretches: usize,
    /// When there are too many to be known by name.
    everything: Option<Duration>,
}

impl Unreadable {
    /// Notes that these records of a chunk cannot be read.
    pub(crate) fn note(&mut self, chunk: ChunkId, stretch: Stretch, now: Duration) {
        let until = now.saturating_add(UNTRIED);
        if self.stretches >= STRETCHES_MAX {
            self.everything = Some(until);
            return;
        }
        self.stretches += 1;
        self.chunks.entry(chunk).or_default().push((stretch, until));
    }

    /// Whether the record at this place is not to be tried.
    pub(crate) fn holds(&self, place: RecordPosition) -> bool {
        let is_held = |stretches: &Vec<(Stretch, Duration)>| {
            let mut stretches = stretches.iter();
            stretches.any(|(stretch, _)| stretch.holds(place.position))
        };
        self.everything.is_some() || self.chunks.get(&place.chunk).is_some_and(is_held)
    }

    /// Forgets what is to be tried again by now.
    pub(crate) fn forget_older(&mut self, now: Duration) {
        self.everything = self.everything.filter(|until| *until > now);
        self.chunks.retain(|_, stretches| {
            stretches.retain(|(_, until)| *until > now);
            !stretches.is_empty()
        });
        self.stretches = self.chunks.values().map(Vec::len).sum();
    }

    /// Whether there is nothing that is not to be tried.
    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.everything.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ping::Incarnation;

    fn chunk(plan: u64) -> ChunkId {
        ChunkId {
            incarnation: Incarnation::from_bytes([1; 16]),
            boot: 1,
            plan,
        }
    }

    fn place(plan: u64, position: u32) -> RecordPosition {
        RecordPosition {
            chunk: chunk(plan),
            position,
        }
    }

    #[test]
    fn what_cannot_be_read_is_tried_again_after_an_hour() {
        let mut unreadable = Unreadable::default();
        assert!(unreadable.is_empty() && !unreadable.holds(place(1, 0)));
        let minute = Duration::from_secs(60);
        unreadable.note(chunk(1), Stretch { first: 3, last: 5 }, minute);
        unreadable.note(chunk(2), Stretch::ALL, 2 * minute);
        unreadable.note(chunk(3), Stretch::one(7), 2 * minute);
        let held = |unreadable: &Unreadable| {
            [
                place(1, 2),
                place(1, 3),
                place(1, 5),
                place(1, 6),
                place(2, u32::MAX),
                place(3, 7),
                place(4, 0),
            ]
            .map(|place| unreadable.holds(place))
        };
        assert_eq!(held(&unreadable), [false, true, true, false, true, true, false]);
        unreadable.forget_older(61 * minute);
        assert_eq!(held(&unreadable), [false, false, false, false, true, true, false]);
        unreadable.forget_older(62 * minute);
        assert!(unreadable.is_empty() && held(&unreadable) == [false; 7]);
    }

    #[test]
    fn more_than_can_be_known_by_name_is_everything_and_memory_stays_bounded() {
        let mut unreadable = Unreadable::default();
        for position in 0..=STRETCHES_MAX as u32 {
            unreadable.note(chunk(position.into()), Stretch::one(position), Duration::ZERO);
        }
        assert!(unreadable.holds(place(u64::MAX, 9)));
        assert_eq!(unreadable.stretches, STRETCHES_MAX);
        unreadable.forget_older(UNTRIED);
        assert!(!unreadable.holds(place(u64::MAX, 9)) && unreadable.is_empty());
    }
}

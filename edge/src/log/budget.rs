//! The log's budget, taken before the work: bytes on disk and number of waiting pings.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

/// How full the log is and may be.
#[derive(Debug)]
pub(crate) struct LogBudget {
    bytes_max: u64,
    pings_max: u64,
    /// Bytes of frames in all segments.
    used: AtomicU64,
    /// Pings in no done plan.
    waiting: AtomicU64,
    /// Taken by submissions that are not yet in `used` and `waiting`.
    promised_bytes: AtomicU64,
    promised_pings: AtomicU64,
    /// Whether the next segment lies ready: without it only plans and done-marks are written.
    next_segment: AtomicU8,
    /// Whether the last write and sync worked.
    writable: AtomicBool,
}

/// Whether the next segment lies ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextSegment {
    /// It does.
    Ready,
    /// The disk has no room for it: the log counts as full.
    NoRoom,
    /// It cannot be made for another reason: the log cannot be written.
    Failed,
}

impl NextSegment {
    /// What follows from an error of making it.
    pub(crate) fn without(error: &io::Error) -> Self {
        match disk::is_want_of_room(error) {
            true => Self::NoRoom,
            false => Self::Failed,
        }
    }
}

/// Room for some pings, given back when dropped: then they are in the log, or they are not.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Arc<LogBudget>,
    bytes: u64,
    pings: u64,
}

impl LogBudget {
    /// A budget of which nothing is used. `bytes_max` and `pings_max` are for pings; what plans and done-marks need
    /// comes on top.
    pub(crate) fn new(bytes_max: u64, pings_max: u64) -> Arc<Self> {
        Arc::new(Self {
            bytes_max,
            pings_max,
            used: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
            promised_bytes: AtomicU64::new(0),
            promised_pings: AtomicU64::new(0),
            next_segment: AtomicU8::new(NextSegment::Ready as u8),
            writable: AtomicBool::new(true),
        })
    }

    /// Takes room for some pings, if there is any.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: u64, pings: u64) -> Option<Reservation> {
        let reservation = Reservation {
            budget: Arc::clone(self),
            bytes,
            pings,
        };
        let promised_bytes = self.promised_bytes.fetch_add(bytes, Ordering::SeqCst) + bytes;
        let promised_pings = self.promised_pings.fetch_add(pings, Ordering::SeqCst) + pings;
        let fits = self.spare_ready() && self.fits(promised_bytes, promised_pings);
        fits.then_some(reservation)
    }

    fn fits(&self, promised_bytes: u64, promised_pings: u64) -> bool {
        self.used() + promised_bytes <= self.bytes_max
            && self.waiting.load(Ordering::SeqCst) + promised_pings <= self.pings_max
    }

    /// Takes room for copies of pings that wait. Like plans they come on top of the budget, for they free more than they
    /// take.
    pub(crate) fn reserve_on_top(self: &Arc<Self>, bytes: u64) -> Option<Reservation> {
        self.promised_bytes.fetch_add(bytes, Ordering::SeqCst);
        let reservation = Reservation {
            budget: Arc::clone(self),
            bytes,
            pings: 0,
        };
        (!self.is_scarce()).then_some(reservation)
    }

    /// Whether a ping of so many bytes would find room now, where the log can be written. A small log counts as full when it
    /// has no room for one of an eighth of it, a segment's length.
    pub(crate) fn has_room(&self, bytes: u64) -> bool {
        let promised = (
            self.promised_bytes.load(Ordering::SeqCst),
            self.promised_pings.load(Ordering::SeqCst),
        );
        self.next_segment() != NextSegment::NoRoom
            && self.fits(promised.0 + bytes.min(self.bytes_max / 8), promised.1 + 1)
    }

    /// Bytes of frames that pings may take in all segments.
    pub(crate) const fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    /// Whether the last write and sync worked, and the last try to make the next segment, but for want of room.
    pub(crate) fn is_writable(&self) -> bool {
        self.writable.load(Ordering::SeqCst) && self.next_segment() != NextSegment::Failed
    }

    pub(crate) fn set_writable(&self, writable: bool) {
        self.writable.store(writable, Ordering::SeqCst);
    }

    /// Bytes of frames in all segments.
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::SeqCst)
    }

    /// Whether the next segment lies ready.
    pub(crate) fn spare_ready(&self) -> bool {
        self.next_segment() == NextSegment::Ready
    }

    /// Whether the next segment lies ready, or why not.
    pub(crate) fn next_segment(&self) -> NextSegment {
        match self.next_segment.load(Ordering::SeqCst) {
            ready if ready == NextSegment::Ready as u8 => NextSegment::Ready,
            room if room == NextSegment::NoRoom as u8 => NextSegment::NoRoom,
            _ => NextSegment::Failed,
        }
    }

    pub(crate) fn set_next_segment(&self, next: NextSegment) {
        self.next_segment.store(next as u8, Ordering::SeqCst);
    }

    pub(crate) fn set_used(&self, bytes: u64) {
        self.used.store(bytes, Ordering::SeqCst);
    }

    pub(crate) fn set_waiting(&self, pings: u64) {
        self.waiting.store(pings, Ordering::SeqCst);
    }

    /// Bytes that must leave the log, as counted in frames, until it is no more than four fifths full.
    pub(crate) fn bytes_over_pressure(&self) -> u64 {
        self.used().saturating_sub(self.bytes_max / 5 * 4)
    }

    /// Whether room is so scarce that there is none for copies: they and plans went a sixteenth over the budget already,
    /// or the disk has no room for the next segment.
    pub(crate) fn is_scarce(&self) -> bool {
        self.used() > self.bytes_max.saturating_add(self.bytes_max / 16)
            || !self.spare_ready()
            || !self.is_writable()
    }

    /// Pings that must leave the log until it is no more than four fifths full in number.
    pub(crate) fn pings_over_pressure(&self) -> u64 {
        self.waiting
            .load(Ordering::SeqCst)
            .saturating_sub(self.pings_max / 5 * 4)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.promised_bytes.fetch_sub(self.bytes, Ordering::SeqCst);
        self.budget.promised_pings.fetch_sub(self.pings, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{LOG_BYTES_MIN, USUAL_PING_BYTES};

    #[test]
    fn room_is_taken_before_the_work_and_comes_back() {
        let budget = LogBudget::new(1_000, 3);
        budget.set_used(400);
        let first = budget.reserve(500, 1).expect("room");
        assert!(budget.reserve(101, 1).is_none());
        let second = budget.reserve(100, 1).expect("room");
        drop(first);
        assert!(budget.reserve(1, 3).is_none(), "one too many");
        drop(second);
        assert!(budget.reserve(600, 3).is_some());
    }

    #[test]
    fn without_a_spare_segment_nothing_is_taken() {
        let budget = LogBudget::new(1_000, 3);
        for reason in [NextSegment::NoRoom, NextSegment::Failed] {
            budget.set_next_segment(reason);
            assert!(budget.reserve(1, 1).is_none());
            // One of both is told, never both.
            assert_eq!(budget.has_room(1), reason == NextSegment::Failed);
            assert_eq!(budget.is_writable(), reason == NextSegment::NoRoom);
        }
        budget.set_next_segment(NextSegment::Ready);
        assert!(budget.reserve(1, 1).is_some() && budget.has_room(1) && budget.is_writable());
    }

    #[test]
    fn the_smallest_log_counts_as_full_only_when_a_segments_length_is_left() {
        for bytes_max in [LOG_BYTES_MIN, 2 * LOG_BYTES_MIN, 1 << 30] {
            let budget = LogBudget::new(bytes_max, 3);
            let left = USUAL_PING_BYTES.min(bytes_max / 8);
            for used in [0, bytes_max / 10, bytes_max / 2, bytes_max - left] {
                budget.set_used(used);
                assert!(budget.has_room(USUAL_PING_BYTES), "{used} of {bytes_max}");
            }
            budget.set_used(bytes_max - left + 1);
            assert!(!budget.has_room(USUAL_PING_BYTES), "{bytes_max}");
        }
    }
}

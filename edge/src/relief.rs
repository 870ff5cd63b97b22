//! What is done when the log is pressed for room: seal, or copy stragglers forward. Pure: the policy alone.
//!
//! Room comes back by whole segments, oldest first. A segment that is nearly settled is pinned by the pings of rare
//! partitions; sealing these makes a tiny chunk each. So what little is left of it is copied to the newest segment, and
//! only where that does not pay, or room is scarce, partitions are sealed, the largest first.

/// How the log stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pressed {
    /// Bytes that must leave the log, beyond those of seals and copies under way.
    pub(crate) bytes_over: u64,
    /// Pings that must leave the log, beyond those of seals under way.
    pub(crate) pings_over: u64,
    /// Whether room is so scarce that none may go to copies.
    pub(crate) scarce: bool,
    /// How long a segment gets.
    pub(crate) segment_bytes: u64,
    /// The oldest segment with pings in open chunks, and their bytes.
    pub(crate) oldest: Option<(u32, u64)>,
    /// The newest segment.
    pub(crate) newest: u32,
    /// The oldest segment with pings of a seal or copy under way; `u32::MAX` when there is none.
    pub(crate) under_way: u32,
    /// The oldest segment with pings of a plan that cannot be put; `u32::MAX` when there is none.
    pub(crate) stuck: u32,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relief {
    /// Nothing, or nothing that would help.
    None,
    /// Seal the open chunk with the most pings.
    SealMost,
    /// Seal the largest open chunk with a ping in this segment.
    SealLargest(u32),
    /// Seal the largest open chunk with a ping in this segment, if it is [`worth_sealing`]; else copy the segment's
    /// pings forward.
    Thin(u32),
}

/// A segment is copied from when no more of it than one part in so many waits: then a byte of room that comes back costs
/// at most a third of a byte written, and at most a quarter of all that is written is copies.
const COPIED_PART: u64 = 4;

/// A chunk of so large a part of a segment is not tiny.
const SEALED_PART: u64 = 8;

/// What is to be done now.
pub(crate) fn relief(log: Pressed) -> Relief {
    if log.pings_over > 0 {
        return Relief::SealMost;
    }
    let Some((segment, waiting)) = log.oldest.filter(|_| log.bytes_over > 0) else {
        return Relief::None;
    };
    if log.stuck <= segment {
        // Segments go oldest first: nothing that could be sealed here frees one.
        return Relief::None;
    }
    if segment >= log.newest && log.under_way < u32::MAX {
        // All that is not under way came just now, or was copied.
        return Relief::None;
    }
    let thin = waiting <= log.segment_bytes / COPIED_PART && segment < log.newest;
    match thin && !log.scarce {
        false => Relief::SealLargest(segment),
        // It is freed no earlier than these end.
        true if log.under_way <= segment => Relief::None,
        true => Relief::Thin(segment),
    }
}

/// An open chunk with so many bytes in the log is sealed rather than copied from.
pub(crate) const fn worth_sealing(segment_bytes: u64) -> u64 {
    segment_bytes / SEALED_PART
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: Pressed = Pressed {
        bytes_over: 1,
        pings_over: 0,
        scarce: false,
        segment_bytes: 1_000,
        oldest: Some((3, 250)),
        newest: 9,
        under_way: u32::MAX,
        stuck: u32::MAX,
    };

    #[test]
    fn a_segment_of_which_little_waits_is_copied_from() {
        assert_eq!(relief(LOG), Relief::Thin(3));
        let full = Pressed {
            oldest: Some((3, 251)),
            ..LOG
        };
        assert_eq!(relief(full), Relief::SealLargest(3));
    }

    #[test]
    fn nothing_is_copied_when_room_is_scarce_or_within_a_segment() {
        let scarce = Pressed { scarce: true, ..LOG };
        assert_eq!(relief(scarce), Relief::SealLargest(3));
        let only = Pressed { newest: 3, ..LOG };
        assert_eq!(relief(only), Relief::SealLargest(3));
        assert_eq!(relief(Pressed { under_way: 1, ..only }), Relief::None);
    }

    #[test]
    fn a_segment_that_a_seal_holds_is_waited_for() {
        let held = Pressed { under_way: 3, ..LOG };
        assert_eq!(relief(held), Relief::None);
        assert_eq!(relief(Pressed { under_way: 4, ..LOG }), Relief::Thin(3));
        let scarce = Pressed { scarce: true, ..held };
        assert_eq!(relief(scarce), Relief::SealLargest(3));
    }

    #[test]
    fn behind_a_stuck_plan_nothing_is_sealed_for_room() {
        let stuck = Pressed {
            stuck: 3,
            scarce: true,
            ..LOG
        };
        assert_eq!(relief(stuck), Relief::None);
        assert_eq!(relief(Pressed { stuck: 4, ..LOG }), Relief::Thin(3));
        let many = Pressed {
            pings_over: 1,
            ..stuck
        };
        assert_eq!(relief(many), Relief::SealMost, "their number falls all the same");
    }

    #[test]
    fn without_pressure_nothing_is_done() {
        assert_eq!(relief(Pressed { bytes_over: 0, ..LOG }), Relief::None);
        assert_eq!(relief(Pressed { oldest: None, ..LOG }), Relief::None);
    }
}

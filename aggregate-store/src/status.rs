//! How many pings were folded, and what became of the others.

use std::collections::BTreeMap;

use ping::Timestamp;

/// Pings by what became of them. In a batch these are differences, which may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Pings that are in the cells.
    pub folded: i64,
    /// Copies that repeat another one, and so are not in the cells.
    pub repeated: i64,
    /// Pings of types that are stored and not folded.
    pub stored_only: i64,
    /// Pings that could not be folded.
    pub errored_pings: i64,
}

impl Counters {
    /// All of them together: every ping of what was folded is in one.
    pub fn accounted(&self) -> u64 {
        let parts = [self.folded, self.repeated, self.stored_only, self.errored_pings];
        u64::try_from(parts.iter().sum::<i64>()).unwrap_or(0)
    }
}

/// Everything counted since the store was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Pings by what became of them.
    pub counters: Counters,
    /// Errored pings by reason.
    pub errored_by_reason: BTreeMap<String, i64>,
    /// Parts of pings that the fold refused, by reason; the rest of such a ping counts.
    pub refused_by_reason: BTreeMap<String, i64>,
    /// The newest receive time among the pings of folded chunks.
    pub newest_received: Option<Timestamp>,
}

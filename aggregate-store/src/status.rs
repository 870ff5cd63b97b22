//! How many pings were folded, and what became of the others.

use std::collections::BTreeMap;

use ping::Timestamp;

use crate::{Listed, Source};

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
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.folded += other.folded;
        self.repeated += other.repeated;
        self.stored_only += other.stored_only;
        self.errored_pings += other.errored_pings;
    }

    /// Takes others away.
    pub fn subtract(&mut self, other: &Self) {
        self.folded -= other.folded;
        self.repeated -= other.repeated;
        self.stored_only -= other.stored_only;
        self.errored_pings -= other.errored_pings;
    }

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

/// What was counted of one source on one day. In a batch these are differences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceCounts {
    /// Pings by what became of them.
    pub counters: Counters,
    /// Errored pings by reason.
    pub errored_by_reason: BTreeMap<String, i64>,
    /// Refused parts by reason.
    pub refused_by_reason: BTreeMap<String, i64>,
}

impl SourceCounts {
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.counters.add(&other.counters);
        add_reasons(&mut self.errored_by_reason, &other.errored_by_reason, 1);
        add_reasons(&mut self.refused_by_reason, &other.refused_by_reason, 1);
    }

    /// Takes others away.
    pub fn subtract(&mut self, other: &Self) {
        self.counters.subtract(&other.counters);
        add_reasons(&mut self.errored_by_reason, &other.errored_by_reason, -1);
        add_reasons(&mut self.refused_by_reason, &other.refused_by_reason, -1);
    }
}

fn add_reasons(mine: &mut BTreeMap<String, i64>, theirs: &BTreeMap<String, i64>, sign: i64) {
    for (reason, count) in theirs {
        *mine.entry(reason.clone()).or_default() += sign * count;
    }
}

/// The pings of one source by what became of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePings {
    /// Where they came from.
    pub source: Source,
    /// What became of them.
    pub counters: Counters,
}

impl SourcePings {
    /// Those with the most pings, at most `limit`, ascending by source.
    pub(crate) fn largest(pings: BTreeMap<Source, Counters>, limit: usize) -> Listed<Self> {
        let mut all: Vec<Self> = pings
            .into_iter()
            .map(|(source, counters)| Self { source, counters })
            .collect();
        let left_out = all.len().saturating_sub(limit);
        if left_out > 0 {
            // Stable: of equals the first names stay.
            all.sort_by_key(|pings| std::cmp::Reverse(pings.counters.accounted()));
            all.truncate(limit);
            all.sort_by(|a, b| a.source.cmp(&b.source));
        }
        Listed {
            values: all,
            left_out: left_out as u64,
        }
    }
}

//! Entries and selections by chance, the same for the same seed.

use ping::{ChunkId, Dimension, Incarnation, OTHER, Partition, SubmissionDate, Timestamp, UNKNOWN};

use crate::{ChunkKey, ChunkKind, Condition, IndexEntry, Selection};

/// Values that are told apart by little.
const VALUES: [&str; 12] = [
    OTHER,
    UNKNOWN,
    "54",
    "54.0",
    "54.0a1",
    "540",
    "53.0.2",
    "5",
    "é54",
    "release",
    "esr%2F",
    "\u{10ffff}",
];

/// A generator of chance (SplitMix64: Steele, Lea, Flood 2014).
#[derive(Debug)]
pub struct Dice {
    state: u64,
    seed: u64,
}

impl Dice {
    /// The generator of this seed.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed, seed }
    }

    /// A number below `bound`.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// So many entries, no two of one key or id.
    pub fn entries(&mut self, count: u64) -> Vec<IndexEntry> {
        (1..=count).map(|plan| self.entry(plan)).collect()
    }

    /// Any selection over such entries.
    pub fn selection(&mut self) -> Selection {
        let conditions = (0..self.below(4)).map(|_| self.condition()).collect();
        let time = |dice: &mut Self| (dice.below(3) == 0).then(|| dice.time());
        Selection {
            conditions,
            received_from: time(self),
            received_before: time(self),
            kind: [None, Some(ChunkKind::Pings), Some(ChunkKind::Errors)][self.below(3) as usize],
        }
    }

    pub(super) fn entry(&mut self, plan: u64) -> IndexEntry {
        let (one, other) = (self.time(), self.time());
        let mut partition = Partition::new([(); 8].map(|()| self.value().to_owned()));
        partition.set(Dimension::SubmissionDate, one.submission_date().to_string());
        let id = ChunkId {
            incarnation: Incarnation::from_bytes([7; 16]),
            boot: self.seed,
            plan,
        };
        let kind = if self.below(4) == 0 {
            ChunkKind::Errors
        } else {
            ChunkKind::Pings
        };
        let key = ChunkKey {
            prefix: "pings".to_owned(),
            kind,
            partition: partition.clone(),
            id,
        };
        let replaced = ChunkId {
            plan: plan + 1_000,
            ..id
        };
        IndexEntry {
            key: key.to_string(),
            id,
            kind,
            partition,
            records: 1 + self.below(1_000),
            raw_bytes: self.below(1 << 32),
            stored_bytes: self.below(300_000_000),
            received_bytes: self.below(1 << 40),
            received_min: one.min(other),
            received_max: one.max(other),
            sealed: self.time(),
            replaces: (0..self.below(3)).map(|_| replaced).collect(),
            error_reasons: (0..self.below(3))
                .map(|number| (format!("reason_{number}"), number + 1))
                .collect(),
        }
    }

    fn value(&mut self) -> &'static str {
        VALUES[self.below(VALUES.len() as u64) as usize]
    }

    fn time(&mut self) -> Timestamp {
        let first: SubmissionDate = "20170128".parse().expect("a date");
        let micros = self.below(6 * 86_400_000_000);
        first
            .start()
            .saturating_add_micros(i64::try_from(micros).expect("six days"))
    }

    fn condition(&mut self) -> (Dimension, Condition) {
        let dimension = Dimension::ALL[self.below(8) as usize];
        let value = |dice: &mut Self| match (dimension, dice.below(8)) {
            (_, 0) => String::new(),
            (Dimension::SubmissionDate, 1) => "201701".to_owned(),
            (Dimension::SubmissionDate, _) => dice.time().submission_date().to_string(),
            _ => dice.value().to_owned(),
        };
        let condition = match self.below(4) {
            0 => Condition::Versions(vec![value(self), value(self)]),
            1 => Condition::OneOf((0..self.below(4)).map(|_| value(self)).collect()),
            _ => {
                let from = (self.below(3) != 0).then(|| value(self));
                let to = (self.below(3) != 0).then(|| value(self));
                Condition::Range { from, to }
            }
        };
        (dimension, condition)
    }
}

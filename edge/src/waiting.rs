//! The open chunks: which pings wait, by partition, and when each partition is to be sealed. Pure, told the time.
//!
//! There is no buffer per partition: the log is the buffer, and here is only where each ping lies. What does not live
//! here: how many pings wait in total, for pings in a seal wait, too.

use std::collections::{BTreeSet, HashMap};

use ping::Dimension;

use crate::log::position::Position;
use crate::partition_key::PartitionKey;

/// When an open chunk is sealed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SealLimits {
    /// Sealed when its oldest ping has waited so long, in microseconds.
    pub(crate) age_us: i64,
    /// Sealed when the chunk would take about so many bytes.
    pub(crate) stored_bytes: u64,
    /// Sealed when it has so many pings.
    pub(crate) pings: usize,
    /// With so many open partitions, further ones lose version and build id.
    pub(crate) partitions: usize,
}

/// Pings of one partition that are to become chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Which.
    pub(crate) key: PartitionKey,
    /// Where they lie, in the order in which they came.
    pub(crate) positions: Vec<Position>,
    /// Since when the oldest waits, in microseconds of the monotonic clock.
    pub(crate) since_us: i64,
}

/// All open chunks.
#[derive(Debug)]
pub(crate) struct OpenChunks {
    limits: SealLimits,
    by_key: HashMap<PartitionKey, u32>,
    slots: Vec<Option<OpenChunk>>,
    free: Vec<u32>,
    by_age: BTreeSet<(i64, u32)>,
    full: BTreeSet<u32>,
    /// Stored bytes by bytes in the log, learned from seals.
    ratio: f64,
}

#[derive(Debug)]
struct OpenChunk {
    taken: Taken,
    logged_bytes: u64,
}

/// So many partitions beyond the cap may open with version and build id `OTHER`; then all but the date is `OTHER`.
const PARTITIONS_BEYOND_CAP: usize = 1_000;

/// What a seal counts for in the learned ratio.
const RATIO_WEIGHT: f64 = 0.2;

impl OpenChunks {
    /// No pings yet.
    pub(crate) fn new(limits: SealLimits) -> Self {
        Self {
            limits,
            by_key: HashMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            by_age: BTreeSet::new(),
            full: BTreeSet::new(),
            ratio: 1.0,
        }
    }

    /// Adds a ping that waits since `since_us`.
    pub(crate) fn push(&mut self, key: &PartitionKey, position: Position, since_us: i64) {
        let slot = self.slot(key, since_us);
        let chunk = self.slots[slot as usize].as_mut().expect("a slot in use");
        chunk.taken.positions.push(position);
        chunk.logged_bytes += u64::from(position.length);
        self.make_older(slot, since_us);
        self.note_size(slot);
    }

    /// Takes pings back that did not fit their chunk; they go before those that came since.
    pub(crate) fn give_back(&mut self, taken: Taken) {
        if taken.positions.is_empty() {
            return;
        }
        let slot = self.slot(&taken.key, taken.since_us);
        let chunk = self.slots[slot as usize].as_mut().expect("a slot in use");
        chunk.logged_bytes += logged_bytes(&taken.positions);
        let came_since = std::mem::replace(&mut chunk.taken.positions, taken.positions);
        chunk.taken.positions.extend(came_since);
        self.make_older(slot, taken.since_us);
        self.note_size(slot);
    }

    /// Takes the next open chunk that is to be sealed now: a full one, an old one, one that waits since `hurry_until` or
    /// longer, or, when the log is `pressed` for room, the oldest.
    pub(crate) fn take_due(&mut self, now_us: i64, pressed: bool, hurry_until: i64) -> Option<Taken> {
        let due = |(since, slot): &(i64, u32)| {
            let old = now_us.saturating_sub(*since) >= self.limits.age_us;
            (old || pressed || *since <= hurry_until).then_some(*slot)
        };
        let slot = self
            .full
            .first()
            .copied()
            .or_else(|| self.by_age.first().and_then(due))?;
        let chunk = self.slots[slot as usize].take().expect("a slot in use");
        self.full.remove(&slot);
        self.by_age.remove(&(chunk.taken.since_us, slot));
        self.by_key.remove(&chunk.taken.key);
        self.free.push(slot);
        Some(chunk.taken)
    }

    /// When the next open chunk is to be sealed, in microseconds of the monotonic clock, unless one fills before.
    pub(crate) fn next_deadline(&self) -> Option<i64> {
        if !self.full.is_empty() {
            return Some(i64::MIN);
        }
        self.by_age
            .first()
            .map(|(since, _)| since.saturating_add(self.limits.age_us))
    }

    /// Since when the oldest ping waits.
    pub(crate) fn oldest_us(&self) -> Option<i64> {
        self.by_age.first().map(|(since, _)| *since)
    }

    /// How many partitions are open.
    pub(crate) fn partitions(&self) -> usize {
        self.by_key.len()
    }

    /// Learns from a seal how many bytes are stored for a byte in the log.
    pub(crate) fn learn(&mut self, stored_bytes: u64, logged_bytes: u64) {
        if logged_bytes > 0 {
            let seen = (stored_bytes as f64 / logged_bytes as f64).clamp(0.01, 10.0);
            self.ratio += RATIO_WEIGHT * (seen - self.ratio);
        }
    }

    fn slot(&mut self, key: &PartitionKey, since_us: i64) -> u32 {
        if let Some(slot) = self.by_key.get(key) {
            return *slot;
        }
        let key = self.capped(key);
        if let Some(slot) = self.by_key.get(&key) {
            return *slot;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).expect("the cap on open partitions is far lower")
        });
        self.by_key.insert(key.clone(), slot);
        self.by_age.insert((since_us, slot));
        let taken = Taken {
            key,
            positions: Vec::new(),
            since_us,
        };
        self.slots[slot as usize] = Some(OpenChunk {
            taken,
            logged_bytes: 0,
        });
        slot
    }

    /// What a partition that is not open is opened as.
    fn capped(&self, key: &PartitionKey) -> PartitionKey {
        const FIRST: [Dimension; 2] = [Dimension::AppVersion, Dimension::AppBuildId];
        if self.by_key.len() < self.limits.partitions {
            return key.clone();
        }
        let general = key.generalised(&FIRST);
        if self.by_key.len() < self.limits.partitions + PARTITIONS_BEYOND_CAP
            || self.by_key.contains_key(&general)
        {
            return general;
        }
        key.generalised(&Dimension::ALL[1..])
    }

    fn make_older(&mut self, slot: u32, since_us: i64) {
        let chunk = self.slots[slot as usize].as_mut().expect("a slot in use");
        if since_us < chunk.taken.since_us {
            self.by_age.remove(&(chunk.taken.since_us, slot));
            chunk.taken.since_us = since_us;
            self.by_age.insert((since_us, slot));
        }
    }

    fn note_size(&mut self, slot: u32) {
        let chunk = self.slots[slot as usize].as_ref().expect("a slot in use");
        let stored = chunk.logged_bytes as f64 * self.ratio;
        if stored >= self.limits.stored_bytes as f64 || chunk.taken.positions.len() >= self.limits.pings {
            self.full.insert(slot);
        }
    }
}

/// Bytes that these pings take in the log.
pub(crate) fn logged_bytes(positions: &[Position]) -> u64 {
    positions.iter().map(|position| u64::from(position.length)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use index_schema::ChunkKind;
    use ping::Partition;
    use proptest::prelude::*;

    const LIMITS: SealLimits = SealLimits {
        age_us: 1_000,
        stored_bytes: 2_000,
        pings: 20,
        partitions: 4,
    };

    fn key(number: usize) -> PartitionKey {
        let mut values = Dimension::ALL.map(|dimension| dimension.name().to_owned());
        values[Dimension::AppBuildId.position()] = number.to_string();
        PartitionKey::new(ChunkKind::Pings, &Partition::new(values))
    }

    fn position(number: usize, length: usize) -> Position {
        Position::new(1, 8 * number as u64, length)
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push {
            key: usize,
            length: usize,
        },
        Take {
            pressed: bool,
            hurry: bool,
            give_back: usize,
        },
        Wait(i64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0..6_usize, 1..400_usize).prop_map(|(key, length)| Step::Push { key, length }),
            2 => (any::<bool>(), any::<bool>(), 0..5_usize)
                .prop_map(|(pressed, hurry, give_back)| Step::Take { pressed, hurry, give_back }),
            1 => (0..700_i64).prop_map(Step::Wait),
        ];
        proptest::collection::vec(step, 0..120)
    }

    proptest! {
        #[test]
        fn every_ping_is_taken_once_and_in_time(steps in steps()) {
            let (mut open, mut now) = (OpenChunks::new(LIMITS), 0);
            // The slow way: all pings in one list, in order, with the key they were filed under.
            let mut slow: Vec<(Position, i64)> = Vec::new();
            let mut pushed = 0;
            for step in steps {
                match step {
                    Step::Push { key: number, length } => {
                        pushed += 1;
                        open.push(&key(number), position(pushed, length), now);
                        slow.push((position(pushed, length), now));
                    }
                    Step::Wait(time) => now += time,
                    Step::Take { pressed, hurry, give_back } => {
                        let oldest = slow.iter().map(|(_, since)| *since).min();
                        prop_assert_eq!(open.oldest_us(), oldest);
                        let hurry_until = if hurry { now } else { i64::MIN };
                        let taken = open.take_due(now, pressed, hurry_until);
                        let due = oldest.is_some_and(|oldest| pressed || hurry || now - oldest >= LIMITS.age_us);
                        prop_assert!(taken.is_some() || !due);
                        let Some(mut taken) = taken else { continue };
                        let rest = taken.positions.split_off(taken.positions.len() - give_back.min(taken.positions.len()));
                        slow.retain(|(position, _)| !taken.positions.contains(position));
                        // What is given back waits as long as the oldest of its chunk has.
                        for (position, since) in &mut slow {
                            if rest.contains(position) {
                                *since = taken.since_us;
                            }
                        }
                        open.give_back(Taken { positions: rest, ..taken });
                    }
                }
            }
            while let Some(taken) = open.take_due(now, true, i64::MIN) {
                slow.retain(|(position, _)| !taken.positions.contains(position));
            }
            prop_assert!(slow.is_empty(), "{slow:?} are lost");
            prop_assert_eq!((open.partitions(), open.next_deadline()), (0, None));
        }
    }

    #[test]
    fn a_chunk_is_full_by_its_learned_size_or_its_number() {
        let mut open = OpenChunks::new(LIMITS);
        for number in 0..19 {
            open.push(&key(0), position(number, 100), 0);
            assert_eq!(open.next_deadline(), Some(1_000));
        }
        open.push(&key(0), position(19, 100), 0);
        assert_eq!(
            open.take_due(0, false, i64::MIN)
                .map(|taken| taken.positions.len()),
            Some(20)
        );
        // A tenth is stored of what is logged: now the number decides.
        for _ in 0..50 {
            open.learn(10, 100);
        }
        for number in 0..19 {
            open.push(&key(0), position(number, 500), 0);
        }
        assert_eq!(open.take_due(0, false, i64::MIN), None);
        open.push(&key(0), position(19, 500), 0);
        assert!(open.take_due(0, false, i64::MIN).is_some());
    }

    #[test]
    fn the_number_of_open_partitions_is_bounded() {
        let mut open = OpenChunks::new(LIMITS);
        for number in 0..5_000 {
            let mut values = Dimension::ALL.map(|_| number.to_string());
            values[0] = "20261123".to_owned();
            open.push(
                &PartitionKey::new(ChunkKind::Pings, &Partition::new(values)),
                position(number, 1),
                0,
            );
        }
        assert_eq!(open.partitions(), LIMITS.partitions + PARTITIONS_BEYOND_CAP + 1);
    }
}

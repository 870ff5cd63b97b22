//! The open chunks: which pings wait, by partition, and when each partition is to be sealed. Pure, told the time.
//!
//! There is no buffer per partition: the log is the buffer, and here is only where each ping lies. What does not live
//! here: how many pings wait in total, for pings in a seal wait, too.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ping::{Dimension, DimensionSchema};

use crate::admission::{Admission, FIRST};
use crate::log::position::Position;
use crate::metrics::PARTITIONS_GENERALISED;
use crate::partition_key::PartitionKey;
use crate::segment_bytes::{SegmentBytes, oldest_of};

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
    /// So many partitions that were not seen before are admitted each minute.
    pub(crate) new_partitions: u32,
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
    /// Which sources are told apart, whatever else is.
    schema: Arc<DimensionSchema>,
    admission: Admission,
    by_key: HashMap<PartitionKey, u32>,
    slots: Vec<Option<OpenChunk>>,
    free: Vec<u32>,
    by_age: BTreeSet<(i64, u32)>,
    full: BTreeSet<u32>,
    by_segment: SegmentBytes,
    /// Stored bytes by bytes in the log, learned from seals.
    ratio: f64,
}

#[derive(Debug)]
struct OpenChunk {
    taken: Taken,
    logged_bytes: u64,
    /// No ping of it lies in an older segment.
    oldest_segment: u32,
}

/// So many partitions beyond the cap may open with version and build id `OTHER`; then all but the date is `OTHER`.
const PARTITIONS_BEYOND_CAP: usize = 1_000;

/// What a seal counts for in the learned ratio.
const RATIO_WEIGHT: f64 = 0.2;

impl OpenChunks {
    /// No pings yet.
    pub(crate) fn new(limits: SealLimits, schema: Arc<DimensionSchema>) -> Self {
        Self {
            limits,
            schema,
            admission: Admission::new(limits.new_partitions, limits.partitions),
            by_key: HashMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            by_age: BTreeSet::new(),
            full: BTreeSet::new(),
            by_segment: SegmentBytes::default(),
            ratio: 1.0,
        }
    }

    /// Tells sources apart by another schema from now on.
    pub(crate) fn tell_apart_by(&mut self, schema: Arc<DimensionSchema>) {
        self.schema = schema;
    }

    /// Adds a ping that waits since `since_us`.
    pub(crate) fn push(&mut self, key: &PartitionKey, position: Position, since_us: i64) {
        let slot = self.slot(key, since_us);
        let chunk = self.slots[slot as usize].as_mut().expect("a slot in use");
        chunk.taken.positions.push(position);
        chunk.logged_bytes += u64::from(position.length);
        chunk.oldest_segment = chunk.oldest_segment.min(position.segment);
        self.by_segment.add(&[position]);
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
        chunk.oldest_segment = chunk.oldest_segment.min(oldest_of(&taken.positions));
        self.by_segment.add(&taken.positions);
        let came_since = std::mem::replace(&mut chunk.taken.positions, taken.positions);
        chunk.taken.positions.extend(came_since);
        self.make_older(slot, taken.since_us);
        self.note_size(slot);
    }

    /// Takes the next open chunk that is to be sealed now: a full one, an old one, or one that waits since `hurry_until`
    /// or longer.
    pub(crate) fn take_due(&mut self, now_us: i64, hurry_until: i64) -> Option<Taken> {
        let due = |(since, slot): &(i64, u32)| {
            let old = now_us.saturating_sub(*since) >= self.limits.age_us;
            (old || *since <= hurry_until).then_some(*slot)
        };
        let slot = self
            .full
            .first()
            .copied()
            .or_else(|| self.by_age.first().and_then(due))?;
        Some(self.take(slot))
    }

    /// Takes the open chunk with the most pings. Looks at all of them.
    pub(crate) fn take_most(&mut self) -> Option<Taken> {
        let chunks = self.in_use(u32::MAX);
        let (_, slot) = chunks
            .map(|(slot, chunk)| (chunk.taken.positions.len(), slot))
            .max()?;
        Some(self.take(slot))
    }

    /// Takes the open chunk with the most bytes in the log, of those with a ping in this segment or an older one, if it
    /// has at least so many. Looks at all open chunks.
    pub(crate) fn take_largest(&mut self, segment: u32, bytes_min: u64) -> Option<Taken> {
        let chunks = self.in_use(segment);
        let (bytes, slot) = chunks.map(|(slot, chunk)| (chunk.logged_bytes, slot)).max()?;
        (bytes >= bytes_min).then(|| self.take(slot))
    }

    /// Takes all pings in this segment. Looks at all open chunks, and at the pings of those with one in it.
    pub(crate) fn take_segment(&mut self, segment: u32) -> Vec<Taken> {
        let slots: Vec<u32> = self.in_use(segment).map(|(slot, _)| slot).collect();
        slots
            .into_iter()
            .filter_map(|slot| self.take_part(slot, segment))
            .collect()
    }

    /// Takes a chunk's pings in this segment.
    fn take_part(&mut self, slot: u32, segment: u32) -> Option<Taken> {
        let chunk = self.slots[slot as usize].as_mut().expect("a slot in use");
        let (there, elsewhere): (Vec<_>, Vec<_>) = chunk
            .taken
            .positions
            .iter()
            .partition(|position| position.segment == segment);
        if elsewhere.is_empty() {
            return Some(self.take(slot));
        }
        chunk.oldest_segment = oldest_of(&elsewhere);
        chunk.logged_bytes -= logged_bytes(&there);
        chunk.taken.positions = elsewhere;
        let taken = Taken {
            key: chunk.taken.key.clone(),
            positions: there,
            since_us: chunk.taken.since_us,
        };
        self.by_segment.remove(&taken.positions);
        (!taken.positions.is_empty()).then_some(taken)
    }

    fn take(&mut self, slot: u32) -> Taken {
        let chunk = self.slots[slot as usize].take().expect("a slot in use");
        self.full.remove(&slot);
        self.by_age.remove(&(chunk.taken.since_us, slot));
        self.by_key.remove(&chunk.taken.key);
        self.free.push(slot);
        self.by_segment.remove(&chunk.taken.positions);
        chunk.taken
    }

    /// The open chunks that may have a ping in this segment or an older one.
    fn in_use(&self, segment: u32) -> impl Iterator<Item = (u32, &OpenChunk)> {
        (0..).zip(&self.slots).filter_map(move |(slot, chunk)| {
            let chunk = chunk.as_ref()?;
            (chunk.oldest_segment <= segment).then_some((slot, chunk))
        })
    }

    /// Which segments the pings lie in.
    pub(crate) const fn by_segment(&self) -> &SegmentBytes {
        &self.by_segment
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
        let key = self.capped(key, since_us);
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
            oldest_segment: u32::MAX,
        });
        slot
    }

    /// What a partition that is not open is opened as. A source that is told apart stays so: its pings may go before others.
    fn capped(&mut self, key: &PartitionKey, now_us: i64) -> PartitionKey {
        let capped = self.generalised(key, now_us);
        if capped == *key || !key.is_of(|namespace, kind| self.schema.tells_apart(namespace, kind)) {
            return capped;
        }
        capped.with_source_of(key)
    }

    fn generalised(&mut self, key: &PartitionKey, now_us: i64) -> PartitionKey {
        let admitted = self.admission.admitted(key, now_us);
        if admitted != *key {
            metrics::counter!(PARTITIONS_GENERALISED).increment(1);
        }
        let key = &admitted;
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
mod tests;

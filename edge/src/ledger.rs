//! The ledger of the edge: which pings wait and how many are in chunks, changed in one step each, so that at every
//! instant `accepted` = `waiting` + `chunked`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ping::{DimensionSchema, Incarnation};
use service::clock::Clock;
use tokio::sync::watch;

use crate::log::budget::LogBudget;
use crate::log::counters::Counters;
use crate::log::message::{LoggedPing, Watcher};
use crate::log::position::Position;
use crate::partition_key::PartitionKey;
use crate::relief::{Pressed, Relief, relief, worth_sealing};
use crate::segment_bytes::oldest_of;
use crate::waiting::{OpenChunks, SealLimits, Taken, logged_bytes};

/// So many of the newest chunks are remembered.
const NEWEST_CHUNKS: usize = 64;

/// Which pings wait, and how many are in chunks.
#[derive(Debug)]
pub(crate) struct Ledger {
    clock: Arc<dyn Clock>,
    budget: Arc<LogBudget>,
    seal_age_us: i64,
    segment_bytes: u64,
    state: Mutex<State>,
    /// Moves whenever something is logged, chunked or given back.
    changes: watch::Sender<u64>,
}

/// What the ledger says at one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Pings in no chunk yet.
    pub(crate) waiting: u64,
    /// Pings in chunks, over the life of the log.
    pub(crate) chunked: u64,
    /// Open partitions.
    pub(crate) partitions: usize,
    /// How long the oldest ping outside seals has waited.
    pub(crate) oldest: Option<Duration>,
    /// Seals that are under way.
    pub(crate) seals: usize,
    /// Plans that could not be put for so long that they were set aside.
    pub(crate) stuck: usize,
    /// How long the first of these has been there.
    pub(crate) oldest_stuck: Option<Duration>,
}

#[derive(Debug)]
struct State {
    open: OpenChunks,
    waiting: u64,
    chunked: u64,
    seals: BTreeMap<u64, Underway>,
    next_seal: u64,
    /// The highest number that is given to a ping of this log.
    newest: u64,
    /// The highest line that is logged of each imported file.
    imports: BTreeMap<Incarnation, u64>,
    /// What waits since then or longer is to be sealed at once.
    hurry_until: i64,
    /// The keys of the newest chunks that nobody knows to be indexed, the newest last.
    newest_chunks: VecDeque<String>,
    /// Chunks that this process put.
    chunks: u64,
}

/// What is known of a seal under way.
#[derive(Clone, Copy, Debug)]
struct Underway {
    /// What leaves the log when it ends.
    logged_bytes: u64,
    pings: u64,
    since_us: i64,
    /// The oldest segment that it holds.
    oldest_segment: u32,
    /// Since when it is set aside.
    stuck_since: Option<i64>,
}

/// What is to be done next.
#[derive(Debug)]
pub(crate) enum Due {
    /// These are to become a chunk.
    Seal(Seal),
    /// These are to be copied forward.
    Forward(Forward),
}

/// Pings that are to be copied forward; to be given back, wherever they lie then.
#[derive(Debug)]
pub(crate) struct Forward {
    /// Its number among the seals.
    pub(crate) number: u64,
    /// The pings.
    pub(crate) taken: Vec<Taken>,
}

/// Pings that a seal has taken; to be settled or given back.
#[derive(Debug)]
pub(crate) struct Seal {
    /// Its number.
    pub(crate) number: u64,
    /// Its pings.
    pub(crate) taken: Taken,
}

impl Ledger {
    /// Nothing waits; what is in chunks, and how far files were imported, stands in the counters.
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        budget: Arc<LogBudget>,
        (limits, schema): (SealLimits, Arc<DimensionSchema>),
        segment_bytes: u64,
        counters: &Counters,
    ) -> Self {
        let state = State {
            open: OpenChunks::new(limits, schema),
            waiting: 0,
            chunked: counters.chunked,
            newest: counters.next_sequence.saturating_sub(1),
            imports: counters.imports.clone(),
            seals: BTreeMap::new(),
            next_seal: 0,
            hurry_until: i64::MIN,
            newest_chunks: VecDeque::new(),
            chunks: 0,
        };
        Self {
            clock,
            budget,
            seal_age_us: limits.age_us,
            segment_bytes,
            state: Mutex::new(state),
            changes: watch::channel(0).0,
        }
    }

    /// Tells sources apart by another schema from now on.
    pub(crate) fn tell_apart_by(&self, schema: Arc<DimensionSchema>) {
        self.lock().open.tell_apart_by(schema);
    }

    /// Told of changes.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The highest number that is given to a ping of this log, or to none before it.
    pub(crate) fn newest(&self) -> u64 {
        self.lock().newest
    }

    /// How many imported files are remembered.
    pub(crate) fn imported_files(&self) -> usize {
        self.lock().imports.len()
    }

    /// Notes the key of a chunk that is in the store, before its pings count as chunked.
    pub(crate) fn note_chunk(&self, key: &str) {
        let mut state = self.lock();
        if state.newest_chunks.len() == NEWEST_CHUNKS {
            state.newest_chunks.pop_front();
        }
        state.newest_chunks.push_back(key.to_owned());
        state.chunks += 1;
    }

    /// How many chunks this process put, and the keys of the newest that nobody knows to be indexed, the newest last.
    pub(crate) fn newest_chunks(&self) -> (u64, Vec<String>) {
        let state = self.lock();
        (state.chunks, state.newest_chunks.iter().cloned().collect())
    }

    /// These are indexed.
    pub(crate) fn note_indexed(&self, keys: &[String]) {
        self.lock().newest_chunks.retain(|key| !keys.contains(key));
    }

    /// The highest line of an imported file that is logged; 0 when there is none.
    pub(crate) fn imported(&self, file: Incarnation) -> u64 {
        self.lock().imports.get(&file).copied().unwrap_or(0)
    }

    /// What the ledger says now.
    pub(crate) fn counts(&self) -> Counts {
        let now = self.now_us();
        let state = self.lock();
        let age = |since: i64| Duration::from_micros(u64::try_from(now.saturating_sub(since)).unwrap_or(0));
        Counts {
            waiting: state.waiting,
            chunked: state.chunked,
            partitions: state.open.partitions(),
            oldest: state.oldest_us().map(age),
            seals: state.seals.len(),
            stuck: state.stuck().count(),
            oldest_stuck: state.stuck().filter_map(|seal| seal.stuck_since).min().map(age),
        }
    }

    /// Adds pings that were found in the log at the start, with their receive times by the wall clock: a time in the
    /// future counts as due.
    pub(crate) fn recover(&self, pings: impl Iterator<Item = (PartitionKey, Position, i64)>) {
        let since = self.since();
        let mut state = self.lock();
        for (key, position, received_us) in pings {
            let since = since(received_us);
            state.open.push(&key, position, since);
            state.waiting += 1;
        }
        self.changed(&state);
    }

    /// Begins the seal of an undone plan, whose pings wait, though in no open chunk; answers its number, and since when
    /// they wait.
    pub(crate) fn recover_planned(&self, pings: u64, positions: &[Position], received_us: i64) -> (u64, i64) {
        let since_us = self.since()(received_us);
        let mut state = self.lock();
        state.waiting += pings;
        let number = state.begin(Underway {
            logged_bytes: logged_bytes(positions),
            pings,
            since_us,
            oldest_segment: oldest_of(positions),
            stuck_since: None,
        });
        self.changed(&state);
        (number, since_us)
    }

    /// Takes pings that are to be sealed, or copied forward, now.
    pub(crate) fn take_due(&self) -> Option<Due> {
        let now = self.now_us();
        let mut state = self.lock();
        let hurry_until = state.hurry_until;
        if let Some(taken) = state.open.take_due(now, hurry_until) {
            return Some(Due::Seal(state.seal(taken)));
        }
        match relief(self.pressed(&state)) {
            Relief::None => None,
            Relief::SealMost => state.open.take_most().map(|taken| Due::Seal(state.seal(taken))),
            Relief::SealLargest(segment) => {
                let taken = state.open.take_largest(segment, 0)?;
                Some(Due::Seal(state.seal(taken)))
            }
            Relief::Thin(segment) => {
                let worth = worth_sealing(self.segment_bytes);
                match state.open.take_largest(segment, worth) {
                    Some(taken) => Some(Due::Seal(state.seal(taken))),
                    None => Some(Due::Forward(state.forward(segment, self.segment_bytes))),
                }
            }
        }
    }

    fn pressed(&self, state: &State) -> Pressed {
        let (mut bytes, mut pings, mut under_way, mut stuck) = (0, 0, u32::MAX, u32::MAX);
        for seal in state.seals.values() {
            if seal.stuck_since.is_some() {
                stuck = stuck.min(seal.oldest_segment);
            } else {
                bytes += seal.logged_bytes;
                pings += seal.pings;
                under_way = under_way.min(seal.oldest_segment);
            }
        }
        Pressed {
            bytes_over: self.budget.bytes_over_pressure().saturating_sub(bytes),
            pings_over: self.budget.pings_over_pressure().saturating_sub(pings),
            scarce: self.budget.is_scarce(),
            segment_bytes: self.segment_bytes,
            oldest: state.open.by_segment().oldest(),
            newest: state.open.by_segment().newest(),
            under_way,
            stuck,
        }
    }

    /// Notes that the plan of a seal cannot be put, so that it goes on beside the others.
    /// Answers whether that is new.
    pub(crate) fn set_stuck(&self, number: u64) -> bool {
        let now = self.now_us();
        let mut state = self.lock();
        let Some(seal) = state.seals.get_mut(&number) else {
            return false;
        };
        let is_new = seal.stuck_since.is_none();
        seal.stuck_since.get_or_insert(now);
        self.changed(&state);
        is_new
    }

    /// When something is to be sealed, if nothing changes before.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let deadline = self.lock().open.next_deadline()?;
        Some(Duration::from_micros(
            u64::try_from(deadline.saturating_sub(self.now_us())).unwrap_or(0),
        ))
    }

    /// Gives back what a seal leaves over: it waits on, under its partition or the one it is moved to.
    pub(crate) fn give_back(&self, taken: Taken) {
        let mut state = self.lock();
        state.open.give_back(taken);
        self.changed(&state);
    }

    /// Ends a seal. What it has neither settled nor given back is found at the next start.
    pub(crate) fn end_seal(&self, number: u64) {
        let mut state = self.lock();
        state.seals.remove(&number);
        self.changed(&state);
    }

    /// Learns from a seal how many bytes are stored for a byte in the log.
    pub(crate) fn learn(&self, stored_bytes: u64, logged_bytes: u64) {
        self.lock().open.learn(stored_bytes, logged_bytes);
    }

    /// Wants everything sealed that waits by now, and answers the moment to ask [`Self::is_sealed_until`] for.
    pub(crate) fn hurry(&self) -> i64 {
        let now = self.now_us();
        let mut state = self.lock();
        state.hurry_until = now;
        self.changed(&state);
        now
    }

    /// Whether nothing waits that waited at this moment.
    pub(crate) fn is_sealed_until(&self, moment: i64) -> bool {
        self.lock().oldest_us().is_none_or(|oldest| oldest > moment)
    }

    /// From a receive time by the wall clock to the moment, by the monotonic clock, since when a ping waits. A time in
    /// the future counts as due.
    fn since(&self) -> impl Fn(i64) -> i64 + use<> {
        let (now, wall, due) = (self.now_us(), self.clock.now_micros(), self.seal_age_us);
        move |received_us| {
            let age = wall.saturating_sub(received_us);
            now.saturating_sub(if age < 0 { due } else { age })
        }
    }

    fn now_us(&self) -> i64 {
        i64::try_from(self.clock.monotonic().as_micros()).unwrap_or(i64::MAX)
    }

    fn changed(&self, state: &State) {
        self.budget.set_waiting(state.waiting);
        self.changes
            .send_modify(|change| *change = change.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn seal(&mut self, taken: Taken) -> Seal {
        let number = self.begin(Underway {
            logged_bytes: logged_bytes(&taken.positions),
            pings: taken.positions.len() as u64,
            since_us: taken.since_us,
            oldest_segment: oldest_of(&taken.positions),
            stuck_since: None,
        });
        Seal { number, taken }
    }

    fn forward(&mut self, segment: u32, segment_bytes: u64) -> Forward {
        let taken = self.open.take_segment(segment);
        let bytes: u64 = taken.iter().map(|taken| logged_bytes(&taken.positions)).sum();
        let number = self.begin(Underway {
            logged_bytes: segment_bytes.saturating_sub(bytes),
            pings: 0,
            since_us: taken.iter().map(|taken| taken.since_us).min().unwrap_or(i64::MAX),
            oldest_segment: segment,
            stuck_since: None,
        });
        Forward { number, taken }
    }

    /// The seals that are set aside.
    fn stuck(&self) -> impl Iterator<Item = &Underway> {
        self.seals.values().filter(|seal| seal.stuck_since.is_some())
    }

    fn begin(&mut self, seal: Underway) -> u64 {
        let number = self.next_seal;
        self.next_seal += 1;
        self.seals.insert(number, seal);
        number
    }

    fn oldest_us(&self) -> Option<i64> {
        let sealing = self.seals.values().map(|seal| seal.since_us).min();
        sealing.into_iter().chain(self.open.oldest_us()).min()
    }
}

impl Watcher for Ledger {
    fn logged(&self, pings: Vec<LoggedPing>) {
        if pings.is_empty() {
            return;
        }
        let now = self.now_us();
        let mut state = self.lock();
        for ping in pings {
            state.open.push(&ping.partition, ping.position, now);
            state.waiting += 1;
            if ping.imported {
                state.imports.insert(ping.id.incarnation, ping.id.sequence);
            } else {
                state.newest = state.newest.max(ping.id.sequence);
            }
        }
        self.changed(&state);
    }

    fn chunked(&self, pings: u64) {
        let mut state = self.lock();
        state.waiting = state.waiting.saturating_sub(pings);
        state.chunked += pings;
        self.changed(&state);
    }

    fn set_aside(&self, pings: u64) {
        let mut state = self.lock();
        state.waiting = state.waiting.saturating_sub(pings);
        self.changed(&state);
    }
}

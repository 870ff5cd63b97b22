//! The ledger of the edge: which pings wait and how many are in chunks, changed in one step each, so that at every
//! instant `accepted` = `waiting` + `chunked`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use service::clock::Clock;
use tokio::sync::watch;

use crate::log::budget::Budget;
use crate::log::message::{LoggedPing, Watcher};
use crate::log::position::Position;
use crate::waiting::{Hurry, OpenChunks, SealLimits, Taken, logged_bytes};

/// Which pings wait, and how many are in chunks.
#[derive(Debug)]
pub(crate) struct Ledger {
    clock: Arc<dyn Clock>,
    budget: Arc<Budget>,
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
}

#[derive(Debug)]
struct State {
    open: OpenChunks,
    waiting: u64,
    chunked: u64,
    /// Of each seal under way, bytes in the log and number of its pings.
    sealing: BTreeMap<u64, (u64, u64)>,
    next_seal: u64,
    /// Everything that was logged before is to be sealed: set while somebody waits for that.
    seal_all: bool,
}

/// Pings that a seal has taken; to be settled or given back.
#[derive(Debug)]
pub(crate) struct Seal {
    /// Its number.
    number: u64,
    /// Its pings.
    pub(crate) taken: Taken,
}

impl Ledger {
    /// Nothing waits; `chunked` pings are in chunks.
    pub(crate) fn new(clock: Arc<dyn Clock>, budget: Arc<Budget>, limits: SealLimits, chunked: u64) -> Self {
        let state = State {
            open: OpenChunks::new(limits),
            waiting: 0,
            chunked,
            sealing: BTreeMap::new(),
            next_seal: 0,
            seal_all: false,
        };
        Self {
            clock,
            budget,
            state: Mutex::new(state),
            changes: watch::channel(0).0,
        }
    }

    /// Told of changes.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
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
            oldest: state.open.oldest_us().map(age),
            seals: state.sealing.len(),
        }
    }

    /// Adds pings that were found in the log at the start, with their receive times by the wall clock: a time in the
    /// future counts as due.
    pub(crate) fn recover(&self, pings: impl Iterator<Item = (crate::waiting::PartitionKey, Position, i64)>) {
        let (now, wall) = (self.now_us(), self.clock.now_micros());
        let mut state = self.lock();
        for (key, position, received_us) in pings {
            let age = wall.saturating_sub(received_us);
            let since = if age < 0 {
                i64::MIN / 2
            } else {
                now.saturating_sub(age)
            };
            state.open.push(&key, position, since);
            state.waiting += 1;
        }
        self.changed(&state);
    }

    /// Counts pings of an undone plan: they wait, though in no open chunk.
    pub(crate) fn recover_planned(&self, pings: u64) {
        let mut state = self.lock();
        state.waiting += pings;
        self.changed(&state);
    }

    /// Takes pings that are to be sealed now.
    pub(crate) fn take_due(&self) -> Option<Seal> {
        let now = self.now_us();
        let mut state = self.lock();
        let (bytes, pings) = state
            .sealing
            .values()
            .fold((0, 0), |sum, seal| (sum.0 + seal.0, sum.1 + seal.1));
        let pressed = self.budget.bytes_over_pressure() > bytes || self.budget.pings_over_pressure() > pings;
        let hurry = if pressed || state.seal_all {
            Hurry::Oldest
        } else {
            Hurry::None
        };
        let taken = state.open.take_due(now, hurry)?;
        let number = state.next_seal;
        state.next_seal += 1;
        let size = (logged_bytes(&taken.positions), taken.positions.len() as u64);
        state.sealing.insert(number, size);
        Some(Seal { number, taken })
    }

    /// When something is to be sealed, if nothing changes before.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let deadline = self.lock().open.next_deadline()?;
        Some(Duration::from_micros(
            u64::try_from(deadline.saturating_sub(self.now_us())).unwrap_or(0),
        ))
    }

    /// Ends a seal: what it has not settled waits on, under its partition or the one it is moved to.
    pub(crate) fn end_seal(&self, number: u64, rest: Vec<Taken>) {
        let mut state = self.lock();
        state.sealing.remove(&number);
        for taken in rest {
            state.open.give_back(taken);
        }
        self.changed(&state);
    }

    /// Learns from a seal how many bytes are stored for a byte in the log.
    pub(crate) fn learn(&self, stored_bytes: u64, logged_bytes: u64) {
        self.lock().open.learn(stored_bytes, logged_bytes);
    }

    /// Whether everything is to be sealed at once, be it neither old nor large.
    pub(crate) fn set_seal_all(&self, seal_all: bool) {
        let mut state = self.lock();
        state.seal_all = seal_all;
        self.changed(&state);
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

impl Seal {
    /// Its number.
    pub(crate) const fn number(&self) -> u64 {
        self.number
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

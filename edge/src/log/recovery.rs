//! What a log holds, made out by reading its frames in order: pings that wait, plans that are not done, counters.
//!
//! Pure, and of each ping only its place is kept. What does not live here: files.

use std::collections::{BTreeMap, HashMap};

use index_schema::proto::{LogState, Plan, PlanDone};
use ping::{Incarnation, RecordId};
use prost::Message;

use super::counters::Counters;
use super::frame::FrameKind;
use super::logged_head::LoggedHead;
use super::position::Position;
use super::runs;

/// What is kept of a ping while the log is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Logged {
    /// Its number among those of its incarnation.
    pub(crate) sequence: u64,
    /// Receive time in microseconds since the epoch.
    pub(crate) received_us: i64,
    /// Where it lies.
    pub(crate) position: Position,
    /// What the caller's `place` made of it.
    pub(crate) partition: u32,
}

/// A plan whose chunk may not be in the store.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UndonePlan {
    /// The plan, without its list.
    pub(crate) plan: Plan,
    /// The segment it lies in.
    pub(crate) segment: u32,
    /// Its pings with their incarnations, in the order of the list.
    pub(crate) pings: Vec<(Incarnation, Logged)>,
    /// Records of the list that the log does not hold.
    pub(crate) missing: u64,
}

/// What a log holds.
#[derive(Debug, PartialEq)]
pub(crate) struct Recovered {
    /// The counters after the last frame.
    pub(crate) counters: Counters,
    /// The pings in no plan, in the order of the log.
    pub(crate) waiting: Vec<Logged>,
    /// The plans that are not done, by number.
    pub(crate) plans: Vec<UndonePlan>,
}

/// Why a frame's payload cannot be understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    /// It is no message of its kind.
    #[error("a frame of the log does not hold what its kind says: {0}")]
    Payload(String),
    /// The log was written for another data directory.
    #[error("the log belongs to data directory {found}, this one is {expected}: do not mix the files of two")]
    OtherIncarnation {
        /// Whose it is.
        found: Incarnation,
        /// Whose it should be.
        expected: Incarnation,
    },
}

/// Reads a log, frame by frame.
#[derive(Debug)]
pub(crate) struct Replay {
    own: Incarnation,
    counters: Counters,
    pings: BTreeMap<Incarnation, Table>,
    plans: BTreeMap<u64, UndonePlan>,
    /// Pings that lie out of order: those of plans that were given up, and copies.
    loose: HashMap<RecordId, Logged>,
    /// The last record's, for its memory.
    head: LoggedHead,
}

/// The pings of one incarnation, by ascending sequence; those taken out have a position of length 0.
#[derive(Debug, Default)]
struct Table {
    pings: Vec<Logged>,
    taken: usize,
    last: u64,
}

impl Replay {
    /// Nothing read yet of the log of this incarnation.
    pub(crate) fn new(own: Incarnation) -> Self {
        Self {
            own,
            counters: Counters::default(),
            pings: BTreeMap::new(),
            plans: BTreeMap::new(),
            loose: HashMap::new(),
            head: LoggedHead::default(),
        }
    }

    /// The counters so far.
    pub(crate) const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Takes the next frame.
    pub(crate) fn apply(
        &mut self,
        kind: FrameKind,
        payload: &[u8],
        position: Position,
        place: &mut dyn FnMut(&LoggedHead) -> u32,
    ) -> Result<(), ReplayError> {
        let malformed = |error: prost::DecodeError| ReplayError::Payload(error.to_string());
        match kind {
            FrameKind::State => self.state(&LogState::decode(payload).map_err(malformed)?)?,
            FrameKind::Ping | FrameKind::Copy => {
                self.head.read(payload).map_err(malformed)?;
                let record = &self.head;
                let incarnation = Incarnation::from_slice(&record.incarnation)
                    .ok_or_else(|| ReplayError::Payload("a record id without incarnation".to_owned()))?;
                let logged = Logged {
                    sequence: record.sequence,
                    received_us: record.received_us,
                    position,
                    partition: place(record),
                };
                self.learn_ping(incarnation, logged.sequence);
                if kind == FrameKind::Ping {
                    self.pings.entry(incarnation).or_default().push(logged);
                } else {
                    self.copy(incarnation, logged);
                }
            }
            FrameKind::Plan => self.plan(Plan::decode(payload).map_err(malformed)?, position.segment),
            FrameKind::Done => self.done(PlanDone::decode(payload).map_err(malformed)?),
        }
        Ok(())
    }

    /// What the log holds.
    pub(crate) fn finish(self) -> Recovered {
        let mut waiting: Vec<Logged> = self.loose.into_values().collect();
        for table in self.pings.into_values() {
            waiting.extend(table.pings.into_iter().filter(|ping| ping.position.length != 0));
        }
        waiting.sort_unstable_by_key(|ping| ping.position);
        Recovered {
            counters: self.counters,
            waiting,
            plans: self.plans.into_values().collect(),
        }
    }

    fn state(&mut self, state: &LogState) -> Result<(), ReplayError> {
        let found = Incarnation::from_slice(&state.incarnation)
            .ok_or_else(|| ReplayError::Payload("a state without incarnation".to_owned()))?;
        if found != self.own {
            return Err(ReplayError::OtherIncarnation {
                found,
                expected: self.own,
            });
        }
        self.counters.learn(state);
        Ok(())
    }

    fn learn_ping(&mut self, incarnation: Incarnation, sequence: u64) {
        if incarnation == self.own {
            self.counters.next_sequence = self.counters.next_sequence.max(sequence.saturating_add(1));
        } else {
            self.counters.learn_import(incarnation, sequence);
        }
    }

    /// A ping that waits was copied here. What it was copied from may be there still, or be gone.
    fn copy(&mut self, incarnation: Incarnation, ping: Logged) {
        if let Some(table) = self.pings.get_mut(&incarnation) {
            table.take(ping.sequence);
        }
        let id = RecordId {
            incarnation,
            sequence: ping.sequence,
        };
        self.loose.insert(id, ping);
    }

    fn plan(&mut self, mut plan: Plan, segment: u32) {
        self.counters.next_plan = self.counters.next_plan.max(plan.plan.saturating_add(1));
        if self.plans.contains_key(&plan.plan) {
            return;
        }
        let runs = std::mem::take(&mut plan.runs);
        let (mut pings, mut missing) = (Vec::new(), 0);
        for id in runs::decode(&runs) {
            let tabled = self
                .pings
                .get_mut(&id.incarnation)
                .and_then(|table| table.take(id.sequence));
            match tabled.or_else(|| self.loose.remove(&id)) {
                Some(ping) => pings.push((id.incarnation, ping)),
                None => missing += 1,
            }
        }
        self.plans.insert(
            plan.plan,
            UndonePlan {
                plan,
                segment,
                pings,
                missing,
            },
        );
    }

    fn done(&mut self, done: PlanDone) {
        self.counters.chunked = self.counters.chunked.saturating_add(done.records);
        let undone = self.plans.remove(&done.plan);
        if done.records == 0 {
            for (incarnation, ping) in undone.into_iter().flat_map(|undone| undone.pings) {
                self.loose.insert(
                    RecordId {
                        incarnation,
                        sequence: ping.sequence,
                    },
                    ping,
                );
            }
        }
    }
}

impl Table {
    /// Adds a ping; a second one of the same number is the same ping.
    fn push(&mut self, ping: Logged) {
        if ping.sequence > self.last {
            self.last = ping.sequence;
            self.pings.push(ping);
        }
    }

    fn take(&mut self, sequence: u64) -> Option<Logged> {
        let at = self
            .pings
            .binary_search_by_key(&sequence, |ping| ping.sequence)
            .ok()?;
        let found = self.pings[at];
        if found.position.length == 0 {
            return None;
        }
        self.pings[at].position.length = 0;
        self.taken += 1;
        if self.taken > 1024 && self.taken > self.pings.len() / 2 {
            self.pings.retain(|ping| ping.position.length != 0);
            self.taken = 0;
        }
        Some(found)
    }
}

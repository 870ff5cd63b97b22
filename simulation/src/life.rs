//! One simulated process, as everything in it sees it: its plan, its disk, its time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use disk::SimulatedDisk;
use service::clock::{Clock, HandClock};

use crate::dice::Dice;
use crate::plan::LifePlan;
use crate::scheduler::Scheduler;
use crate::trace::Trace;

/// One simulated process. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub(crate) seed: u64,
    /// The first is 0.
    pub(crate) number: u64,
    pub(crate) plan: Arc<LifePlan>,
    pub(crate) disk: SimulatedDisk,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) scheduler: Scheduler,
    pub(crate) trace: Trace,
    /// Whether something other than the disk's chosen operation ended it.
    pub(crate) asked_to_die: Arc<AtomicBool>,
    /// What went as it must not.
    pub(crate) wrong: Arc<Mutex<Vec<String>>>,
}

impl Life {
    /// A generator of its own for a part of this process.
    pub(crate) fn dice(&self, what: &str) -> Dice {
        Dice::new(self.seed, &format!("life {}, {what}", self.number))
    }

    /// Notes what happened, with the operations of the disk so far.
    pub(crate) fn note(&self, what: std::fmt::Arguments<'_>) {
        let operations = self.disk.operations();
        self.trace
            .note(self.clock.now_micros(), format_args!("[{operations}] {what}"));
    }

    /// Dies now.
    pub(crate) fn die(&self, at: &'static str) {
        if !self.disk.is_off() {
            self.asked_to_die.store(true, Ordering::SeqCst);
            self.befalls(at);
            self.disk.power_off();
        }
    }

    /// Notes something that befell, and counts it.
    pub(crate) fn befalls(&self, what: &'static str) {
        self.note(format_args!("{what}"));
        self.trace.count(what);
    }

    /// Notes what must not happen.
    pub(crate) fn is_wrong(&self, what: &str) {
        self.note(format_args!("wrong: {what}"));
        self.wrong
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(format!("life {}: {what}", self.number));
    }
}

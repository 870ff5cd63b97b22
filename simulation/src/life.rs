//! One simulated process, as everything in it sees it: its plan, its disk, its time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use disk::SimulatedDisk;
use ping::{SubmissionDate, Timestamp};
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
    /// Whether index and aggregates answer nothing, beside what is planned.
    pub(crate) no_database: Arc<AtomicBool>,
    /// The latest day that it was; it outlives processes.
    pub(crate) latest_day: Arc<Mutex<Option<SubmissionDate>>>,
    /// What went as it must not.
    pub(crate) wrong: Arc<Mutex<Vec<String>>>,
}

impl Life {
    /// A generator of its own for a part of this process.
    pub(crate) fn dice(&self, what: &str) -> Dice {
        Dice::new(self.seed, &format!("life {}, {what}", self.number))
    }

    /// Steps the clock by so many days.
    pub(crate) fn leap(&self, days: i64) {
        const DAY_US: i64 = 86_400_000_000;
        self.clock.step_micros(days * DAY_US);
    }

    /// Which day it is, whatever the clock leapt by; the latest that it was, when the clock stepped back.
    pub(crate) fn right_day(&self) -> SubmissionDate {
        let today = self.today().plus_days(-self.plan.leap_days);
        let mut latest = self.latest_day.lock().unwrap_or_else(PoisonError::into_inner);
        let day = latest.map_or(today, |latest| latest.max(today));
        *latest = Some(day);
        day
    }

    /// Whether the clock is behind what it was.
    pub(crate) fn is_behind(&self) -> bool {
        self.today() < self.right_day()
    }

    fn today(&self) -> SubmissionDate {
        Timestamp::from_micros(self.clock.now_micros()).submission_date()
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

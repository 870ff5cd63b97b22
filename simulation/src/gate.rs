//! What stands before the doors of a simulated process: delays, refusals, lost answers, death, and a line for the trace.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use disk::Moment;
use service::task;

use crate::dice::Dice;
use crate::doors::{Call, Gate, Shut};
use crate::life::Life;
use crate::plan::{LifePlan, Odds};

/// A gate of one process.
pub(crate) struct Weather {
    life: Life,
    is_store: bool,
    /// The call at which the process dies.
    last: Option<(u64, Moment)>,
    calls: AtomicU64,
    dice: Mutex<Dice>,
}

impl Weather {
    pub(crate) fn new(life: &Life, is_store: bool, last: Option<(u64, Moment)>, dice: Dice) -> Self {
        Self {
            life: life.clone(),
            is_store,
            last,
            calls: AtomicU64::new(0),
            dice: Mutex::new(dice),
        }
    }

    fn dice(&self) -> MutexGuard<'_, Dice> {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn delay(&self) {
        let longest = Duration::from_micros(self.life.plan.odds.delay_us);
        let delay = {
            let mut dice = self.dice();
            dice.happens(600)
                .then(|| dice.time(Duration::from_micros(1), longest))
        };
        if let Some(delay) = delay {
            task::sleep(delay).await;
        }
    }

    /// Ends the process at its last call.
    async fn live_on(&self, moment: Moment) {
        let reached = |(last, at)| at == moment && self.calls.load(Ordering::SeqCst) >= last;
        if self.last.is_some_and(reached) {
            self.life.die(if self.is_store {
                "deaths at a call of the store"
            } else {
                "deaths at a call of a database"
            });
        }
        if self.life.disk.is_off() {
            std::future::pending::<()>().await;
        }
    }

    fn is_out(&self) -> bool {
        let now = self.life.scheduler.now();
        let out = |(from, until)| from <= now && now < until;
        let outage = if self.is_store {
            self.life.plan.outage
        } else {
            self.life.plan.database_outage
        };
        outage.is_some_and(out) || !self.is_store && self.life.no_database.load(Ordering::SeqCst)
    }

    /// What the store does not do with this object: until the process is to end, for else nothing would end that waits for it.
    fn cannot(&self, verb: &str, key: &str) -> Option<&'static str> {
        let LifePlan {
            unreadable,
            undeletable,
            length,
            ..
        } = &*self.life.plan;
        if !self.is_store || self.life.scheduler.now() >= *length {
            return None;
        }
        match verb {
            "get" if unreadable.holds(key) => Some("reads of objects that cannot be read"),
            "delete" if undeletable.holds(key) => Some("deletions of objects that cannot be deleted"),
            _ => None,
        }
    }

    fn begin(&self) -> Result<(), Shut> {
        let Odds {
            refused,
            call_lost,
            database,
            ..
        } = self.life.plan.odds;
        let mut dice = self.dice();
        if self.is_out() {
            let unclear = if self.is_store {
                Shut::Unclear
            } else {
                Shut::Refused
            };
            return Err(dice.one(&[Shut::Refused, unclear]));
        }
        let refused = if self.is_store { refused } else { database };
        if dice.happens(refused) {
            return Err(Shut::Refused);
        }
        if self.is_store && dice.happens(call_lost) {
            return Err(Shut::Unclear);
        }
        Ok(())
    }
}

#[async_trait]
impl Gate for Weather {
    async fn before(&self, call: Call<'_>) -> Result<(), Shut> {
        let Call { door, verb, key } = call;
        self.delay().await;
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.live_on(Moment::Before).await;
        let begun = match self.cannot(verb, key) {
            Some(what) => {
                self.life.trace.count(what);
                Err(Shut::Refused)
            }
            None => self.begin(),
        };
        if let Err(shut) = begun {
            self.life.trace.count(match (self.is_store, shut) {
                (true, Shut::Refused) => "calls refused by the store",
                (true, _) => "calls lost on the way to the store",
                (false, _) => "calls refused by a database",
            });
        }
        match begun {
            Ok(()) => self.life.note(format_args!("{door} {verb} {key}")),
            Err(shut) => self.life.note(format_args!("{door} {verb} {key}: {shut:?}")),
        }
        begun
    }

    async fn after(&self, call: Call<'_>, well: bool) -> Result<(), Shut> {
        let Call { door, verb, key } = call;
        self.live_on(Moment::After).await;
        self.delay().await;
        let lost = self.is_store && self.dice().happens(self.life.plan.odds.answer_lost);
        if lost {
            self.life.trace.count("answers of the store lost");
        }
        let end = if lost { "its answer is lost" } else { "done" };
        self.life
            .note(format_args!("{door} {verb} {key}: {end}, well: {well}"));
        if lost { Err(Shut::Unclear) } else { Ok(()) }
    }
}

impl fmt::Debug for Weather {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Weather")
            .field("calls", &self.calls)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

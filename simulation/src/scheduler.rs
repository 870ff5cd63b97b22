//! Time and turns of one simulated process: all its tasks run in one thread; when none can go on, the clock leaps to the
//! next wait's end. Who waits for the same instant, and how long what was woken lags, is drawn.
//!
//! What does not live here: what the tasks do.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use disk::SimulatedDisk;
use service::clock::HandClock;
use service::task::simulated::{Simulation, Wait};

use crate::dice::Dice;

/// A life in which more waits end does nothing but wait.
const WAITS_MAX: u64 = 3_000_000;

/// Waits by their ends; those of one instant in drawn order.
type Wake = (Duration, u64, u64);

/// The scheduler. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Scheduler {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    clock: Arc<HandClock>,
    power: SimulatedDisk,
    pace: Pace,
}

#[derive(Debug)]
struct State {
    now: Duration,
    dice: Dice,
    waits: BTreeMap<Wake, Waiting>,
    /// Tasks that were woken, by number: who woke them first does not matter.
    woken: BTreeMap<u64, Waker>,
    /// Tasks whose turn it is.
    granted: BTreeSet<u64>,
    tasks: u64,
    begun: u64,
    ended: u64,
    stuck: bool,
    root: Option<Waker>,
}

/// Who waits for an instant.
#[derive(Debug)]
enum Waiting {
    Sleep(Waker),
    Task(u64, Waker),
}

/// How tasks lag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// How often, in a thousand, what was woken lags.
    pub(crate) lagging: u32,
    /// How long it lags at most.
    pub(crate) longest: Duration,
}

/// How a simulated process ended that did not end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// Its power went.
    Dead,
    /// It waits for what never comes.
    Stuck,
}

impl Scheduler {
    pub(crate) fn new(clock: Arc<HandClock>, power: SimulatedDisk, pace: Pace, dice: Dice) -> Self {
        let state = State {
            now: Duration::ZERO,
            dice,
            waits: BTreeMap::new(),
            woken: BTreeMap::new(),
            granted: BTreeSet::new(),
            tasks: 0,
            begun: 0,
            ended: 0,
            stuck: false,
            root: None,
        };
        Self {
            inner: Arc::new(Inner {
                state: Mutex::new(state),
                clock,
                power,
                pace,
            }),
        }
    }

    /// Time since the process was started.
    pub(crate) fn now(&self) -> Duration {
        self.lock().now
    }

    /// Called when no task goes on: gives one its turn, or ends the next wait.
    pub(crate) fn go_on(&self) {
        let mut state = self.lock();
        let dead = self.inner.power.is_off();
        let next = if dead || state.ended == WAITS_MAX {
            None
        } else {
            let granted = state.grant(self.inner.pace);
            granted.or_else(|| self.leap(&mut state))
        };
        let next = next.or_else(|| {
            state.stuck = !dead;
            state.root.take()
        });
        drop(state);
        if let Some(waker) = next {
            waker.wake();
        }
    }

    /// Ends the next wait.
    fn leap(&self, state: &mut State) -> Option<Waker> {
        let ((due, _, _), waiting) = state.waits.pop_first()?;
        self.inner.clock.advance(due.saturating_sub(state.now));
        state.now = state.now.max(due);
        state.ended += 1;
        Some(match waiting {
            Waiting::Sleep(waker) => waker,
            Waiting::Task(task, waker) => {
                state.granted.insert(task);
                waker
            }
        })
    }

    /// Returns when nothing goes on any more.
    pub(crate) async fn halted(&self) -> Halt {
        poll_fn(|context| {
            let mut state = self.lock();
            if self.inner.power.is_off() {
                return Poll::Ready(Halt::Dead);
            }
            if state.stuck {
                return Poll::Ready(Halt::Stuck);
            }
            state.root = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Forgets who waits. The wakers of tasks hold the runtime, and that holds this scheduler: they would never be freed.
    pub(crate) fn forget(&self) {
        let mut state = self.lock();
        let (waits, woken) = (std::mem::take(&mut state.waits), std::mem::take(&mut state.woken));
        let root = state.root.take();
        drop(state);
        drop((waits, woken, root));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Gives one of the woken tasks its turn; has some of them wait.
    fn grant(&mut self, pace: Pace) -> Option<Waker> {
        while !self.woken.is_empty() {
            let nth = usize::try_from(self.dice.from(0..self.woken.len() as u64)).unwrap_or(0);
            let task = *self.woken.keys().nth(nth)?;
            let waker = self.woken.remove(&task)?;
            if !self.dice.happens(pace.lagging) {
                self.granted.insert(task);
                return Some(waker);
            }
            let due = self.now + self.dice.time(Duration::from_micros(1), pace.longest);
            let turn = self.turn(due);
            self.waits.insert(turn, Waiting::Task(task, waker));
        }
        None
    }

    fn turn(&mut self, due: Duration) -> Wake {
        self.begun += 1;
        (due, self.dice.any(), self.begun)
    }
}

impl Simulation for Scheduler {
    fn sleep(&self, duration: Duration) -> Wait {
        Box::pin(Sleep {
            due: self.now() + duration,
            scheduler: self.clone(),
            turn: None,
        })
    }

    fn task(&self) -> u64 {
        let mut state = self.lock();
        state.tasks += 1;
        state.tasks
    }

    fn turn(&self, task: u64) -> Wait {
        let (scheduler, mut asked) = (self.clone(), false);
        Box::pin(poll_fn(move |context| {
            let mut state = scheduler.lock();
            if state.granted.remove(&task) {
                return Poll::Ready(());
            }
            // Once is enough: a task has one waker as long as it lives.
            if !asked {
                asked = true;
                state.woken.insert(task, context.waker().clone());
            }
            Poll::Pending
        }))
    }

    fn lag(&self) -> Duration {
        let Pace { lagging, longest } = self.inner.pace;
        let dice = &mut self.lock().dice;
        if dice.happens(lagging) {
            dice.time(Duration::from_micros(1), longest)
        } else {
            Duration::ZERO
        }
    }

    fn is_dead(&self) -> bool {
        self.inner.power.is_off()
    }
}

struct Sleep {
    due: Duration,
    scheduler: Scheduler,
    turn: Option<Wake>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.scheduler.lock();
        if state.now >= this.due {
            return Poll::Ready(());
        }
        let turn = match this.turn {
            Some(turn) => turn,
            None => *this.turn.insert(state.turn(this.due)),
        };
        state.waits.insert(turn, Waiting::Sleep(context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(turn) = self.turn {
            self.scheduler.lock().waits.remove(&turn);
        }
    }
}

//! Tasks, threads and time under a simulation: all of it in one thread, at the pace that the simulation sets.
//!
//! A process that serves never enters this mode. It is no feature of the build, so that what is tested is what is
//! shipped; outside a simulation it costs one look at a variable of the thread.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// A wait that the simulation ends.
pub type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Sets the pace of everything that runs in one thread.
pub trait Simulation: fmt::Debug + Send + Sync + 'static {
    /// Returns when so much simulated time has passed.
    fn sleep(&self, duration: Duration) -> Wait;

    /// The number of a new task.
    fn task(&self) -> u64;

    /// Returns when a task that was woken has its turn.
    fn turn(&self, task: u64) -> Wait;

    /// How long work that blocks waits before it begins, and before its end is seen.
    fn lag(&self) -> Duration;

    /// Whether the simulated process is dead: then nothing goes on any more.
    fn is_dead(&self) -> bool;
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<dyn Simulation>>> = const { RefCell::new(None) };
}

/// The calling thread is in the simulation as long as this lives.
#[derive(Debug)]
pub struct Entered {
    before: Option<Arc<dyn Simulation>>,
}

/// Puts everything that the calling thread runs from now on into the simulation.
pub fn enter(simulation: Arc<dyn Simulation>) -> Entered {
    Entered {
        before: CURRENT.replace(Some(simulation)),
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
    }
}

/// The simulation that the calling thread is in.
pub(super) fn current() -> Option<Arc<dyn Simulation>> {
    CURRENT.with_borrow(Option::clone)
}

/// Runs work that blocks, here.
pub(super) async fn blocking<T>(simulation: &dyn Simulation, work: impl FnOnce() -> T) -> T {
    simulation.sleep(simulation.lag()).await;
    let result = work();
    simulation.sleep(simulation.lag()).await;
    result
}

/// A task that waits for its turn each time it was woken, and stops for good when the process is dead.
pub(super) struct Lagging<F> {
    task: Pin<Box<F>>,
    number: u64,
    simulation: Arc<dyn Simulation>,
    turn: Option<Wait>,
}

impl<F> Lagging<F> {
    pub(super) fn new(simulation: Arc<dyn Simulation>, task: F) -> Self {
        Self {
            task: Box::pin(task),
            number: simulation.task(),
            simulation,
            turn: None,
        }
    }
}

impl<F: Future> Future for Lagging<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        if this.simulation.is_dead() {
            return Poll::Pending;
        }
        let turn = this.turn.get_or_insert_with(|| this.simulation.turn(this.number));
        ready!(turn.as_mut().poll(context));
        this.turn = None;
        if this.simulation.is_dead() {
            return Poll::Pending;
        }
        this.task.as_mut().poll(context)
    }
}

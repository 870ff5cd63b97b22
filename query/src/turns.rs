//! How many questions are answered at a time, and how many wait: so that what answers take together is bounded.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::limits::{QUESTIONS_AT_ONCE, QUESTIONS_WAITING_MAX};
use crate::problem::Problem;

/// Turns to be answered, given in the order of asking.
#[derive(Debug)]
pub(crate) struct Turns {
    free: Semaphore,
    waiting: Semaphore,
}

impl Turns {
    /// All of them.
    pub(crate) fn new() -> Self {
        Self {
            free: Semaphore::new(QUESTIONS_AT_ONCE),
            waiting: Semaphore::new(QUESTIONS_WAITING_MAX),
        }
    }

    /// A turn, once there is one; it lasts until the permit is dropped.
    pub(crate) async fn take(&self) -> Result<SemaphorePermit<'_>, Problem> {
        if let Ok(turn) = self.free.try_acquire() {
            return Ok(turn);
        }
        let full = |_| Problem::busy("Too many questions at a time. Ask again in a second.");
        let _waiting = self.waiting.try_acquire().map_err(full)?;
        let turn = self.free.acquire().await;
        turn.map_err(|_| Problem::busy("The server is ending."))
    }
}

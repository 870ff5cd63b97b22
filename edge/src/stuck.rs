//! Plans that the store refuses for long: each goes on by itself, beside the others, without its payload.
//!
//! Only a store that takes other chunks makes a plan stand aside: while it takes none, seals keep their places, and no
//! plan more is made than there are places.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use service::backoff::Backoff;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::seal::{Carried, Ended, Planned, Sealer};

/// So many plans may stand aside; a further one keeps its place among the seals.
const PLANS_MAX: u32 = 1_024;

/// A plan stands aside after so many failures, if a put has succeeded since the last one did.
const FAILURES: u32 = 6;

/// And after so many in any case: those that hold all places may be the only ones that cannot be put.
const FAILURES_IN_ANY_CASE: u32 = 16;

/// A plan that stands aside rests after so many failures of a try.
const FAILURES_OF_STUCK: u32 = 3;

/// The longest wait between two tries of a plan that stands aside, as a multiple of the first: ten minutes of 100 ms.
/// Each try gathers the chunk again.
const BACKOFF_GROWTH: u32 = 6_000;

/// Who stands aside.
#[derive(Debug)]
pub(crate) struct StuckPlans {
    places: Arc<Semaphore>,
    /// Whether a put has succeeded since the last plan stood aside.
    succeeded: AtomicBool,
    /// Told when a put succeeds again.
    healed: Notify,
    /// Held while one of them is gathered and put: so their payloads take the memory of one.
    again: Semaphore,
}

/// A seal's right to be under way.
#[derive(Debug)]
pub(crate) struct SealPermit {
    stuck: bool,
    /// Its number in the ledger.
    number: Option<u64>,
    /// One of a few places among the seals, or one aside.
    _place: OwnedSemaphorePermit,
}

impl SealPermit {
    /// A place among the seals.
    pub(crate) const fn among(place: OwnedSemaphorePermit) -> Self {
        Self {
            stuck: false,
            number: None,
            _place: place,
        }
    }

    /// It is of the seal with this number in the ledger.
    pub(crate) const fn is_of(&mut self, number: u64) {
        self.number = Some(number);
    }

    /// The number of its seal.
    pub(crate) const fn number(&self) -> Option<u64> {
        self.number
    }

    /// Whether it is aside.
    pub(crate) const fn is_stuck(&self) -> bool {
        self.stuck
    }
}

impl StuckPlans {
    /// Nobody stands aside.
    pub(crate) fn new() -> Self {
        Self {
            places: Arc::new(Semaphore::new(PLANS_MAX as usize)),
            succeeded: AtomicBool::new(true),
            healed: Notify::new(),
            again: Semaphore::new(1),
        }
    }

    /// Notes that a put succeeded.
    pub(crate) fn succeed(&self) {
        if !self.succeeded.swap(true, Ordering::SeqCst) {
            self.healed.notify_waiters();
        }
    }

    /// Whether a plan whose put failed so many times goes on later; if it held a place among the seals, that is free
    /// then.
    pub(crate) fn gives_way(&self, permit: &mut SealPermit, failures: u32) -> bool {
        if permit.stuck {
            return failures >= FAILURES_OF_STUCK;
        }
        let trusted = failures >= FAILURES && self.succeeded.load(Ordering::SeqCst);
        if !trusted && failures < FAILURES_IN_ANY_CASE {
            return false;
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return false;
        };
        self.succeeded.store(false, Ordering::SeqCst);
        *permit = SealPermit {
            stuck: true,
            number: permit.number,
            _place: place,
        };
        true
    }

    /// Returns when nobody stands aside any more.
    pub(crate) async fn empty(&self) {
        // The semaphore is never closed.
        let _ = self.places.acquire_many(PLANS_MAX).await;
    }
}

impl Sealer {
    /// The waits of a plan that stands aside: they go on from the longest of the others.
    fn stuck_backoff(&self) -> Backoff {
        Backoff::new(
            self.first_wait * crate::put::BACKOFF_GROWTH,
            self.longest_stuck_wait(),
        )
    }

    /// The longest wait of what stands aside.
    pub(crate) fn longest_stuck_wait(&self) -> Duration {
        self.first_wait * BACKOFF_GROWTH
    }

    /// Goes on with a plan that stands aside, for ever.
    pub(crate) async fn go_on_stuck(
        self: &Arc<Self>,
        number: u64,
        planned: &Planned,
        permit: &mut SealPermit,
    ) {
        tracing::error!(
            key = planned.key,
            pings = planned.positions.len(),
            "this chunk could not be put for long, as the lines before say: others are sealed meanwhile, its pings wait in the write-ahead log, which is not freed beyond them; tried on for ever"
        );
        self.ledger.set_stuck(number);
        let mut wait = self.stuck_backoff();
        loop {
            let paused = tokio::select! {
                biased;
                paused = self.pause(&mut wait) => paused,
                () = self.stuck.healed.notified() => Ok(()),
            };
            if paused.is_err() {
                return;
            }
            match self.try_again(planned, permit).await {
                Ok(Carried::GaveWay | Carried::Anew) => {}
                Ok(Carried::Done) => return self.ledger.end_seal(number),
                Err(Ended) => return,
            }
        }
    }

    async fn try_again(
        self: &Arc<Self>,
        planned: &Planned,
        permit: &mut SealPermit,
    ) -> Result<Carried, Ended> {
        let _one = tokio::select! {
            biased;
            () = self.shutdown.wished() => return Err(Ended),
            one = self.stuck.again.acquire() => one.map_err(|_| Ended)?,
        };
        self.try_resume(planned, permit).await
    }
}

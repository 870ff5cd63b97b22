//! The limit of connections: so many seats at once. Where none is left, whoever makes us wait longest yields: first who
//! was never served, then who is silent, then the slowest body.
//!
//! Without that, clients that open connections and say nothing, or send a byte now and then, would keep honest ones
//! waiting for a time-out, one after another. Beside the seats some are kept for heartbeats: a connection that finds all
//! others taken sits on one of these until its request is known. A heartbeat is answered there; any other request waits
//! for a seat, and is refused when the kept ones are needed.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::serving::{Serving, Yields, now};
use crate::task;

/// How often it is looked whether somebody may be asked to yield: by each who waits, and after a look in vain by all of
/// them together, for a look goes through all connections.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How long a request waits for a seat at most.
const SEAT_TIMEOUT: Duration = Duration::from_secs(10);

/// So many connections at once, and those that are open.
#[derive(Debug)]
pub(super) struct ConnectionLimit {
    seats: Arc<Semaphore>,
    kept: Arc<Semaphore>,
    connections: u32,
    kept_seats: u32,
    open: Mutex<BTreeMap<u64, Serving>>,
    next: AtomicU64,
    /// The last look in vain, for anybody and for a slow body.
    in_vain: [Mutex<Option<Instant>>; 2],
}

/// The seat of one connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    limit: Arc<ConnectionLimit>,
    number: u64,
    pub(super) serving: Serving,
    permit: Mutex<Permit>,
}

#[derive(Debug)]
enum Permit {
    Seat { _permit: OwnedSemaphorePermit },
    Kept { _permit: OwnedSemaphorePermit },
}

impl ConnectionLimit {
    pub(super) fn new(connections: usize, kept_seats: usize) -> Arc<Self> {
        let bounded =
            |seats: usize| u32::try_from(seats.clamp(1, (u32::MAX >> 1) as usize)).expect("clamped");
        let (connections, kept_seats) = (bounded(connections), bounded(kept_seats));
        Arc::new(Self {
            seats: Arc::new(Semaphore::new(connections as usize)),
            kept: Arc::new(Semaphore::new(kept_seats as usize)),
            connections,
            kept_seats,
            open: Mutex::default(),
            next: AtomicU64::new(0),
            in_vain: Default::default(),
        })
    }

    /// A seat for one more connection, as soon as there is some.
    pub(super) async fn take(self: &Arc<Self>) -> Arc<Seat> {
        loop {
            if let Ok(permit) = Arc::clone(&self.seats).try_acquire_owned() {
                return self.seat(Permit::Seat { _permit: permit });
            }
            if let Ok(permit) = Arc::clone(&self.kept).try_acquire_owned() {
                return self.seat(Permit::Kept { _permit: permit });
            }
            self.refuse_one_that_waits();
            self.ask_one_to_yield();
            tokio::select! {
                biased;
                permit = Arc::clone(&self.seats).acquire_owned() => {
                    return self.seat(Permit::Seat { _permit: permit.expect("the semaphore is never closed") });
                }
                permit = Arc::clone(&self.kept).acquire_owned() => {
                    return self.seat(Permit::Kept { _permit: permit.expect("the semaphore is never closed") });
                }
                () = task::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    /// Returns when nobody is left.
    pub(super) async fn all_gone(&self) {
        // The semaphores are never closed. Who moves from a kept seat to another holds both for a moment.
        let _kept = self.kept.acquire_many(self.kept_seats).await;
        let _ = self.seats.acquire_many(self.connections).await;
    }

    /// Connections that are open.
    pub(super) fn taken(&self) -> usize {
        self.open().len()
    }

    fn seat(self: &Arc<Self>, permit: Permit) -> Arc<Seat> {
        let (number, serving) = (self.next.fetch_add(1, Ordering::Relaxed), Serving::default());
        self.open().insert(number, serving.clone());
        Arc::new(Seat {
            limit: Arc::clone(self),
            number,
            serving,
            permit: Mutex::new(permit),
        })
    }

    /// Asks who makes us wait longest to yield, if anybody may be asked.
    pub(super) fn ask_one_to_yield(&self) {
        self.ask_the_first(&self.in_vain[0], |_, _| true);
    }

    /// Asks the first of those that may be asked, and says whether there was one.
    fn ask_the_first(
        &self,
        in_vain: &Mutex<Option<Instant>>,
        may_be_asked: impl Fn(u64, Yields) -> bool,
    ) -> bool {
        let mut in_vain = in_vain.lock().unwrap_or_else(PoisonError::into_inner);
        if in_vain.is_some_and(|last| now().duration_since(last) < LOOK_AGAIN) {
            return false;
        }
        let open = self.open();
        let first = open
            .iter()
            .filter_map(|(number, serving)| Some((*number, serving.yields()?, serving)))
            .filter(|(number, yields, _)| may_be_asked(*number, *yields))
            .min_by_key(|(_, yields, _)| *yields);
        let Some((.., serving)) = first else {
            *in_vain = Some(now());
            return false;
        };
        serving.yield_room();
        true
    }

    /// Has the request that has waited longest for a seat wait no longer.
    fn refuse_one_that_waits(&self) {
        let open = self.open();
        let longest = open
            .values()
            .filter_map(|serving| Some((serving.waits_for_seat()?, serving)))
            .min_by_key(|(since, _)| *since);
        if let Some((_, serving)) = longest {
            serving.refuse();
        }
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<u64, Serving>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Whether it is one of those for heartbeats.
    pub(super) fn is_kept(&self) -> bool {
        matches!(*self.permit(), Permit::Kept { .. })
    }

    /// Moves to a seat for any request; false when the request is to be refused, for there is none.
    pub(super) async fn move_up(&self) -> bool {
        self.serving.wait_for_seat(true);
        let moved = self.wait_for_seat().await;
        self.serving.wait_for_seat(false);
        match moved {
            Some(permit) => *self.permit() = Permit::Seat { _permit: permit },
            None => self.serving.note_refused(),
        }
        !self.is_kept()
    }

    async fn wait_for_seat(&self) -> Option<OwnedSemaphorePermit> {
        let mut permit = pin!(Arc::clone(&self.limit.seats).acquire_owned());
        let mut end = pin!(task::sleep(SEAT_TIMEOUT));
        loop {
            self.limit.ask_one_to_yield();
            tokio::select! {
                biased;
                permit = permit.as_mut() => return permit.ok(),
                () = self.serving.refused() => return None,
                () = end.as_mut() => return None,
                () = task::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    /// Asks the slowest body of another connection to make room, and says whether there was one.
    pub(super) fn ask_a_slow_body_to_yield(&self) -> bool {
        let is_body = |yields| matches!(yields, Yields::SlowBody(..));
        self.limit
            .ask_the_first(&self.limit.in_vain[1], |number, yields| {
                number != self.number && is_body(yields)
            })
    }

    fn permit(&self) -> MutexGuard<'_, Permit> {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.limit.open().remove(&self.number);
    }
}

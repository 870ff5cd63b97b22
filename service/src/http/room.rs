//! The room for connections: so many at once. Where none is left, whoever has waited longest for its client yields;
//! first of all, who was never served.
//!
//! Without that, clients that open connections and say nothing would keep honest ones waiting for a header's time-out,
//! one after another.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::serving::Serving;
use crate::task;

/// A connection yields only after its client was silent for so long: an honest head is there at once, and a client that
/// has just been answered often asks again.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often it is looked whether somebody may be asked to yield.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Room for so many connections.
#[derive(Debug)]
pub(super) struct Room {
    permits: Arc<Semaphore>,
    connections: u32,
    seats: Mutex<BTreeMap<u64, Serving>>,
    next: AtomicU64,
}

/// The room of one connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    room: Arc<Room>,
    number: u64,
    pub(super) serving: Serving,
    _permit: OwnedSemaphorePermit,
}

impl Room {
    pub(super) fn new(connections: usize) -> Arc<Self> {
        let connections = connections.clamp(1, (u32::MAX >> 1) as usize);
        Arc::new(Self {
            permits: Arc::new(Semaphore::new(connections)),
            connections: u32::try_from(connections).expect("clamped"),
            seats: Mutex::default(),
            next: AtomicU64::new(0),
        })
    }

    /// Room for one more connection, as soon as there is some.
    pub(super) async fn take(self: &Arc<Self>) -> Seat {
        loop {
            match Arc::clone(&self.permits).try_acquire_owned() {
                Ok(permit) => return self.seat(permit),
                Err(_) => self.ask_one_to_yield(),
            }
            tokio::select! {
                biased;
                permit = Arc::clone(&self.permits).acquire_owned() => {
                    return self.seat(permit.expect("the semaphore is never closed"));
                }
                () = task::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    /// Returns when nobody is left.
    pub(super) async fn all_gone(&self) {
        // The semaphore is never closed.
        let _ = self.permits.acquire_many(self.connections).await;
    }

    /// Connections that are open.
    pub(super) fn taken(&self) -> usize {
        self.seats().len()
    }

    fn seat(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Seat {
        let (number, serving) = (self.next.fetch_add(1, Ordering::Relaxed), Serving::default());
        self.seats().insert(number, serving.clone());
        Seat {
            room: Arc::clone(self),
            number,
            serving,
            _permit: permit,
        }
    }

    fn ask_one_to_yield(&self) {
        let seats = self.seats();
        let longest = seats
            .values()
            .filter_map(|serving| Some((serving.waits()?, serving)))
            .filter(|((_, since), _)| since.elapsed() >= PATIENCE)
            .min_by_key(|(waits, _)| *waits);
        if let Some((_, serving)) = longest {
            serving.yield_room();
        }
    }

    fn seats(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Serving>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.room.seats().remove(&self.number);
    }
}

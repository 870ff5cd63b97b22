//! Reading a body within its limits, and the budget in bytes for all bodies that are in memory.
//!
//! What the body means is not looked at here.

use std::sync::Arc;
use std::time::Duration;

use ::http::Extensions;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::BodyLimits;
use super::connection_limit::Seat;
use crate::task;

/// Memory is taken from the budget, and reserved, in steps that double from this many bytes: most pings need a step or
/// two, and a client that promises much but sends little holds little. All connections with a first step each fit the
/// edge's budget.
const FIRST_STEP_BYTES: u64 = 32 << 10;

/// How long it is waited for the memory of a body that was asked to yield.
const YIELDED_WAIT: Duration = Duration::from_millis(5);

/// The memory that all bodies may take together.
#[derive(Clone, Debug)]
pub struct BodyBudget {
    bytes: Arc<Semaphore>,
}

impl BodyBudget {
    /// A budget of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self {
            bytes: Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Bytes that are free now.
    pub fn free_bytes(&self) -> usize {
        self.bytes.available_permits()
    }

    /// Takes so many bytes. Where they are not free, the slowest bodies of other connections yield, one after another;
    /// where none of them is slow, there is no room.
    async fn take(&self, bytes: u64, sender: Option<&Sender>) -> Result<OwnedSemaphorePermit, BodyError> {
        let bytes = u32::try_from(bytes).map_err(|_| BodyError::NoRoom)?;
        loop {
            if let Ok(taken) = Arc::clone(&self.bytes).try_acquire_many_owned(bytes) {
                return Ok(taken);
            }
            if !sender.is_some_and(|sender| sender.0.ask_a_slow_body_to_yield()) {
                return Err(BodyError::NoRoom);
            }
            task::sleep(YIELDED_WAIT).await;
        }
    }
}

/// The connection that a request came by, among the request's extensions.
#[derive(Clone, Debug)]
pub(super) struct Sender(Arc<Seat>);

impl Sender {
    pub(super) fn new(seat: &Arc<Seat>) -> Self {
        Self(Arc::clone(seat))
    }
}

/// A body's bytes with the part of the budget that they take.
struct Held {
    bytes: Bytes,
    _taken: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Longer than the limit.
    #[error("the body is longer than the limit")]
    TooLarge,
    /// The budget for all bodies is taken.
    #[error("the memory for bodies is taken: come again")]
    NoRoom,
    /// Too slow: close the connection without an answer.
    #[error("the body came too slowly")]
    Slow,
    /// The client broke off: close the connection without an answer.
    #[error("the body was cut")]
    Cut,
}

/// Reads a body to its end. It takes its part of the budget until the last clone of its bytes is dropped, wherever that
/// is. Asking for the body is what makes a client that sent `Expect: 100-continue` send it, so refuse by headers before.
/// `request` are the extensions of the request: by them the listener knows whose body is slow.
///
/// # Errors
/// See [`BodyError`]; the rest of the body is then unread.
#[expect(
    clippy::disallowed_methods,
    reason = "a deadline of the network, not of a core"
)]
pub async fn read_body(
    mut body: Incoming,
    request: &Extensions,
    limits: &BodyLimits,
    budget: &BodyBudget,
) -> Result<Bytes, BodyError> {
    let promised = body.size_hint().lower();
    if promised > limits.bytes_max {
        return Err(BodyError::TooLarge);
    }
    let sender = request.get::<Sender>();
    let first = promised.min(FIRST_STEP_BYTES);
    let mut gathered = Gathered::begin(budget.take(first, sender).await?);
    let reading = sender.map(|sender| sender.0.serving.begin_body());
    let started = Instant::now();
    loop {
        let deadline = started + limits.deadline(gathered.len());
        let frame = match timeout_at(deadline, body.frame()).await {
            Err(_) => return Err(BodyError::Slow),
            Ok(None) => return Ok(gathered.finish()),
            Ok(Some(Err(_))) => return Err(BodyError::Cut),
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(data) = frame.into_data() else {
            continue; // Trailers say nothing that is kept.
        };
        if let Some(reading) = &reading {
            reading.came(data.len() as u64);
        }
        let len = gathered.len() + data.len() as u64;
        if len > limits.bytes_max {
            return Err(BodyError::TooLarge);
        }
        if let Some(step) = gathered.step(len, promised.max(len)) {
            gathered.taken.merge(budget.take(step, sender).await?);
        }
        gathered.add(data);
    }
}

/// What came so far. A body of one frame is never copied.
struct Gathered {
    only: Bytes,
    joined: Vec<u8>,
    taken: OwnedSemaphorePermit,
}

impl Gathered {
    const fn begin(taken: OwnedSemaphorePermit) -> Self {
        Self {
            only: Bytes::new(),
            joined: Vec::new(),
            taken,
        }
    }

    const fn len(&self) -> u64 {
        (self.only.len() + self.joined.len()) as u64
    }

    /// What must be taken beside what is, for so many bytes; `expected` is the length that the whole body has at least.
    fn step(&self, len: u64, expected: u64) -> Option<u64> {
        let taken = self.taken.num_permits() as u64;
        (len > taken).then(|| len.max(taken * 2).min(expected) - taken)
    }

    /// Adds a frame for which there is room.
    fn add(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.only = data;
            return;
        }
        let room = self.taken.num_permits();
        self.joined.reserve_exact(room.saturating_sub(self.joined.len()));
        self.joined.extend_from_slice(&std::mem::take(&mut self.only));
        self.joined.extend_from_slice(&data);
    }

    fn finish(self) -> Bytes {
        let Self { only, joined, taken } = self;
        Bytes::from_owner(Held {
            bytes: if joined.is_empty() {
                only
            } else {
                Bytes::from(joined)
            },
            _taken: taken,
        })
    }
}

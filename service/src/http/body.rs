//! Reading a body within its limits, and the budget in bytes for all bodies that are in memory.
//!
//! What the body means is not looked at here.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::BodyLimits;

/// Memory is taken from the budget, and reserved, in steps that double from this many bytes: most pings fit the first,
/// and a client that promises much but sends little holds little.
const FIRST_STEP_BYTES: u64 = 128 << 10;

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

    fn take(&self, bytes: u64) -> Result<OwnedSemaphorePermit, BodyError> {
        let bytes = u32::try_from(bytes).map_err(|_| BodyError::NoRoom)?;
        Arc::clone(&self.bytes)
            .try_acquire_many_owned(bytes)
            .map_err(|_| BodyError::NoRoom)
    }
}

/// A body and the part of the budget that it takes until it is dropped.
pub struct ReadBody {
    /// The body's bytes.
    pub bytes: Bytes,
    _taken: OwnedSemaphorePermit,
}

impl fmt::Debug for ReadBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadBody({} bytes)", self.bytes.len())
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

/// Reads a body to its end. Asking for the body is what makes a client that sent `Expect: 100-continue` send it, so
/// refuse by headers before.
///
/// # Errors
/// See [`BodyError`]; the rest of the body is then unread.
#[expect(
    clippy::disallowed_methods,
    reason = "a deadline of the network, not of a core"
)]
pub async fn read_body(
    mut body: Incoming,
    limits: &BodyLimits,
    budget: &BodyBudget,
) -> Result<ReadBody, BodyError> {
    let promised = body.size_hint().lower();
    if promised > limits.bytes_max {
        return Err(BodyError::TooLarge);
    }
    let started = Instant::now();
    let mut gathered = Gathered::begin(promised.min(FIRST_STEP_BYTES), budget)?;
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
        let len = gathered.len() + data.len() as u64;
        if len > limits.bytes_max {
            return Err(BodyError::TooLarge);
        }
        gathered.add(data, promised.max(len), budget)?;
    }
}

/// What came so far. A body of one frame is never copied.
struct Gathered {
    only: Bytes,
    joined: Vec<u8>,
    taken: OwnedSemaphorePermit,
}

impl Gathered {
    fn begin(bytes: u64, budget: &BodyBudget) -> Result<Self, BodyError> {
        Ok(Self {
            only: Bytes::new(),
            joined: Vec::new(),
            taken: budget.take(bytes)?,
        })
    }

    const fn len(&self) -> u64 {
        (self.only.len() + self.joined.len()) as u64
    }

    /// Adds a frame; `expected` is the length that the whole body has at least.
    fn add(&mut self, data: Bytes, expected: u64, budget: &BodyBudget) -> Result<(), BodyError> {
        let len = self.len() + data.len() as u64;
        let taken = self.taken.num_permits() as u64;
        if len > taken {
            let step = len.max(taken * 2).min(expected);
            self.taken.merge(budget.take(step - taken)?);
        }
        if self.len() == 0 {
            self.only = data;
            return Ok(());
        }
        let room = self.taken.num_permits();
        self.joined.reserve_exact(room.saturating_sub(self.joined.len()));
        self.joined.extend_from_slice(&std::mem::take(&mut self.only));
        self.joined.extend_from_slice(&data);
        Ok(())
    }

    fn finish(self) -> ReadBody {
        let Self { only, joined, taken } = self;
        ReadBody {
            bytes: if joined.is_empty() {
                only
            } else {
                Bytes::from(joined)
            },
            _taken: taken,
        }
    }
}

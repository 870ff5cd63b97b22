//! The clock: the only place where the time is read. Cores are told it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Microseconds since 1970-01-01T00:00:00Z. May step in both directions.
    fn now_micros(&self) -> i64;

    /// Time since some fixed moment of this process. Never steps back.
    fn monotonic(&self) -> Duration;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// The machine's clock, its monotonic time counted from this call.
    #[expect(clippy::disallowed_methods, reason = "this is the replacement they name")]
    pub fn shared() -> Arc<dyn Clock> {
        Arc::new(Self {
            start: Instant::now(),
        })
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the replacement they name")]
    fn now_micros(&self) -> i64 {
        let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => micros(after),
            Err(before) => -micros(before.duration()),
        }
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that a test moves by hand.
#[derive(Debug, Default)]
pub struct HandClock {
    now_micros: AtomicI64,
    monotonic_micros: AtomicI64,
}

impl HandClock {
    /// A clock that stands at this moment.
    pub fn at_micros(now: i64) -> Arc<Self> {
        Arc::new(Self {
            now_micros: AtomicI64::new(now),
            monotonic_micros: AtomicI64::new(0),
        })
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.now_micros.fetch_add(micros, Ordering::SeqCst);
        self.monotonic_micros.fetch_add(micros, Ordering::SeqCst);
    }

    /// Steps the wall clock, in either direction, without time passing.
    pub fn step_micros(&self, by: i64) {
        self.now_micros.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now_micros(&self) -> i64 {
        self.now_micros.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.monotonic_micros.load(Ordering::SeqCst)).unwrap_or(0))
    }
}

//! A store that fails now and then, by a seed: calls that did not happen and say so, calls that happened and say they failed,
//! calls of which nobody knows; and crash points, at which the caller's world ends between two calls.
//!
//! What does not live here: delays, and damage to bytes.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use disk::Moment;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{ListPage, ObjectMeta, Payload, Put, Store, StoreError};

/// How often a call ends badly, each as a chance between 0 and 1; together at most 1. The rest goes well.
#[derive(Clone, Copy, Debug, Default)]
pub struct Odds {
    /// It does not happen, and that is known: [`StoreError::Determinate`].
    pub refused: f64,
    /// It happens, and the answer is lost: [`StoreError::Indeterminate`].
    pub answer_lost: f64,
    /// It does not happen, and that is not known: [`StoreError::Indeterminate`].
    pub call_lost: f64,
}

/// How many calls ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Passed on, with whatever the store answered.
    pub answered: u64,
    /// Did not happen, and said so.
    pub refused: u64,
    /// Happened, and said that it may have.
    pub answers_lost: u64,
    /// Did not happen, and said that it may have.
    pub calls_lost: u64,
}

/// A store in front of another that fails now and then. Clones share odds, counts and crash point.
#[derive(Clone, Debug)]
pub struct UnreliableStore {
    inner: Arc<dyn Store>,
    fate: Arc<Mutex<Fate>>,
}

#[derive(Debug)]
struct Fate {
    rng: ChaCha8Rng,
    odds: Odds,
    ends: Ends,
    calls: u64,
    cut: Option<(u64, Moment)>,
}

#[derive(Clone, Copy)]
enum End {
    Answered,
    Refused,
    AnswerLost,
    CallLost,
}

impl UnreliableStore {
    /// In front of `inner`, with odds drawn by a seed. The same calls in the same order end the same way.
    pub fn new(inner: Arc<dyn Store>, seed: u64, odds: Odds) -> Self {
        Self {
            inner,
            fate: Arc::new(Mutex::new(Fate {
                rng: ChaCha8Rng::seed_from_u64(seed),
                odds,
                ends: Ends::default(),
                calls: 0,
                cut: None,
            })),
        }
    }

    /// Other odds from now on.
    pub fn set_odds(&self, odds: Odds) {
        self.lock().odds = odds;
    }

    /// Calls so far, of every verb.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// How the calls ended so far.
    pub fn ends(&self) -> Ends {
        self.lock().ends
    }

    /// From this call on (counted as by [`Self::calls`], the first is 1) everything fails and nothing happens; the moment
    /// says whether that one call still does. The world after the crash is `inner`.
    pub fn fail_at(&self, call: u64, moment: Moment) {
        self.lock().cut = Some((call, moment));
    }

    fn lock(&self) -> MutexGuard<'_, Fate> {
        // Counters and a generator: nothing that a panic could leave half done.
        self.fate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call<T>(
        &self,
        action: &'static str,
        key: &str,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let (key, cause) = (key.to_owned(), "the unreliable store had it so".to_owned());
        let end = self.lock().next_end();
        match end {
            End::Answered => return call.await,
            End::Refused => return Err(StoreError::Determinate { action, key, cause }),
            End::AnswerLost => drop(call.await),
            End::CallLost => drop(call),
        }
        Err(StoreError::Indeterminate { action, key, cause })
    }
}

impl Fate {
    fn next_end(&mut self) -> End {
        self.calls += 1;
        let drawn = self.draw();
        let end = match self.cut {
            Some((call, Moment::After)) if self.calls == call => End::AnswerLost,
            Some((call, _)) if self.calls >= call => End::CallLost,
            _ => drawn,
        };
        let count = match end {
            End::Answered => &mut self.ends.answered,
            End::Refused => &mut self.ends.refused,
            End::AnswerLost => &mut self.ends.answers_lost,
            End::CallLost => &mut self.ends.calls_lost,
        };
        *count += 1;
        end
    }

    fn draw(&mut self) -> End {
        let Odds {
            refused,
            answer_lost,
            call_lost,
        } = self.odds;
        let drawn: f64 = self.rng.random();
        if drawn < refused {
            End::Refused
        } else if drawn < refused + answer_lost {
            End::AnswerLost
        } else if drawn < refused + answer_lost + call_lost {
            End::CallLost
        } else {
            End::Answered
        }
    }
}

#[async_trait]
impl Store for UnreliableStore {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        self.call("put", key, self.inner.put_if_absent(key, payload))
            .await
    }

    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        self.call("get", key, self.inner.get(key)).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.call("get", key, self.inner.get_range(key, range)).await
    }

    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        self.call("get", key, self.inner.get_tail(key, len)).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
        self.call("head", key, self.inner.head(key)).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError> {
        self.call("list", prefix, self.inner.list(prefix, after, limit))
            .await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.call("delete", key, self.inner.delete(key)).await
    }
}

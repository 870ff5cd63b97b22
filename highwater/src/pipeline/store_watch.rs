//! Watching the store: since when its puts or its reads fail. What is done about it is decided elsewhere.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use ping::Timestamp;
use service::clock::Clock;
use store::{ListPage, ObjectMeta, Payload, Put, Store, StoreError};

/// A store in front of another that remembers how the last calls ended.
#[derive(Debug)]
pub(crate) struct WatchedStore {
    inner: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// Writes and reads apart: a full disk still reads.
#[derive(Debug, Default)]
struct State {
    writes: Option<Failing>,
    reads: Option<Failing>,
}

/// A failure with no success since.
#[derive(Clone, Debug)]
struct Failing {
    since: Timestamp,
    error: String,
}

impl WatchedStore {
    /// In front of `inner`.
    pub(crate) fn new(inner: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            clock,
            state: Mutex::default(),
        })
    }

    /// Since when writes, or reads, fail, whichever began first, and what was said last; `None` when both work.
    pub(super) fn failing(&self) -> Option<(Timestamp, String)> {
        let state = self.lock();
        let failing = state.writes.iter().chain(&state.reads);
        failing
            .min_by_key(|failing| failing.since)
            .map(|failing| (failing.since, failing.error.clone()))
    }

    /// A read was given up that had no answer for so many seconds.
    pub(super) fn note_silence(&self, action: &str, seconds: u64) {
        let now = Timestamp::from_micros(self.clock.now_micros());
        let mut state = self.lock();
        state.reads = Some(Failing {
            since: state.reads.as_ref().map_or(now, |before| before.since),
            error: format!("{action}: no answer for {seconds} s"),
        });
    }

    fn note<T>(&self, write: bool, result: Result<T, StoreError>) -> Result<T, StoreError> {
        let error = match &result {
            Err(
                StoreError::Determinate { action, cause, .. }
                | StoreError::Indeterminate { action, cause, .. },
            ) => Some(format!("{action}: {cause}")),
            Err(StoreError::File { cause, .. }) => Some(format!("put: {cause}")),
            Ok(_) | Err(StoreError::NotFound { .. }) => None,
        };
        let now = Timestamp::from_micros(self.clock.now_micros());
        let mut state = self.lock();
        let place = if write {
            &mut state.writes
        } else {
            &mut state.reads
        };
        *place = error.map(|error| Failing {
            since: place.as_ref().map_or(now, |before| before.since),
            error,
        });
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for WatchedStore {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        self.note(true, self.inner.put_if_absent(key, payload).await)
    }

    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        self.note(false, self.inner.get(key).await)
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.note(false, self.inner.get_range(key, range).await)
    }

    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        self.note(false, self.inner.get_tail(key, len).await)
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
        self.note(false, self.inner.head(key).await)
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError> {
        self.note(false, self.inner.list(prefix, after, limit).await)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.note(true, self.inner.delete(key).await)
    }
}

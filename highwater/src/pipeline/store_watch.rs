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

/// Writes and reads apart: a full disk still reads. An object that cannot be read casts a doubt on the store, and no more:
/// others may be read. A listing settles it.
#[derive(Debug, Default)]
struct State {
    writes: Option<Failing>,
    listing: Option<Failing>,
    doubted: bool,
}

/// What a call was about, as far as its failure tells of the store.
#[derive(Clone, Copy, Debug)]
enum Call {
    Put,
    List,
    Object,
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

    /// Since when puts, or listings, fail, whichever began first, and what was said last; `None` when both work.
    pub(super) fn failing(&self) -> Option<(Timestamp, String)> {
        let state = self.lock();
        let failing = state.writes.iter().chain(&state.listing);
        failing
            .min_by_key(|failing| failing.since)
            .map(|failing| (failing.since, failing.error.clone()))
    }

    /// Whether an object could not be read since this was asked last, and nothing was read after it: who asks lists the store.
    pub(super) fn take_doubt(&self) -> bool {
        std::mem::take(&mut self.lock().doubted)
    }

    /// A listing was given up that had no answer for so many seconds.
    pub(super) fn note_silence(&self, action: &str, seconds: u64) {
        let now = Timestamp::from_micros(self.clock.now_micros());
        let mut state = self.lock();
        state.listing = Some(Failing {
            since: state.listing.as_ref().map_or(now, |before| before.since),
            error: format!("{action}: no answer for {seconds} s"),
        });
    }

    fn note<T>(&self, call: Call, result: Result<T, StoreError>) -> Result<T, StoreError> {
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
        let place = match call {
            Call::Put => &mut state.writes,
            Call::List => &mut state.listing,
            Call::Object => {
                state.doubted = error.is_some();
                if error.is_none() {
                    state.listing = None;
                }
                return result;
            }
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
        self.note(Call::Put, self.inner.put_if_absent(key, payload).await)
    }

    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        self.note(Call::Object, self.inner.get(key).await)
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.note(Call::Object, self.inner.get_range(key, range).await)
    }

    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        self.note(Call::Object, self.inner.get_tail(key, len).await)
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
        self.note(Call::Object, self.inner.head(key).await)
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError> {
        self.note(Call::List, self.inner.list(prefix, after, limit).await)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        // Whether an object can be deleted tells nothing of the store: it may be locked. Retention says so.
        self.inner.delete(key).await
    }
}

#[cfg(test)]
mod tests {
    use service::clock::SystemClock;
    use store::MemoryStore;

    use super::*;

    /// A store that refuses to read one object, or to list; and no deletion at all.
    #[derive(Debug)]
    struct Refusing {
        inner: MemoryStore,
        lists: std::sync::atomic::AtomicBool,
    }

    fn refused<T>(action: &'static str, key: &str) -> Result<T, StoreError> {
        Err(StoreError::Determinate {
            action,
            key: key.to_owned(),
            cause: "denied".to_owned(),
        })
    }

    #[async_trait]
    impl Store for Refusing {
        async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
            self.inner.put_if_absent(key, payload).await
        }

        async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
            match key {
                "denied" => refused("get", key),
                _ => self.inner.get(key).await,
            }
        }

        async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
            self.inner.get_range(key, range).await
        }

        async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
            self.inner.get_tail(key, len).await
        }

        async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
            self.inner.head(key).await
        }

        async fn list(
            &self,
            prefix: &str,
            after: Option<&str>,
            limit: usize,
        ) -> Result<ListPage, StoreError> {
            match self.lists.load(std::sync::atomic::Ordering::Relaxed) {
                true => self.inner.list(prefix, after, limit).await,
                false => refused("list", prefix),
            }
        }

        async fn delete(&self, key: &str) -> Result<(), StoreError> {
            refused("delete", key)
        }
    }

    #[tokio::test]
    async fn one_object_that_cannot_be_read_or_deleted_is_not_the_stores_failure_unless_nothing_is_listed() {
        let refusing = Arc::new(Refusing {
            inner: MemoryStore::new(disk::RealDisk::shared()),
            lists: false.into(),
        });
        let store = WatchedStore::new(refusing.clone(), SystemClock::shared());
        for _ in 0..3 {
            store.get("denied").await.expect_err("denied");
        }
        store.delete("locked").await.expect_err("denied");
        assert_eq!(store.failing(), None);
        assert!(store.take_doubt());
        assert!(!store.take_doubt());
        store.list("", None, 1).await.expect_err("denied");
        assert!(store.failing().is_some_and(|(_, error)| error == "list: denied"));
        refusing.lists.store(true, std::sync::atomic::Ordering::Relaxed);
        store.list("", None, 1).await.expect("listed");
        assert_eq!(store.failing(), None);
    }
}

//! A store beyond a network: what is put outlives every process; a put may come twice, or late, when nobody waits for it
//! any more; a listing may leave out what is new.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use disk::Disk;
use service::clock::{Clock, HandClock};
use store::{Crc32c, ListPage, MemoryStore, ObjectMeta, Payload, Put, Store, StoreError};

use crate::dice::Dice;
use crate::trace::Trace;

/// The longest that a put is under way.
const LATEST: Duration = Duration::from_secs(2 * 3_600);

/// The objects, and what is under way to them. It outlives processes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects {
    pub(crate) store: MemoryStore,
    late: Arc<Mutex<Vec<Late>>>,
}

#[derive(Debug)]
struct Late {
    due: Duration,
    key: String,
    bytes: Bytes,
}

/// The way to the objects, for one process.
pub(crate) struct Remote {
    objects: Objects,
    disk: Arc<dyn Disk>,
    clock: Arc<HandClock>,
    /// How often something odd happens, in a thousand.
    odd: u32,
    dice: Mutex<Dice>,
    trace: Trace,
}

impl Objects {
    /// What is under way, and due, arrives.
    pub(crate) async fn arrive(&self, now: Duration) {
        let due: Vec<Late> = {
            let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
            late.extract_if(.., |late| late.due <= now).collect()
        };
        for Late { key, bytes, .. } in due {
            // Nobody waits for the answer.
            let _ = self.store.put_if_absent(&key, Payload::Bytes(bytes)).await;
        }
    }
}

impl Remote {
    pub(crate) fn new(
        objects: Objects,
        disk: Arc<dyn Disk>,
        clock: Arc<HandClock>,
        odd: u32,
        dice: Dice,
        trace: Trace,
    ) -> Self {
        Self {
            objects,
            disk,
            clock,
            odd,
            dice: Mutex::new(dice),
            trace,
        }
    }

    fn dice(&self) -> MutexGuard<'_, Dice> {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn arrived(&self) -> &MemoryStore {
        self.objects.arrive(self.clock.monotonic()).await;
        &self.objects.store
    }

    fn load(&self, payload: Payload) -> io::Result<Bytes> {
        let (path, len, crc) = match payload {
            Payload::Bytes(bytes) => return Ok(bytes),
            Payload::File { path, len, crc } => (path, len, crc),
        };
        let file = self.disk.open_read(&path)?;
        let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
        let read = file.read_at(&mut bytes, 0)?;
        if read < bytes.len() {
            return Err(io::Error::other("the file is shorter than announced"));
        }
        if Crc32c::of(&bytes) != crc {
            return Err(io::Error::other(
                "what is read of the file is not what was written to it",
            ));
        }
        Ok(Bytes::from(bytes))
    }

    /// How much later a put arrives whose sender hears nothing of it.
    fn late(&self) -> Option<Duration> {
        let mut dice = self.dice();
        (dice.happens(self.odd) && dice.happens(500)).then(|| dice.time(Duration::from_millis(1), LATEST))
    }
}

#[async_trait]
impl Store for Remote {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        let bytes = self.load(payload).map_err(|error| StoreError::File {
            key: key.to_owned(),
            cause: error.to_string(),
        })?;
        let store = self.arrived().await;
        if let Some(later) = self.late() {
            let late = Late {
                due: self.clock.monotonic() + later,
                key: key.to_owned(),
                bytes,
            };
            let mut all = self.objects.late.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(late);
            self.trace.count("puts that arrive late");
            return Err(StoreError::Indeterminate {
                action: "put",
                key: key.to_owned(),
                cause: "no answer".to_owned(),
            });
        }
        let twice = self.dice().happens(self.odd);
        let first = store.put_if_absent(key, Payload::Bytes(bytes.clone())).await;
        if twice {
            self.trace.count("puts that come twice");
            return store.put_if_absent(key, Payload::Bytes(bytes)).await;
        }
        first
    }

    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        self.arrived().await.get(key).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.arrived().await.get_range(key, range).await
    }

    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        self.arrived().await.get_tail(key, len).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
        self.arrived().await.head(key).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError> {
        let mut page = self.arrived().await.list(prefix, after, limit).await?;
        let mut dice = self.dice();
        let all = page.objects.len();
        page.objects.retain(|_| !dice.happens(self.odd));
        if page.objects.len() < all {
            self.trace.count("listings that leave out objects");
        }
        Ok(page)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.arrived().await.delete(key).await
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").finish_non_exhaustive()
    }
}

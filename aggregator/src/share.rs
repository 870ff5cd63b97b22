//! The share of the pending chunks that this process folds where several do: leases, renewed for as long as it lives, and
//! the fences that its batches bear.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aggregate_store::{AggregateError, Batch, Holder, Lease, Leases, shard_of};
use index_schema::IndexEntry;
use ping::ChunkId;
use service::clock::Clock;
use service::task;

use crate::metrics;

/// Leases are renewed so often in their time.
const RENEWALS: u32 = 3;

/// What this process may fold, and until when it may believe so.
#[derive(Debug)]
pub struct Share {
    leases: Arc<dyn Leases>,
    holder: Holder,
    ttl: Duration,
    clock: Arc<dyn Clock>,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    leases: Vec<Lease>,
    /// By the monotonic clock, from the moment before the database was asked.
    until: Duration,
}

/// The leases of one moment, by their shards.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fences(BTreeMap<u16, Lease>);

impl Share {
    /// Nothing yet, until it is renewed. `holder` is drawn at each start of a process; `ttl` is how long the others wait for
    /// one that says nothing.
    pub fn new(leases: Arc<dyn Leases>, holder: Holder, ttl: Duration, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            leases,
            holder,
            ttl,
            clock,
            held: Mutex::default(),
        })
    }

    /// Says that this process lives, and takes or gives what makes its share.
    ///
    /// # Errors
    /// When the database refused: what was held is believed to be until its time is over.
    pub async fn renew(&self) -> Result<(), AggregateError> {
        let asked = self.clock.monotonic();
        let leases = self.leases.renew(self.holder, self.ttl).await?;
        metrics::leases(leases.len());
        let mut held = self.lock();
        let (before, now) = (held.leases.len(), leases.len());
        *held = Held {
            leases,
            until: asked.saturating_add(self.ttl),
        };
        drop(held);
        if before != now {
            tracing::info!(
                before,
                now,
                of = aggregate_store::SHARDS,
                "the share of the chunks changed"
            );
        }
        Ok(())
    }

    /// Renews for ever.
    pub(crate) async fn keep_on(&self) {
        loop {
            if let Err(error) = self.renew().await {
                tracing::warn!(%error, "the leases could not be renewed; it is tried again");
            }
            task::sleep(self.ttl / RENEWALS).await;
        }
    }

    /// Gives everything back, so that others go on at once.
    pub(crate) async fn leave(&self) {
        *self.lock() = Held::default();
        metrics::leases(0);
        if let Err(error) = self.leases.leave(self.holder).await {
            tracing::warn!(%error, "the leases could not be given back; they end by themselves");
        }
    }

    /// What is held by now. Who was frozen past its time holds nothing before it has asked.
    pub(crate) fn fences(&self) -> Fences {
        let held = self.lock();
        if self.clock.monotonic() >= held.until {
            return Fences::default();
        }
        Fences(held.leases.iter().map(|lease| (lease.shard, *lease)).collect())
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fences {
    /// Whether it is no share at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a chunk is in this share.
    pub(crate) fn hold(&self, chunk: ChunkId) -> bool {
        self.0.contains_key(&shard_of(chunk))
    }

    /// Leaves only what is in this share.
    pub(crate) fn retain(&self, entries: &mut Vec<IndexEntry>) {
        entries.retain(|entry| self.hold(entry.id));
    }

    /// How many pending chunks to look at so that about `wanted` of them are in this share.
    pub(crate) fn looked_at(&self, wanted: usize) -> usize {
        let shards = usize::from(aggregate_store::SHARDS);
        wanted.saturating_mul(shards) / self.0.len().max(1)
    }

    /// Has a batch bear the fences of its chunks.
    pub(crate) fn put_on(&self, batch: &mut Batch) {
        let shards = batch.chunks.iter().map(|chunk| shard_of(chunk.id));
        batch.fences = shards.filter_map(|shard| self.0.get(&shard).copied()).collect();
        batch.fences.sort_unstable();
        batch.fences.dedup();
    }
}

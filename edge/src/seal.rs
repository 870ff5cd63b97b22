//! Sealing: a few tasks that turn open chunks into chunks in the store.
//!
//! Gather, then log the plan, then put until the store says the chunk is there, then log that the plan is done, then
//! announce the chunk. Whatever fails is tried again for ever, and after a crash the plan is carried out from its list.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chunk::{FORMAT_MAJOR, FORMAT_MINOR, Tail};
use disk::Disk;
use index_schema::ChunkKey;
use index_schema::proto::{Plan, PlanDone};
use ping::Timestamp;
use service::clock::Clock;
use service::random::Random;
use service::shutdown::Shutdown;
use store::{Payload, Put, Store, StoreError};
use tokio::sync::mpsc;

use crate::gather::{Gathered, GatheredChunk, Order, Workbench};
use crate::ledger::{Ledger, Seal};
use crate::log::damage::Damaged;
use crate::log::handle::Log;
use crate::log::position::Position;
use crate::log::runs;
use crate::metrics as names;
use crate::staging::Staging;
use crate::waiting::{PartitionKey, Taken, logged_bytes};

/// The longest wait between two tries, as a multiple of the first.
const BACKOFF_GROWTH: u32 = 100;

/// Everything a seal needs.
pub(crate) struct Sealer {
    pub(crate) log: Arc<Log>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) shutdown: Shutdown,
    pub(crate) announce: mpsc::Sender<String>,
    pub(crate) prefix: String,
    pub(crate) staging_dir: PathBuf,
    pub(crate) damaged_dir: PathBuf,
    /// The first wait between two tries; it doubles, up to a hundredfold.
    pub(crate) backoff: Duration,
    /// As many gather at once; more may wait for the store.
    pub(crate) workbenches: Mutex<Vec<Workbench>>,
    pub(crate) gathering: tokio::sync::Semaphore,
}

/// A chunk whose plan is logged.
pub(crate) struct Planned {
    /// The plan's number.
    pub(crate) plan: u64,
    /// The chunk's key.
    pub(crate) key: String,
    /// The digest of its records.
    pub(crate) digest: [u8; 16],
    /// The segment that the plan pins.
    pub(crate) segment: u32,
    /// Where its records lie in the log.
    pub(crate) positions: Vec<Position>,
    /// Records that the log holds no more.
    pub(crate) missing: u64,
    /// When it was sealed.
    pub(crate) sealed: Timestamp,
}

/// What stands under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    /// The chunk.
    Same,
    /// Something else.
    Other,
}

/// The process is ending: what is not finished goes on at the next start.
pub(crate) struct Ended;

impl Sealer {
    /// Seals pings that an open chunk held.
    pub(crate) async fn seal(self: &Arc<Self>, seal: Seal) {
        // When the process ends meanwhile, everything is found in the log again.
        if self.try_seal(seal.number, seal.taken).await.is_ok() {
            self.ledger.end_seal(seal.number);
        }
    }

    async fn try_seal(self: &Arc<Self>, _number: u64, taken: Taken) -> Result<(), Ended> {
        let sealed = Timestamp::from_micros(self.clock.now_micros());
        let id = self.log.next_chunk();
        let (key, since_us) = (taken.key.clone(), taken.since_us);
        let mut gathered = self
            .gather(id, key.clone(), Arc::new(taken.positions), sealed)
            .await?;
        self.set_aside(&key, std::mem::take(&mut gathered.damaged)).await;
        self.ledger.give_back(Taken {
            key: key.other_kind(),
            positions: gathered.moved,
            since_us,
        });
        self.ledger.give_back(Taken {
            key: key.clone(),
            positions: gathered.rest,
            since_us,
        });
        let Some(chunk) = gathered.chunk else {
            return Ok(());
        };
        self.ledger
            .learn(chunk.stored_bytes, logged_bytes(&chunk.positions));
        let chunk_key = ChunkKey {
            prefix: self.prefix.clone(),
            kind: key.kind(),
            partition: key.partition(),
            id,
        };
        let planned = self.plan(chunk_key.to_string(), id.plan, sealed, &chunk).await?;
        self.carry_out(&planned, &chunk, &key, since_us).await
    }

    /// Logs the decision which records become which chunk.
    async fn plan(
        &self,
        key: String,
        plan: u64,
        sealed: Timestamp,
        chunk: &GatheredChunk,
    ) -> Result<Planned, Ended> {
        let message = Plan {
            plan,
            key: key.clone(),
            format_major: FORMAT_MAJOR,
            format_minor: FORMAT_MINOR,
            record_digest: chunk.digest.to_vec().into(),
            sealed_us: sealed.as_micros(),
            records: chunk.ids.len() as u64,
            runs: runs::encode(chunk.ids.iter().copied()),
        };
        let mut wait = self.backoff;
        let segment = loop {
            match self.log.append_plan(message.clone()).await {
                Ok(segment) => break segment,
                Err(_) => self.pause(&mut wait).await?,
            }
        };
        let (digest, positions) = (chunk.digest, chunk.positions.clone());
        Ok(Planned {
            plan,
            key,
            digest,
            segment,
            positions,
            missing: 0,
            sealed,
        })
    }

    /// Carries out a plan that was found undone.
    pub(crate) async fn resume(self: &Arc<Self>, number: u64, planned: Planned) {
        if self.try_resume(&planned).await.is_ok() {
            self.ledger.end_seal(number);
        }
    }

    async fn try_resume(self: &Arc<Self>, planned: &Planned) -> Result<(), Ended> {
        let Ok(chunk_key) = ChunkKey::parse(&planned.key) else {
            tracing::error!(
                key = planned.key,
                plan = planned.plan,
                "gave up a plan whose key cannot be read"
            );
            return Ok(());
        };
        let key = PartitionKey::new(chunk_key.kind, &chunk_key.partition);
        let positions = Arc::new(planned.positions.clone());
        let rebuilt = self
            .gather(chunk_key.id, key.clone(), positions, planned.sealed)
            .await?;
        let whole = planned.missing == 0
            && rebuilt.moved.is_empty()
            && rebuilt.damaged.is_empty()
            && rebuilt.rest.is_empty();
        match rebuilt.chunk {
            Some(chunk) if whole && chunk.digest == planned.digest => {
                self.carry_out(planned, &chunk, &key, i64::MIN / 2).await
            }
            _ => self.resume_without_records(planned, &key).await,
        }
    }

    /// The records of a plan can no longer be had as they were: only the store can tell whether its chunk was put.
    async fn resume_without_records(&self, planned: &Planned, key: &PartitionKey) -> Result<(), Ended> {
        tracing::error!(
            key = planned.key,
            missing = planned.missing,
            "a plan in the write-ahead log cannot be carried out again with the same records"
        );
        metrics::counter!(names::PLANS_UNEQUAL).increment(1);
        let mut wait = self.backoff;
        loop {
            match self.store.get(&planned.key).await {
                Ok(bytes) if is_chunk(&bytes, bytes.len() as u64, &planned.digest) => {
                    // Seen is not durable: only a put says that.
                    self.put(planned, Payload::Bytes(bytes)).await?;
                    return self
                        .finish(planned, planned.positions.len() as u64 + planned.missing)
                        .await;
                }
                Ok(_) | Err(StoreError::NotFound { .. }) => {
                    return self.give_up(planned, key, i64::MIN / 2).await;
                }
                Err(error) => self.report_and_pause(&planned.key, &error, &mut wait).await?,
            }
        }
    }

    /// Puts a planned chunk until it is there, and settles its records.
    async fn carry_out(
        &self,
        planned: &Planned,
        chunk: &GatheredChunk,
        key: &PartitionKey,
        since_us: i64,
    ) -> Result<(), Ended> {
        match self.put(planned, chunk.staged.payload()).await? {
            Stored::Same => {
                metrics::counter!(names::CHUNKS_SEALED).increment(1);
                metrics::counter!(names::CHUNK_BYTES).increment(chunk.stored_bytes);
                self.finish(planned, planned.positions.len() as u64).await
            }
            Stored::Other => {
                tracing::error!(
                    key = planned.key,
                    "another object has this chunk's key: its pings are kept and become a chunk under a fresh key"
                );
                metrics::counter!(names::PLANS_UNEQUAL).increment(1);
                self.give_up(planned, key, since_us).await
            }
        }
    }

    /// Logs that a plan is done, and announces its chunk.
    async fn finish(&self, planned: &Planned, records: u64) -> Result<(), Ended> {
        let mut released = by_segment(&planned.positions);
        released.push((planned.segment, 1));
        self.log_done(
            PlanDone {
                plan: planned.plan,
                records,
            },
            released,
        )
        .await?;
        tokio::select! {
            biased;
            () = self.shutdown.wished() => {} // Chunks nobody was told of are found at the next start.
            _ = self.announce.send(planned.key.clone()) => {}
        }
        Ok(())
    }

    /// Logs that a plan is given up; its records wait again.
    async fn give_up(&self, planned: &Planned, key: &PartitionKey, since_us: i64) -> Result<(), Ended> {
        let done = PlanDone {
            plan: planned.plan,
            records: 0,
        };
        self.log_done(done, vec![(planned.segment, 1)]).await?;
        let positions = planned.positions.clone();
        self.ledger.give_back(Taken {
            key: key.clone(),
            positions,
            since_us,
        });
        if planned.missing > 0 {
            self.log.release(Vec::new(), planned.missing).await;
        }
        Ok(())
    }

    async fn log_done(&self, done: PlanDone, released: Vec<(u32, u64)>) -> Result<(), Ended> {
        let mut wait = self.backoff;
        while self.log.append_done(done, released.clone()).await.is_err() {
            self.pause(&mut wait).await?;
        }
        Ok(())
    }

    /// Puts until the store says that an object with this key is there, durably; then says whether it is the chunk.
    async fn put(&self, planned: &Planned, payload: Payload) -> Result<Stored, Ended> {
        let mut wait = self.backoff;
        loop {
            match self.store.put_if_absent(&planned.key, payload.clone()).await {
                Ok(Put::Created) => return Ok(Stored::Same),
                Ok(Put::AlreadyThere) => return self.compare(planned).await,
                Err(error) => self.report_and_pause(&planned.key, &error, &mut wait).await?,
            }
        }
    }

    async fn compare(&self, planned: &Planned) -> Result<Stored, Ended> {
        let mut wait = self.backoff;
        loop {
            match self.store.get_tail(&planned.key, chunk::limits::TAIL_BYTES).await {
                Ok((tail, len)) if is_chunk(&tail, len, &planned.digest) => return Ok(Stored::Same),
                Ok(_) => return Ok(Stored::Other),
                Err(error) => self.report_and_pause(&planned.key, &error, &mut wait).await?,
            }
        }
    }

    /// Gathers on the pool for work that blocks, at one of a few workbenches, until it works.
    async fn gather(
        self: &Arc<Self>,
        id: ping::ChunkId,
        key: PartitionKey,
        positions: Arc<Vec<Position>>,
        sealed: Timestamp,
    ) -> Result<Gathered, Ended> {
        let mut wait = self.backoff;
        loop {
            let permit = self.gathering.acquire().await.map_err(|_| Ended)?;
            let (sealer, key, positions) = (Arc::clone(self), key.clone(), Arc::clone(&positions));
            let gathered = service::task::blocking(move || {
                let order = Order {
                    id,
                    key: &key,
                    positions: &positions,
                    sealed,
                };
                let staging = Staging::new(Arc::clone(&sealer.disk), &sealer.staging_dir, &staging_name(id));
                let mut bench = sealer.benches().pop().expect("as many as permits");
                let gathered = bench.gather(&sealer.log, &order, staging);
                sealer.benches().push(bench);
                gathered
            })
            .await;
            drop(permit);
            match gathered {
                Ok(gathered) => return Ok(gathered),
                Err(error) => {
                    tracing::warn!(%error, chunk = %id, "could not gather a chunk; tried again");
                    self.pause(&mut wait).await?;
                }
            }
        }
    }

    /// Sets aside pings whose place in the log was found damaged.
    async fn set_aside(&self, key: &PartitionKey, damaged: Vec<(Position, Vec<u8>)>) {
        if damaged.is_empty() {
            return;
        }
        let positions: Vec<Position> = damaged.iter().map(|(position, _)| *position).collect();
        let (disk, dir) = (Arc::clone(&self.disk), self.damaged_dir.clone());
        service::task::blocking(move || {
            for (position, bytes) in damaged {
                Damaged::new(disk.as_ref(), &dir).keep_bytes(position.segment, position.offset(), &bytes);
            }
        })
        .await;
        tracing::error!(pings = positions.len(), kind = ?key.kind(), "acknowledged pings could not be read back from the write-ahead log");
        self.log
            .release(by_segment(&positions), positions.len() as u64)
            .await;
    }

    async fn report_and_pause(
        &self,
        key: &str,
        error: &StoreError,
        wait: &mut Duration,
    ) -> Result<(), Ended> {
        tracing::warn!(key, %error, "the store did not answer as hoped; tried again");
        metrics::counter!(names::STORE_RETRIES).increment(1);
        self.pause(wait).await
    }

    /// Waits between half of and the whole of `wait`, which then doubles.
    async fn pause(&self, wait: &mut Duration) -> Result<(), Ended> {
        let drawn = f64::from(self.random.bits()[0]) / 510.0;
        let pause = wait.mul_f64(0.5 + drawn);
        *wait = (*wait * 2).min(self.backoff * BACKOFF_GROWTH);
        tokio::select! {
            biased;
            () = self.shutdown.wished() => Err(Ended),
            () = service::task::sleep(pause) => Ok(()),
        }
    }

    fn benches(&self) -> std::sync::MutexGuard<'_, Vec<Workbench>> {
        self.workbenches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a chunk's file in the staging folder.
fn staging_name(id: ping::ChunkId) -> String {
    format!("seal-{}-{}", id.boot, id.plan)
}

/// Whether an object whose last bytes are `tail` is the chunk whose records have this digest.
fn is_chunk(tail: &[u8], len: u64, digest: &[u8; 16]) -> bool {
    Tail::parse(tail, len).is_ok_and(|tail| tail.summary.record_digest == digest[..])
}

/// How many of these places lie in which segment.
fn by_segment(positions: &[Position]) -> Vec<(u32, u64)> {
    let mut counts = std::collections::BTreeMap::new();
    for position in positions {
        *counts.entry(position.segment).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

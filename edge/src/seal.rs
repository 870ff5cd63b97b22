//! Sealing: a few tasks that turn open chunks into chunks in the store.
//!
//! Gather, then log the plan, then put until the store says the chunk is there, then log that the plan is done, then
//! announce the chunk. Whatever fails is tried again for ever, and after a crash the plan is carried out from its list.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use chunk::{FORMAT_MAJOR, FORMAT_MINOR};
use disk::Disk;
use index_schema::ChunkKey;
use index_schema::proto::{Plan, PlanDone};
use ping::Timestamp;
use service::clock::Clock;
use service::random::Random;
use service::shutdown::Shutdown;
use store::Store;
use tokio::sync::mpsc;

use crate::gather::GatheredChunk;
use crate::gatherers::Gatherers;
use crate::gathering::Wanted;
use crate::in_force::InForce;
use crate::ledger::{Ledger, Seal};
use crate::log::damage::Damaged;
use crate::log::handle::Log;
use crate::log::position::Position;
use crate::log::runs;
use crate::metrics as names;
use crate::partition_key::PartitionKey;
use crate::privacy::{NumberedRules, PlanRules};
use crate::put::{Stored, Tries};
use crate::staging_room::StagingRoom;
use crate::stuck::{SealPermit, StuckPlans};
use crate::waiting::{Taken, logged_bytes};

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
    /// Whether the last chunk could not be announced.
    pub(crate) untold: AtomicBool,
    pub(crate) prefix: String,
    /// By which pings are rewritten on their way into chunks.
    pub(crate) privacy: Arc<InForce>,
    pub(crate) damaged_dir: PathBuf,
    /// How many pieces lie in it.
    pub(crate) damaged: Arc<AtomicU64>,
    /// The first wait between two tries; it doubles, up to a hundredfold.
    pub(crate) first_wait: Duration,
    /// Where chunks are gathered; more may wait for the store.
    pub(crate) gatherers: Arc<Gatherers>,
    /// How much of them there may be at once.
    pub(crate) room: StagingRoom,
    /// Plans that the store refuses for long.
    pub(crate) stuck: StuckPlans,
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
    /// By which its records were rewritten.
    pub(crate) rules: PlanRules,
    /// Where its records lie in the log.
    pub(crate) positions: Vec<Position>,
    /// Records that the log holds no more.
    pub(crate) missing: u64,
    /// When it was sealed.
    pub(crate) sealed: Timestamp,
    /// Since when its oldest record waits.
    pub(crate) since_us: i64,
}

/// What became of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    /// Its chunk is in the store, or it was given up.
    Done,
    /// It is to be tried again later, beside others.
    GaveWay,
    /// What was gathered cannot be relied on: it is to be gathered anew.
    Anew,
}

/// The process is ending: what is not finished goes on at the next start.
pub(crate) struct Ended;

impl Sealer {
    /// Seals pings that an open chunk held.
    pub(crate) async fn seal(self: &Arc<Self>, seal: Seal, mut permit: SealPermit) {
        permit.is_of(seal.number);
        match self.try_seal(seal.taken, &mut permit).await {
            Ok(None) => self.ledger.end_seal(seal.number),
            Ok(Some(planned)) => self.go_on_stuck(seal.number, &planned, &mut permit).await,
            Err(Ended) => {} // Everything is found in the log again.
        }
    }

    /// Answers the plan if it gave way to others before it was carried out.
    async fn try_seal(
        self: &Arc<Self>,
        taken: Taken,
        permit: &mut SealPermit,
    ) -> Result<Option<Planned>, Ended> {
        let sealed = Timestamp::from_micros(self.clock.now_micros());
        let id = self.log.next_chunk();
        let (key, since_us) = (taken.key.clone(), taken.since_us);
        let rules = self.privacy.current().await;
        let wanted = Wanted {
            id,
            key: key.clone(),
            positions: Arc::new(taken.positions),
            sealed,
            whole: false,
            rules: rules.clone(),
        };
        let mut tries = Tries::new(self.backoff());
        let Some(mut gathered) = self.gather(&wanted, permit, &mut tries).await? else {
            return Ok(None);
        };
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
            return Ok(None);
        };
        self.ledger
            .learn(chunk.stored_bytes, logged_bytes(&chunk.positions));
        let chunk_key = ChunkKey {
            prefix: self.prefix.clone(),
            kind: key.kind(),
            partition: key.partition(),
            id,
        };
        let planned = self
            .plan(chunk_key.to_string(), (id.plan, sealed, since_us), &chunk, rules)
            .await?;
        let Some(planned) = planned else {
            // Gathered by rules that are in force no more: what may be stored of these pings is another thing now.
            self.ledger.give_back(Taken {
                key,
                positions: chunk.positions,
                since_us,
            });
            return Ok(None);
        };
        let mut tries = Tries::new(self.backoff());
        let carried = match self.carry_out(&planned, chunk, &key, permit, &mut tries).await? {
            Carried::Anew => self.carry_out_anew(&planned, permit, &mut tries).await?,
            carried => carried,
        };
        Ok((carried == Carried::GaveWay).then_some(planned))
    }

    /// Logs the decision which records become which chunk; `None` where the rules are others by now than those that they were
    /// gathered by.
    async fn plan(
        &self,
        key: String,
        (plan, sealed, since_us): (u64, Timestamp, i64),
        chunk: &GatheredChunk,
        rules: Option<Arc<NumberedRules>>,
    ) -> Result<Option<Planned>, Ended> {
        let message = Plan {
            plan,
            key: key.clone(),
            format_major: FORMAT_MAJOR,
            format_minor: FORMAT_MINOR,
            record_digest: chunk.digest.to_vec().into(),
            sealed_us: sealed.as_micros(),
            records: chunk.ids.len() as u64,
            runs: runs::encode(chunk.ids.iter().copied()),
            privacy: rules.as_ref().map_or(0, |rules| rules.number),
        };
        let mut wait = self.backoff();
        let segment = loop {
            let appended = match self.privacy.still(rules.as_deref()).await {
                Some(_unchanged) => self.log.append_plan(message.clone()).await,
                None => return Ok(None),
            };
            match appended {
                Ok(segment) => break segment,
                Err(_) => self.pause(&mut wait).await?,
            }
        };
        let (digest, positions) = (chunk.digest, chunk.positions.clone());
        Ok(Some(Planned {
            plan,
            key,
            digest,
            segment,
            rules: PlanRules::Known(rules),
            positions,
            missing: 0,
            sealed,
            since_us,
        }))
    }

    /// Puts a planned chunk until it is there, and settles its records.
    pub(crate) async fn carry_out(
        &self,
        planned: &Planned,
        chunk: GatheredChunk,
        key: &PartitionKey,
        permit: &mut SealPermit,
        tries: &mut Tries,
    ) -> Result<Carried, Ended> {
        match self.put(planned, chunk.staged.payload(), permit, tries).await? {
            Stored::Unknown => return Ok(Carried::GaveWay),
            Stored::Spoilt => return Ok(Carried::Anew),
            Stored::Same => {
                metrics::counter!(names::CHUNKS_SEALED).increment(1);
                metrics::counter!(names::CHUNK_BYTES).increment(chunk.stored_bytes);
                self.finish(planned, planned.positions.len() as u64).await?;
            }
            Stored::Other => {
                tracing::error!(
                    key = planned.key,
                    "another object has this chunk's key: its pings are kept and become a chunk under a fresh key"
                );
                metrics::counter!(names::PLANS_UNEQUAL).increment(1);
                self.give_up(planned, key).await?;
            }
        }
        Ok(Carried::Done)
    }

    /// Logs that a plan is done, and announces its chunk.
    pub(crate) async fn finish(&self, planned: &Planned, records: u64) -> Result<(), Ended> {
        let mut released = by_segment(&planned.positions);
        released.push((planned.segment, 1));
        self.ledger.note_chunk(&planned.key);
        self.log_done(
            PlanDone {
                plan: planned.plan,
                records,
            },
            released,
        )
        .await?;
        self.announce(&planned.key);
        Ok(())
    }

    /// Tells of a chunk that is in the store, if whoever is told has room for it now. That never holds up a seal: an index that is
    /// away must not stop the log from being freed, and what nobody was told of is found when store and index are compared.
    fn announce(&self, key: &str) {
        if self.announce.try_send(key.to_owned()).is_ok() {
            self.untold.store(false, Ordering::SeqCst);
            return;
        }
        metrics::counter!(names::CHUNKS_UNTOLD).increment(1);
        if !self.untold.swap(true, Ordering::SeqCst) {
            tracing::warn!(
                key,
                "the indexer is behind: this chunk and others are in the store and not announced; the next comparison of store and index, or `highwater reconcile`, finds them"
            );
        }
    }

    /// Logs that a plan is given up; its records wait again.
    pub(crate) async fn give_up(&self, planned: &Planned, key: &PartitionKey) -> Result<(), Ended> {
        let done = PlanDone {
            plan: planned.plan,
            records: 0,
        };
        self.log_done(done, vec![(planned.segment, 1)]).await?;
        let positions = planned.positions.clone();
        self.ledger.give_back(Taken {
            key: key.clone(),
            positions,
            since_us: planned.since_us,
        });
        if planned.missing > 0 {
            self.log.release(Vec::new(), planned.missing, Vec::new()).await;
        }
        Ok(())
    }

    async fn log_done(&self, done: PlanDone, released: Vec<(u32, u64)>) -> Result<(), Ended> {
        let mut wait = self.backoff();
        while self.log.append_done(done, released.clone()).await.is_err() {
            self.pause(&mut wait).await?;
        }
        Ok(())
    }

    /// Sets aside pings whose place in the log was found damaged. What cannot be set aside stays in the log, and waits no
    /// more.
    pub(crate) async fn set_aside(&self, key: &PartitionKey, damaged: Vec<(Position, Vec<u8>)>) {
        if damaged.is_empty() {
            return;
        }
        let positions: Vec<Position> = damaged.iter().map(|(position, _)| *position).collect();
        let (disk, dir, count) = (
            Arc::clone(&self.disk),
            self.damaged_dir.clone(),
            Arc::clone(&self.damaged),
        );
        let unkept = service::task::blocking(move || {
            let folder = Damaged::new(disk.as_ref(), &dir);
            let mut unkept = Vec::new();
            for (position, bytes) in damaged {
                if !folder.keep_bytes(position.segment, position.offset(), &bytes) {
                    unkept.push(position);
                }
            }
            if let Ok(pieces) = folder.pieces() {
                count.store(pieces + unkept.len() as u64, Ordering::SeqCst);
            }
            unkept
        })
        .await;
        tracing::error!(pings = positions.len(), kind = ?key.kind(), "acknowledged pings could not be read back from the write-ahead log");
        self.log
            .release(by_segment(&positions), positions.len() as u64, unkept)
            .await;
    }
}

/// How many of these places lie in which segment.
fn by_segment(positions: &[Position]) -> Vec<(u32, u64)> {
    let mut counts = std::collections::BTreeMap::new();
    for position in positions {
        *counts.entry(position.segment).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

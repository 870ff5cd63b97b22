//! Carrying out plans that a start finds undone, for ever, beside what is new.

use std::sync::Arc;

use bytes::Bytes;
use chunk::limits::TAIL_BYTES;
use index_schema::ChunkKey;
use store::{Payload, StoreError};

use crate::gathering::Wanted;
use crate::metrics as names;
use crate::partition_key::PartitionKey;
use crate::privacy::PlanRules;
use crate::put::{Found, Stored, Tries, Unreadable};
use crate::seal::{Carried, Ended, Planned, Sealer};
use crate::stuck::SealPermit;

impl Sealer {
    /// Carries out a plan that was found undone.
    pub(crate) async fn resume(self: &Arc<Self>, number: u64, planned: Planned, mut permit: SealPermit) {
        permit.is_of(number);
        match self.try_resume(&planned, &mut permit).await {
            Ok(Carried::Done) => self.ledger.end_seal(number),
            Ok(Carried::GaveWay | Carried::Anew) => self.go_on_stuck(number, &planned, &mut permit).await,
            Err(Ended) => {} // Everything is found in the log again.
        }
    }

    /// Gathers a plan's chunk again and carries it out.
    pub(crate) async fn try_resume(
        self: &Arc<Self>,
        planned: &Planned,
        permit: &mut SealPermit,
    ) -> Result<Carried, Ended> {
        self.carry_out_anew(planned, permit, &mut Tries::new(self.backoff()))
            .await
    }

    /// Gathers a plan's chunk again, and yet again where that cannot be relied on, and carries it out.
    pub(crate) async fn carry_out_anew(
        self: &Arc<Self>,
        planned: &Planned,
        permit: &mut SealPermit,
        tries: &mut Tries,
    ) -> Result<Carried, Ended> {
        loop {
            match self.carry_out_once(planned, permit, tries).await? {
                Carried::Anew => {}
                carried => return Ok(carried),
            }
        }
    }

    async fn carry_out_once(
        self: &Arc<Self>,
        planned: &Planned,
        permit: &mut SealPermit,
        tries: &mut Tries,
    ) -> Result<Carried, Ended> {
        let Ok(chunk_key) = ChunkKey::parse(&planned.key) else {
            tracing::error!(
                key = planned.key,
                plan = planned.plan,
                pings = planned.positions.len(),
                "a plan has a key that this program cannot read: its pings stay in the write-ahead log, which is not freed beyond them; start the program that wrote it"
            );
            // Told as stuck, beside the seals.
            self.stuck.gives_way(permit, u32::MAX);
            return Ok(Carried::GaveWay);
        };
        let key = PartitionKey::new(chunk_key.kind, &chunk_key.partition);
        let PlanRules::Known(rules) = &planned.rules else {
            tracing::error!(
                key = planned.key,
                "a plan in the write-ahead log was made with a client secret that was replaced: its chunk cannot be made again"
            );
            return self.resume_without_records(planned, &key, permit).await;
        };
        let wanted = Wanted {
            rules: rules.clone(),
            id: chunk_key.id,
            key: key.clone(),
            positions: Arc::new(planned.positions.clone()),
            sealed: planned.sealed,
            whole: true,
        };
        let Some(rebuilt) = self.gather(&wanted, permit, tries).await? else {
            return Ok(Carried::GaveWay);
        };
        let whole = planned.missing == 0
            && rebuilt.moved.is_empty()
            && rebuilt.damaged.is_empty()
            && rebuilt.rest.is_empty();
        match rebuilt.chunk {
            Some(chunk) if whole && chunk.digest == planned.digest => {
                self.carry_out(planned, chunk, &key, permit, tries).await
            }
            _ => self.resume_without_records(planned, &key, permit).await,
        }
    }

    /// The records of a plan can no longer be had as they were: only the store can tell whether its chunk was put.
    async fn resume_without_records(
        &self,
        planned: &Planned,
        key: &PartitionKey,
        permit: &mut SealPermit,
    ) -> Result<Carried, Ended> {
        tracing::error!(
            key = planned.key,
            missing = planned.missing,
            "a plan in the write-ahead log cannot be carried out again with the same records"
        );
        metrics::counter!(names::PLANS_UNEQUAL).increment(1);
        let (mut wait, mut failures, mut unreadable) = (self.backoff(), 0, Unreadable::default());
        loop {
            let found = self.store.get(&planned.key).await.map(|bytes| {
                let found = Found::of(bytes.clone(), bytes.len() as u64, &planned.digest);
                (found, bytes)
            });
            match found {
                Ok((Found::Chunk { same: true }, bytes)) => {
                    // Seen is not durable: only a put says that.
                    let payload = Payload::Bytes(bytes);
                    let mut tries = Tries::new(self.backoff());
                    let stored = self.put(planned, payload, permit, &mut tries).await?;
                    if matches!(stored, Stored::Unknown | Stored::Spoilt) {
                        return Ok(Carried::GaveWay);
                    }
                    self.finish(planned, planned.positions.len() as u64 + planned.missing)
                        .await?;
                    return Ok(Carried::Done);
                }
                Ok((Found::Unreadable(_), bytes)) if !unreadable.is_stored_so(&end_of(&bytes)) => {
                    self.look_again(&planned.key, &mut wait).await?;
                }
                Ok(_) | Err(StoreError::NotFound { .. }) => {
                    self.give_up(planned, key).await?;
                    return Ok(Carried::Done);
                }
                Err(error) => {
                    failures += 1;
                    if self.stuck.gives_way(permit, failures) {
                        return Ok(Carried::GaveWay);
                    }
                    self.report_and_pause(&planned.key, &error, &mut wait).await?;
                }
            }
        }
    }
}

/// A copy of an object's last bytes.
fn end_of(bytes: &[u8]) -> Bytes {
    let length = bytes.len().min(TAIL_BYTES as usize);
    Bytes::copy_from_slice(&bytes[bytes.len() - length..])
}

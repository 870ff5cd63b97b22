//! The task that starts seals: undone plans, and beside them open chunks as they become due.
//!
//! A seal keeps its place while it waits for a gatherer, for room to gather in, for the log to take its plan and its done mark, and
//! for the store to take its chunk: so no more is under way than the memory and the disk are for. A store that refuses one chunk
//! for long, or a log that cannot be read at one place, has the seal stand aside (`stuck.rs`), which gives its place back. Nothing
//! else holds a place: neither whoever is told of the chunk, nor what counts it.

use std::sync::Arc;
use std::time::Duration;

use service::task;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::failure::Failure;
use crate::gauges;
use crate::ledger::Due;
use crate::seal::{Planned, Sealer};
use crate::stuck::SealPermit;

/// Looked at least so often, whatever the deadline.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Starts seals.
pub(crate) struct Schedule {
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) failure: Failure,
    /// One permit for each seal that may be under way.
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) seals: u32,
}

impl Schedule {
    /// Runs until the process is to end and no seal is under way.
    pub(crate) async fn run(self, undone: Vec<(u64, Planned)>) {
        let seals = async {
            tokio::join!(self.resume(undone), self.go_on());
            self.all_permits().await;
            self.sealer.stuck.empty().await;
        };
        tokio::select! {
            biased;
            () = seals => {}
            () = gauges::publish_for_ever(&self.sealer) => {}
        }
    }

    /// Carries out the plans that were found undone. They take turns with new seals.
    async fn resume(&self, undone: Vec<(u64, Planned)>) {
        for (number, planned) in undone {
            let Some(permit) = self.permit().await else {
                return;
            };
            let (sealer, guard) = (Arc::clone(&self.sealer), self.failure.guard("a seal panicked"));
            drop(task::spawn("resume", async move {
                sealer.resume(number, planned, SealPermit::among(permit)).await;
                drop(guard);
            }));
        }
    }

    /// Starts what is due, until the process is to end.
    async fn go_on(&self) {
        while let Some((permit, due)) = self.next().await {
            let (sealer, guard) = (Arc::clone(&self.sealer), self.failure.guard("a seal panicked"));
            drop(task::spawn("seal", async move {
                match due {
                    Due::Seal(seal) => sealer.seal(seal, SealPermit::among(permit)).await,
                    Due::Forward(forward) => {
                        sealer.forward(forward).await;
                        drop(permit);
                    }
                }
                drop(guard);
            }));
        }
    }

    /// What is due next, with its permit; `None` when the process is to end.
    async fn next(&self) -> Option<(OwnedSemaphorePermit, Due)> {
        let ledger = &self.sealer.ledger;
        let mut changes = ledger.changes();
        loop {
            let permit = self.permit().await?;
            changes.borrow_and_update();
            if self.sealer.shutdown.is_wished() {
                return None;
            }
            if let Some(due) = ledger.take_due() {
                return Some((permit, due));
            }
            // While nothing is due, it belongs to the plans that were found undone.
            drop(permit);
            let wait = ledger.next_deadline().unwrap_or(LOOK_AGAIN).min(LOOK_AGAIN);
            tokio::select! {
                biased;
                () = self.sealer.shutdown.wished() => return None,
                _ = changes.changed() => {}
                () = task::sleep(wait.max(Duration::from_millis(1))) => {}
            }
        }
    }

    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            biased;
            () = self.sealer.shutdown.wished() => None,
            permit = Arc::clone(&self.permits).acquire_owned() => permit.ok(),
        }
    }

    /// Returns when no seal is under way.
    async fn all_permits(&self) {
        // The semaphore is never closed.
        let _ = self.permits.acquire_many(self.seals).await;
    }
}

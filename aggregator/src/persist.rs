//! When the layer in memory is written: by its age, by its size, when nothing is left to fold, and at the end. Beside
//! folding, so that a slow disk does not hold up numbers until the layer's memory is full.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aggregate_store::{HeldSize, Persisted};
use service::backoff::Backoff;
use service::task;

use crate::aggregator::{Aggregator, Step};
use crate::error::AggregatorError;
use crate::limits::{HELD_BATCHES_MAX, HELD_CHUNKS_MAX};

/// How often it is looked whether what is held is due.
const DUE_POLL: Duration = Duration::from_millis(50);

/// The pause after a failure; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(10);

impl Aggregator {
    /// Writes what is held in memory by now. Answers [`Step::Idle`] if there was nothing.
    ///
    /// # Errors
    /// When the aggregates failed: then everything is still held. When the index failed: what is written is settled by
    /// a later step.
    pub async fn persist(&self) -> Result<Step, AggregatorError> {
        let aggregates = self.current.get();
        match aggregates.persist().await? {
            Persisted::Nothing => return Ok(Step::Idle),
            Persisted::Written(chunks) => {
                let _standing = self.gate.lock().await;
                // After a rebuild's swap, what counts is whether the new aggregates have them; the next step asks.
                if Arc::ptr_eq(&aggregates, &self.current.get()) {
                    self.work.index.settle(&chunks).await?;
                }
            }
            Persisted::Dropped(chunks) => {
                tracing::warn!(
                    chunks = chunks.len(),
                    "what was folded and not written is dropped: another aggregator was first; the rest is folded again"
                );
                self.wake.notify_one();
            }
        }
        Ok(Step::Persisted)
    }

    /// Writes what is due, again and again. Returns when the database's thread is gone.
    pub(crate) async fn persist_on(&self) {
        let mut backoff = Backoff::new(PAUSE_MIN, PAUSE_MAX);
        loop {
            self.due().await;
            let Err(error) = self.persist().await else {
                backoff.reset();
                continue;
            };
            if error.is_final() {
                tracing::error!(%error, "writing aggregates ended: the database's own thread is gone");
                return;
            }
            let HeldSize { bytes, chunks, .. } = self.current.get().held();
            tracing::error!(
                %error, bytes, chunks, pause_ms = backoff.next_wait().as_millis(),
                "what is folded could not be written and stays in memory; it is tried again, and folding stops when \
                 its memory is full: look at the disk"
            );
            task::sleep(backoff.grow()).await;
        }
    }

    /// Writes everything held, at the end of the process. What cannot be written is folded again after the next start.
    pub(crate) async fn persist_all(&self) {
        loop {
            match self.persist().await {
                Ok(Step::Idle) => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(
                        %error,
                        "what is folded could not be written at the end; it will be folded again after the next start"
                    );
                    return;
                }
            }
        }
    }

    /// Returns when what is held is to be written.
    async fn due(&self) {
        loop {
            let held = self.current.get().held();
            if self.is_due(&held) {
                return;
            }
            if held.chunks == 0 {
                self.held.notified().await;
            } else {
                task::sleep(DUE_POLL).await;
            }
        }
    }

    fn is_due(&self, held: &HeldSize) -> bool {
        let settings = &self.work.settings;
        let is_idle = !self.is_busy.load(Ordering::SeqCst);
        held.chunks > 0
            && (held.bytes >= settings.layer_memory_bytes / 2
                || held.batches >= HELD_BATCHES_MAX
                || held.chunks >= HELD_CHUNKS_MAX
                || held.age.is_some_and(|age| age >= settings.persist_age)
                || (is_idle && held.quiet.is_some_and(|quiet| quiet >= settings.persist_idle)))
    }
}

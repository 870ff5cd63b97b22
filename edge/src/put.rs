//! Putting a planned chunk: again and again, until the store says that it is there, durably.

use std::pin::pin;
use std::time::Duration;

use chunk::Tail;
use store::{Payload, Put, StoreError};

use crate::aside::Turn;
use crate::metrics as names;
use crate::seal::{Ended, Planned, Sealer};

/// The longest wait between two tries, as a multiple of the first.
pub(crate) const BACKOFF_GROWTH: u32 = 100;

/// A put that has no answer for so long counts as stuck, as a multiple of the first wait between two tries: five minutes of
/// 100 ms.
const SILENCE: u32 = 3_000;

/// What stands under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// The chunk.
    Same,
    /// Something else.
    Other,
    /// Nobody knows: the store did not say for so long that this gives way to others.
    Unknown,
    /// Not the chunk: the file that it was gathered in cannot be relied on, so it is to be gathered anew.
    Spoilt,
}

/// How often in a row something failed, and how long it is waited for until the next try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tries {
    wait: Duration,
    failures: u32,
}

impl Tries {
    /// None failed.
    pub(crate) const fn new(first_wait: Duration) -> Self {
        Self {
            wait: first_wait,
            failures: 0,
        }
    }

    /// One more failed.
    pub(crate) const fn fail(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// How long it is waited before the next.
    pub(crate) const fn wait(&mut self) -> &mut Duration {
        &mut self.wait
    }

    /// How many failed.
    pub(crate) const fn failures(&self) -> u32 {
        self.failures
    }
}

impl Sealer {
    /// Puts until the store says that an object with this key is there, durably; then says whether it is the chunk.
    pub(crate) async fn put(
        &self,
        planned: &Planned,
        payload: Payload,
        turn: &mut Turn,
        tries: &mut Tries,
    ) -> Result<Stored, Ended> {
        loop {
            let put = self.store.put_if_absent(&planned.key, payload.clone());
            match self.told_when_silent(planned, turn, put).await {
                Ok(Put::Created) => {
                    self.aside.succeed();
                    return Ok(Stored::Same);
                }
                Ok(Put::AlreadyThere) => return self.compare(planned, turn).await,
                Err(error) => {
                    tries.fail();
                    if self.aside.gives_way(turn, tries.failures) {
                        return Ok(Stored::Unknown);
                    }
                    self.report_and_pause(&planned.key, &error, &mut tries.wait)
                        .await?;
                    if matches!(error, StoreError::File { .. }) {
                        return Ok(Stored::Spoilt);
                    }
                }
            }
        }
    }

    /// Waits for an answer of the store. One that does not come for minutes is told as a plan that is stuck: it keeps its
    /// place, and the log is not freed beyond it.
    async fn told_when_silent<T>(
        &self,
        planned: &Planned,
        turn: &Turn,
        answer: impl Future<Output = T>,
    ) -> T {
        let mut answer = pin!(answer);
        let silence = self.backoff * SILENCE;
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            () = service::task::sleep(silence) => {}
        }
        tracing::error!(
            key = planned.key,
            pings = planned.positions.len(),
            "the store has not answered the put of this chunk for {silence:?}: its pings wait in the write-ahead log, which is not freed beyond them"
        );
        if let Some(number) = turn.number() {
            self.ledger.set_stuck(number);
        }
        answer.await
    }

    async fn compare(&self, planned: &Planned, turn: &mut Turn) -> Result<Stored, Ended> {
        let (mut wait, mut failures) = (self.backoff, 0);
        loop {
            match self.store.get_tail(&planned.key, chunk::limits::TAIL_BYTES).await {
                Ok((tail, len)) if is_chunk(&tail, len, &planned.digest) => return Ok(Stored::Same),
                Ok(_) => return Ok(Stored::Other),
                Err(error) => {
                    failures += 1;
                    if self.aside.gives_way(turn, failures) {
                        return Ok(Stored::Unknown);
                    }
                    self.report_and_pause(&planned.key, &error, &mut wait).await?;
                }
            }
        }
    }

    pub(crate) async fn report_and_pause(
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
    pub(crate) async fn pause(&self, wait: &mut Duration) -> Result<(), Ended> {
        self.pause_up_to(wait, BACKOFF_GROWTH).await
    }

    /// The same, doubling up to this multiple of the first wait.
    pub(crate) async fn pause_up_to(&self, wait: &mut Duration, growth: u32) -> Result<(), Ended> {
        let drawn = f64::from(self.random.bits()[0]) / 510.0;
        let pause = wait.mul_f64(0.5 + drawn);
        *wait = (*wait * 2).min(self.backoff * growth);
        tokio::select! {
            biased;
            () = self.shutdown.wished() => Err(Ended),
            () = service::task::sleep(pause) => Ok(()),
        }
    }
}

/// Whether an object whose last bytes are `tail` is the chunk whose records have this digest.
pub(crate) fn is_chunk(tail: &[u8], len: u64, digest: &[u8; 16]) -> bool {
    Tail::parse(tail, len).is_ok_and(|tail| tail.summary.record_digest == digest[..])
}

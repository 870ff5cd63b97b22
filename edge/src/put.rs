//! Putting a planned chunk: again and again, until the store says that it is there, durably.

use std::pin::pin;

use bytes::Bytes;
use chunk::Tail;
use chunk::limits::TAIL_BYTES;
use service::backoff::{Backoff, drawn};
use store::{Payload, Put, StoreError};

use crate::metrics as names;
use crate::seal::{Ended, Planned, Sealer};
use crate::stuck::SealPermit;

/// The longest wait between two tries, as a multiple of the first.
pub(crate) const BACKOFF_GROWTH: u32 = 100;

/// A put that has no answer for so long counts as stuck, as a multiple of the first wait between two tries: five minutes of
/// 100 ms.
const SILENCE: u32 = 3_000;

/// So often an end that cannot be read must be the same in a row.
const UNREADABLE_ALIKE: u32 = 3;

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
    wait: Backoff,
    failures: u32,
}

impl Tries {
    /// None failed.
    pub(crate) const fn new(wait: Backoff) -> Self {
        Self { wait, failures: 0 }
    }

    /// One more failed.
    pub(crate) const fn fail(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// How long it is waited before the next.
    pub(crate) const fn wait(&mut self) -> &mut Backoff {
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
        permit: &mut SealPermit,
        tries: &mut Tries,
    ) -> Result<Stored, Ended> {
        loop {
            let put = self.store.put_if_absent(&planned.key, payload.clone());
            match self.told_when_silent(planned, permit, put).await {
                Ok(Put::Created) => {
                    self.stuck.succeed();
                    return Ok(Stored::Same);
                }
                Ok(Put::AlreadyThere) => return self.compare(planned, permit).await,
                Err(error) => {
                    tries.fail();
                    if self.stuck.gives_way(permit, tries.failures) {
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
        permit: &SealPermit,
        answer: impl Future<Output = T>,
    ) -> T {
        let mut answer = pin!(answer);
        let silence = self.first_wait * SILENCE;
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
        if let Some(number) = permit.number() {
            self.ledger.set_stuck(number);
        }
        answer.await
    }

    /// Says what stands under the plan's key, by the end of it.
    async fn compare(&self, planned: &Planned, permit: &mut SealPermit) -> Result<Stored, Ended> {
        let (mut wait, mut failures, mut unreadable) = (self.backoff(), 0, Unreadable::default());
        loop {
            match self.look_at(planned).await {
                Ok(Found::Chunk { same }) => return Ok(if same { Stored::Same } else { Stored::Other }),
                Ok(Found::Unreadable(end)) if unreadable.is_stored_so(&end) => return Ok(Stored::Other),
                Ok(Found::Unreadable(_)) => self.look_again(&planned.key, &mut wait).await?,
                Err(error) => {
                    failures += 1;
                    if self.stuck.gives_way(permit, failures) {
                        return Ok(Stored::Unknown);
                    }
                    self.report_and_pause(&planned.key, &error, &mut wait).await?;
                }
            }
        }
    }

    /// Reads an object's end, which holds all that says what it is.
    async fn look_at(&self, planned: &Planned) -> Result<Found, StoreError> {
        let (end, len) = self.store.get_tail(&planned.key, TAIL_BYTES).await?;
        Ok(Found::of(end, len, &planned.digest))
    }

    /// Pauses before an object is read again whose end could not be read.
    pub(crate) async fn look_again(&self, key: &str, wait: &mut Backoff) -> Result<(), Ended> {
        tracing::warn!(
            key,
            "what stands under the key of a chunk cannot be read; it is read again"
        );
        metrics::counter!(names::STORE_RETRIES).increment(1);
        self.pause(wait).await
    }

    pub(crate) async fn report_and_pause(
        &self,
        key: &str,
        error: &StoreError,
        wait: &mut Backoff,
    ) -> Result<(), Ended> {
        tracing::warn!(key, %error, "the store did not answer as hoped; tried again");
        metrics::counter!(names::STORE_RETRIES).increment(1);
        self.pause(wait).await
    }

    /// The waits of something that failed just now.
    pub(crate) fn backoff(&self) -> Backoff {
        Backoff::new(self.first_wait, self.first_wait * BACKOFF_GROWTH)
    }

    /// Waits between half of and the whole of the next wait.
    pub(crate) async fn pause(&self, wait: &mut Backoff) -> Result<(), Ended> {
        let pause = drawn(wait.grow(), 0.5, &*self.random);
        tokio::select! {
            biased;
            () = self.shutdown.wished() => Err(Ended),
            () = service::task::sleep(pause) => Ok(()),
        }
    }
}

/// What an object is, by its end.
pub(crate) enum Found {
    /// A chunk, of the same records or of others.
    Chunk {
        /// Whether they are the same.
        same: bool,
    },
    /// Its end, these bytes, is that of no chunk, or came damaged.
    Unreadable(Bytes),
}

impl Found {
    /// By the last bytes of an object of this length, for the chunk whose records have this digest.
    pub(crate) fn of(end: Bytes, len: u64, digest: &[u8; 16]) -> Self {
        match Tail::parse(&end, len) {
            Ok(tail) => Self::Chunk {
                same: tail.summary.record_digest == digest[..],
            },
            Err(_) => Self::Unreadable(end),
        }
    }
}

/// The end of an object that cannot be read, as often as it was the same in a row. Bytes that are damaged on their way differ from one
/// time to the next; those of an object do not, for it is never written again. Only these say that it is not the chunk: were the chunk's own
/// object taken for another, its pings would be in two.
#[derive(Default)]
pub(crate) struct Unreadable {
    end: Option<Bytes>,
    times: u32,
}

impl Unreadable {
    /// Whether the object is stored so, after it was read once more with this end.
    pub(crate) fn is_stored_so(&mut self, end: &Bytes) -> bool {
        if self.end.as_ref() != Some(end) {
            (self.end, self.times) = (Some(end.clone()), 0);
        }
        self.times += 1;
        self.times >= UNREADABLE_ALIKE
    }
}

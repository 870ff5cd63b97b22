//! The door to a queue. A message that was received is hidden from everybody for a while; it comes again unless it was
//! deleted by then, and may come twice in any case.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

/// A queue of notifications.
#[async_trait]
pub trait Queue: fmt::Debug + Send + Sync {
    /// How it is now.
    ///
    /// # Errors
    /// When it does not answer, or is not there.
    async fn state(&self) -> Result<QueueState, QueueError>;

    /// Receives messages, at most ten, and waits so long for the first. They are hidden for so long, or for as long as the
    /// queue says.
    ///
    /// # Errors
    /// When it does not answer. Messages may be hidden all the same.
    async fn receive(&self, wait: Duration, hidden: Option<Duration>) -> Result<Vec<Received>, QueueError>;

    /// Deletes messages, and answers for each in their order. An error leaves it there, or not.
    async fn delete(&self, messages: &[Received]) -> Vec<Result<(), QueueError>>;

    /// Ends the time for which messages are hidden.
    ///
    /// # Errors
    /// Why one of them stays hidden until its time is over.
    async fn show(&self, messages: &[Received]) -> Result<(), QueueError>;
}

/// How a queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueState {
    /// How long a received message is hidden if nothing else is wished.
    pub hidden: Duration,
    /// Messages that are hidden now, about.
    pub hidden_messages: u64,
}

/// A message, as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its id, the same whenever it comes.
    pub id: String,
    /// By what it is deleted, another one each time it comes.
    pub handle: String,
    /// What it says.
    pub body: String,
}

/// A queue did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{action} failed: {cause}")]
pub struct QueueError {
    /// What was asked.
    pub action: &'static str,
    /// Why it was not done.
    pub cause: String,
}

//! Messages that were received together: what they announce is indexed, and those done with are deleted.

use std::time::Duration;

use super::{Queue, Received};
use crate::event::QueueMessage;
use crate::{Handler, Outcome};

/// What became of messages.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Messages that were deleted.
    pub(super) done: u64,
    /// What became of their objects.
    pub(super) outcome: Outcome,
    /// Messages that come again, each with why.
    pub(super) left: Vec<(Received, String)>,
}

/// Indexes what messages announce, within some time, and deletes those of which nothing must come again.
pub(super) async fn settle(
    queue: &dyn Queue,
    handler: &Handler,
    received: Vec<Received>,
    time: Duration,
) -> Settled {
    let mut settled = Settled::default();
    let messages: Vec<_> = received
        .iter()
        .map(|message| QueueMessage::new(message.id.clone(), &message.body))
        .collect();
    let ended = handler.take(&messages, time).await;
    let (mut deletable, mut outcomes) = (Vec::new(), Vec::new());
    for (message, ended) in received.into_iter().zip(ended) {
        match ended {
            Ok(outcome) => {
                deletable.push(message);
                outcomes.push(outcome);
            }
            Err(error) => settled.left.push((message, error.to_string())),
        }
    }
    let deleted = queue.delete(&deletable).await;
    for ((message, outcome), deleted) in deletable.into_iter().zip(outcomes).zip(deleted) {
        match deleted {
            Ok(()) => {
                settled.done += 1;
                settled.outcome += outcome;
            }
            Err(error) => settled
                .left
                .push((message, format!("what it announces is done, but {error}"))),
        }
    }
    settled
}

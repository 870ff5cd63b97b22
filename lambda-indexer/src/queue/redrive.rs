//! Empties a dead-letter queue: what its messages announce is indexed here and now, whatever became of who failed at it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::batch::settle;
use super::{Queue, QueueError, Received};
use crate::{Handler, Outcome};

/// How long a request waits for a message. One that waits asks all of the queue's machines, so no answer means none is there.
const WAIT: Duration = Duration::from_secs(2);

/// How long messages are hidden. What is left is hidden from this run, and shown at its end; a run that is cut off leaves
/// its messages hidden for so long.
const HIDDEN: Duration = Duration::from_secs(300);

/// What became of a dead-letter queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redriven {
    /// Messages that were done with, and deleted.
    pub done: u64,
    /// What became of the objects that they announce.
    pub outcome: Outcome,
    /// Messages that are still there, each looked at once.
    pub left: u64,
    /// Messages that were hidden before, and are still, about: somebody else looks at them, or a run was cut off.
    pub hidden: u64,
}

/// Looks at each message once, deletes those done with, and calls `left` with the id of each other one, and why it is left.
/// Ends when no message comes any more, or only such as are left.
///
/// # Errors
/// When the queue does not answer. What was done until then stays done.
pub async fn redrive(
    queue: &dyn Queue,
    handler: &Handler,
    mut left: impl FnMut(&str, &str),
) -> Result<Redriven, QueueError> {
    let before = queue.state().await?;
    let mut run = Run::default();
    let ended = run.drain(queue, handler, &mut left).await;
    run.show_left(queue).await;
    ended?;
    let after = queue.state().await?;
    Ok(Redriven {
        // Of both, since each may lag behind and count what this run or one just before it has received.
        hidden: before.hidden_messages.min(after.hidden_messages),
        left: run.left.len() as u64,
        ..run.redriven
    })
}

/// One run.
#[derive(Debug, Default)]
struct Run {
    redriven: Redriven,
    /// By id, as received last: only that one's handle is sure to be good.
    left: BTreeMap<String, Received>,
}

impl Run {
    async fn drain(
        &mut self,
        queue: &dyn Queue,
        handler: &Handler,
        left: &mut impl FnMut(&str, &str),
    ) -> Result<(), QueueError> {
        loop {
            let mut unseen = BTreeMap::new();
            for message in queue.receive(WAIT, Some(HIDDEN)).await? {
                let id = message.id.clone();
                let place = if self.left.contains_key(&id) {
                    &mut self.left
                } else {
                    &mut unseen
                };
                place.insert(id, message);
            }
            if unseen.is_empty() {
                return Ok(());
            }
            let settled = settle(queue, handler, unseen.into_values().collect(), HIDDEN).await;
            self.redriven.done += settled.done;
            self.redriven.outcome += settled.outcome;
            for (message, why) in settled.left {
                left(&message.id, &why);
                self.left.insert(message.id.clone(), message);
            }
        }
    }

    /// Shows what is left, so that who runs this again sees it.
    async fn show_left(&self, queue: &dyn Queue) {
        let left: Vec<Received> = self.left.values().cloned().collect();
        if let Err(error) = queue.show(&left).await {
            tracing::warn!(%error, hidden_for = ?HIDDEN, "messages that are left stay hidden for a while");
        }
    }
}

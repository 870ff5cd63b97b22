//! The queue to the log's writer: what drains the log goes before what fills it.
//!
//! Plans, done marks and what is let go of are few, for each belongs to a seal, and room comes back by them alone. So they
//! never wait behind submissions, nor behind a look for room. Among themselves both kinds keep their order.

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::SendError;

use super::message::Message;

/// Messages of each kind that may wait for the writer; each submission holds its body meanwhile, within the door's budget.
const MESSAGES_MAX: usize = 4_096;

/// Whoever asks the writer.
#[derive(Debug)]
pub(crate) struct Asking {
    draining: mpsc::Sender<Message>,
    filling: mpsc::Sender<Message>,
}

/// What the writer is asked.
#[derive(Debug)]
pub(crate) struct Asked {
    draining: mpsc::Receiver<Message>,
    filling: mpsc::Receiver<Message>,
}

/// A queue in which nothing waits.
pub(crate) fn queue() -> (Asking, Asked) {
    let (ask_to_drain, draining) = mpsc::channel(MESSAGES_MAX);
    let (ask_to_fill, filling) = mpsc::channel(MESSAGES_MAX);
    (
        Asking {
            draining: ask_to_drain,
            filling: ask_to_fill,
        },
        Asked { draining, filling },
    )
}

impl Asking {
    /// Asks, as soon as there is room in the queue; fails when the writer has ended.
    pub(crate) async fn send(&self, message: Message) -> Result<(), SendError<Message>> {
        let queue = if message.drains() {
            &self.draining
        } else {
            &self.filling
        };
        queue.send(message).await
    }
}

impl Asked {
    /// What is to be done next; `None` when nobody can ask any more.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        tokio::select! {
            biased;
            Some(message) = self.draining.recv() => Some(message),
            message = self.filling.recv() => message,
        }
    }

    /// What is to be done next, if anything waits.
    pub(crate) fn next_waiting(&mut self) -> Option<Message> {
        self.next_draining().or_else(|| self.filling.try_recv().ok())
    }

    /// The next of what drains the log, if any waits.
    pub(crate) fn next_draining(&mut self) -> Option<Message> {
        self.draining.try_recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use index_schema::proto::{Plan, PlanDone};
    use tokio::sync::oneshot;

    fn plan() -> Message {
        Message::Plan {
            plan: Plan::default(),
            reply: oneshot::channel().0,
        }
    }

    fn done() -> Message {
        Message::Done {
            done: PlanDone::default(),
            released: Vec::new(),
            reply: oneshot::channel().0,
        }
    }

    fn release() -> Message {
        Message::Release {
            released: Vec::new(),
            pings: 0,
            unkept: Vec::new(),
        }
    }

    fn probe() -> Message {
        Message::Probe(oneshot::channel().0)
    }

    fn run(future: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(future);
    }

    #[test]
    fn what_drains_the_log_is_taken_before_all_that_came_earlier_and_the_end_comes_last() {
        run(async {
            let (asking, mut asked) = queue();
            for message in [probe(), probe(), plan(), done(), Message::End, release()] {
                asking.send(message).await.expect("room");
            }
            let mut taken = Vec::new();
            taken.extend(asked.next().await);
            while let Some(message) = asked.next_waiting() {
                taken.push(message);
            }
            assert!(
                matches!(
                    taken[..],
                    [
                        Message::Plan { .. },
                        Message::Done { .. },
                        Message::Release { .. },
                        Message::Probe(_),
                        Message::Probe(_),
                        Message::End
                    ]
                ),
                "{taken:?}"
            );
        });
    }

    #[test]
    fn whoever_waits_for_messages_hears_of_both_kinds_and_of_the_end_of_all() {
        run(async {
            let (asking, mut asked) = queue();
            asking.send(probe()).await.expect("room");
            assert!(matches!(asked.next().await, Some(Message::Probe(_))));
            asking.send(plan()).await.expect("room");
            assert!(matches!(asked.next().await, Some(Message::Plan { .. })));
            asking.send(plan()).await.expect("room");
            asking.send(probe()).await.expect("room");
            drop(asking);
            assert!(matches!(asked.next().await, Some(Message::Plan { .. })));
            assert!(matches!(asked.next().await, Some(Message::Probe(_))));
            assert!(asked.next().await.is_none() && asked.next_waiting().is_none());
        });
    }
}

//! A queue in memory, which does wrong what it is told to do wrong.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use lambda_indexer::queue::{Queue, QueueError, QueueState, Received};
use service::shutdown::Trigger;
use service::task;

/// Messages of one request.
const BATCH: usize = 10;

/// How long a request waits in vain, whatever it would wait for.
const WAIT: Duration = Duration::from_millis(5);

/// The queue. The body of a message is its id, too.
#[derive(Debug, Default)]
pub(crate) struct QueueInMemory {
    messages: Mutex<Vec<Message>>,
    faults: Mutex<Faults>,
}

/// What it does wrong.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// So many requests for messages fail.
    pub(crate) refused: usize,
    /// So many deletions of each message fail.
    pub(crate) undeleted: usize,
    /// Each message comes twice at once.
    pub(crate) doubles: bool,
    /// Nothing is hidden.
    pub(crate) hides_nothing: bool,
    /// The end is wished while messages are given out.
    pub(crate) ends: Option<Trigger>,
}

#[derive(Debug)]
struct Message {
    body: String,
    hidden: bool,
    received: usize,
    undeleted: usize,
}

impl QueueInMemory {
    pub(crate) fn new(faults: Faults, bodies: &[String]) -> Self {
        let message = |body: &String| Message {
            body: body.clone(),
            hidden: false,
            received: 0,
            undeleted: 0,
        };
        Self {
            messages: Mutex::new(bodies.iter().map(message).collect()),
            faults: Mutex::new(faults),
        }
    }

    /// What is left, and whether it is hidden.
    pub(crate) fn left(&self) -> Vec<(String, bool)> {
        let messages = self.messages();
        let left = messages
            .iter()
            .map(|message| (message.body.clone(), message.hidden));
        left.collect()
    }

    /// Deletions that failed.
    pub(crate) fn undeleted(&self) -> usize {
        self.messages().iter().map(|message| message.undeleted).sum()
    }

    /// The time for which messages are hidden is over.
    pub(crate) fn show_all(&self) {
        self.messages()
            .iter_mut()
            .for_each(|message| message.hidden = false);
    }

    fn messages(&self) -> MutexGuard<'_, Vec<Message>> {
        self.messages.lock().expect("whole")
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().expect("whole")
    }

    fn delete_one(&self, received: &Received) -> Result<(), QueueError> {
        let mut messages = self.messages();
        let found = messages.iter_mut().find(|message| message.body == received.id);
        // One that is gone already is deleted.
        let Some(message) = found else { return Ok(()) };
        let newest = format!("{}/{}", received.id, message.received);
        assert_eq!(
            received.handle, newest,
            "only the newest handle is sure to delete"
        );
        if message.undeleted < self.faults().undeleted {
            message.undeleted += 1;
            return Err(failed("deleting the message"));
        }
        messages.retain(|message| message.body != received.id);
        Ok(())
    }
}

fn failed(action: &'static str) -> QueueError {
    QueueError {
        action,
        cause: "as told".to_owned(),
    }
}

#[async_trait]
impl Queue for QueueInMemory {
    async fn state(&self) -> Result<QueueState, QueueError> {
        let hidden = self.messages().iter().filter(|message| message.hidden).count();
        Ok(QueueState {
            hidden: Duration::from_secs(30),
            hidden_messages: hidden as u64,
        })
    }

    async fn receive(&self, _: Duration, _: Option<Duration>) -> Result<Vec<Received>, QueueError> {
        let mut received = Vec::new();
        {
            let mut faults = self.faults();
            if faults.refused > 0 {
                faults.refused -= 1;
                return Err(failed("receiving messages"));
            }
            let mut messages = self.messages();
            let visible = messages.iter_mut().filter(|message| !message.hidden);
            for message in visible.take(BATCH) {
                message.hidden = !faults.hides_nothing;
                for _ in 0..=usize::from(faults.doubles) {
                    message.received += 1;
                    received.push(Received {
                        id: message.body.clone(),
                        handle: format!("{}/{}", message.body, message.received),
                        body: message.body.clone(),
                    });
                }
            }
            if let Some(trigger) = faults.ends.take_if(|_| !received.is_empty()) {
                trigger.pull();
            }
        }
        if received.is_empty() {
            task::sleep(WAIT).await;
        }
        Ok(received)
    }

    async fn delete(&self, messages: &[Received]) -> Vec<Result<(), QueueError>> {
        messages.iter().map(|message| self.delete_one(message)).collect()
    }

    async fn show(&self, messages: &[Received]) -> Result<(), QueueError> {
        for message in self.messages().iter_mut() {
            if messages.iter().any(|shown| shown.id == message.body) {
                message.hidden = false;
            }
        }
        Ok(())
    }
}

//! Puts that wait for the one before: whoever comes while a group is put is put with the next, as in the log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::door::{Inner, unclear};
use crate::{Put, StoreError};

/// A group takes no more: what its syncs cost is shared by then.
const GROUP_MAX: usize = 64;

/// Puts that wait.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiting>,
    /// Somebody is putting, and takes what waits when that is done.
    is_served: bool,
}

#[derive(Debug)]
struct Waiting {
    key: String,
    bytes: Bytes,
    reply: oneshot::Sender<Result<Put, StoreError>>,
}

/// Serves the queue until nothing waits, or a panic ends it: then those who wait are told, and the next put serves anew.
struct Serving<'q>(&'q Queue);

impl Queue {
    /// Puts an object, with others that wait.
    pub(super) async fn put(inner: &Arc<Inner>, key: String, bytes: Bytes) -> Result<Put, StoreError> {
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting {
            key: key.clone(),
            bytes,
            reply,
        };
        if inner.queue.join(waiting) {
            let inner = Arc::clone(inner);
            drop(service::task::spawn("put", async move {
                service::task::blocking(move || serve(&inner)).await;
            }));
        }
        answer
            .await
            .unwrap_or_else(|_| Err(unclear("put", &key, &"it was cut off; see the log lines before")))
    }

    /// Waits; whether the caller is to have the queue served.
    fn join(&self, waiting: Waiting) -> bool {
        let mut state = self.lock();
        state.waiting.push(waiting);
        !std::mem::replace(&mut state.is_served, true)
    }

    /// The next group; `None`, and nobody serves any more, when nothing waits.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut state = self.lock();
        if state.waiting.is_empty() {
            state.is_served = false;
            return None;
        }
        let group = state.waiting.len().min(GROUP_MAX);
        Some(state.waiting.drain(..group).collect())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in this file panics between two changes of the state.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn serve(inner: &Inner) {
    let serving = Serving(&inner.queue);
    while let Some(group) = serving.0.next() {
        let (puts, replies): (Vec<_>, Vec<_>) = group
            .into_iter()
            .map(|waiting| ((waiting.key, waiting.bytes), waiting.reply))
            .unzip();
        for (reply, ended) in replies.into_iter().zip(inner.put_all(&puts)) {
            // Whoever asked may have gone away: the object is there all the same.
            drop(reply.send(ended));
        }
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut state = self.0.lock();
            state.is_served = false;
            state.waiting.clear();
        }
    }
}

//! What others must know of a connection's requests: the watch over its bytes, and who looks for room.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

/// The requests of a connection that are, and were, answered. Shared by the watch, the service, and the room.
#[derive(Clone, Debug)]
pub(super) struct Serving(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    requests: Mutex<Requests>,
    yielded: Notify,
}

#[derive(Debug)]
struct Requests {
    begun: usize,
    ended: usize,
    draining: bool,
    /// Since when the client's next word is waited for, when no request is being answered.
    silent_since: Instant,
    /// The connection was asked to make room.
    yielding: bool,
}

/// A request is being answered as long as this lives.
pub(super) struct ServingGuard(Serving);

#[expect(
    clippy::disallowed_methods,
    reason = "how long a client is silent is the network's time, not a core's"
)]
impl Default for Serving {
    fn default() -> Self {
        Self(Arc::new(Shared {
            requests: Mutex::new(Requests {
                begun: 0,
                ended: 0,
                draining: false,
                silent_since: Instant::now(),
                yielding: false,
            }),
            yielded: Notify::new(),
        }))
    }
}

impl Serving {
    pub(super) fn begin(&self) -> ServingGuard {
        self.requests().begun += 1;
        ServingGuard(self.clone())
    }

    /// The process ends: its connections linger no longer than they must.
    pub(super) fn drain(&self) {
        self.requests().draining = true;
    }

    pub(super) fn is_draining(&self) -> bool {
        self.requests().draining
    }

    pub(super) fn begun(&self) -> usize {
        self.requests().begun
    }

    pub(super) fn is_idle(&self) -> bool {
        let requests = self.requests();
        requests.ended == requests.begun
    }

    /// Whether the client was ever served, and since when it is silent; unless a request is being answered, or room is
    /// being made already. Who was never served comes first.
    pub(super) fn waits(&self) -> Option<(bool, Instant)> {
        let requests = self.requests();
        let waits = requests.ended == requests.begun && !requests.yielding;
        waits.then_some((requests.ended > 0, requests.silent_since))
    }

    /// Asks the connection to make room.
    pub(super) fn yield_room(&self) {
        self.requests().yielding = true;
        self.0.yielded.notify_one();
    }

    /// Returns when the connection is asked to make room.
    pub(super) async fn asked_for_room(&self) {
        self.0.yielded.notified().await;
    }

    /// The client's silence is counted from now: it was answered, or speaks again.
    #[expect(clippy::disallowed_methods, reason = "the network's time, not a core's")]
    pub(super) fn count_silence(&self) {
        self.requests().silent_since = Instant::now();
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.0.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ServingGuard {
    fn drop(&mut self) {
        self.0.requests().ended += 1;
        self.0.count_silence();
    }
}

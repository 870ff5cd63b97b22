//! What others must know of a connection's requests: the watch over its bytes, and who looks for room.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::pace::Pace;

/// A connection yields only after its client was silent for so long, or so long after its body was asked for: an honest
/// head is there at once, a client that has just been answered often asks again, and most bodies need less.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a connection that was refused for want of room keeps its seat at least, so that the answer gets through.
const REFUSED_PATIENCE: Duration = Duration::from_millis(100);

/// The requests of a connection that are, and were, answered. Shared by the watch, the service, and the limit.
#[derive(Clone, Debug)]
pub(super) struct Serving(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    requests: Mutex<Requests>,
    yielded: Notify,
    refused: Notify,
}

#[derive(Debug)]
struct Requests {
    begun: usize,
    ended: usize,
    draining: bool,
    /// Since when the client's next word is waited for, when no request is being answered.
    silent_since: Instant,
    /// The body that is being read.
    body: Option<Pace>,
    /// Since when a request waits for a seat.
    waits_for_seat: Option<Instant>,
    /// A request was told that there is no seat.
    refused: bool,
    /// The connection was asked to make room.
    yielding: bool,
}

/// Who yields: the least of these first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Yields {
    /// Its request was refused for want of a seat.
    Refused(Instant),
    /// It never asked for anything.
    NeverServed(Instant),
    /// It was answered, and takes its time with the answer or the next request.
    Silent(Instant),
    /// It sends a body, at so many bytes per second.
    SlowBody(u64, Instant),
}

/// A request is being answered as long as this lives.
pub(super) struct ServingGuard(Serving);

/// A body is being read as long as this lives.
pub(super) struct BodyGuard(Serving);

impl Default for Serving {
    fn default() -> Self {
        Self(Arc::new(Shared {
            requests: Mutex::new(Requests {
                begun: 0,
                ended: 0,
                draining: false,
                silent_since: now(),
                body: None,
                waits_for_seat: None,
                refused: false,
                yielding: false,
            }),
            yielded: Notify::new(),
            refused: Notify::new(),
        }))
    }
}

impl Serving {
    pub(super) fn begin(&self) -> ServingGuard {
        self.requests().begun += 1;
        ServingGuard(self.clone())
    }

    /// The client is waited for until the guard is gone: from now on it is as slow as its body.
    pub(super) fn begin_body(&self) -> BodyGuard {
        self.requests().body = Some(Pace::begin(now()));
        BodyGuard(self.clone())
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

    /// Whether the connection may be asked to make room, and before which others. Not while its request is being
    /// answered, nor when it was asked already.
    pub(super) fn yields(&self) -> Option<Yields> {
        let (requests, now) = (self.requests(), now());
        let waited = |since: Instant, patience| now.duration_since(since) >= patience;
        if requests.yielding {
            return None;
        }
        if requests.ended == requests.begun {
            let since = requests.silent_since;
            return match (requests.refused, requests.ended) {
                (true, _) => waited(since, REFUSED_PATIENCE).then_some(Yields::Refused(since)),
                (false, 0) => waited(since, PATIENCE).then_some(Yields::NeverServed(since)),
                (false, _) => waited(since, PATIENCE).then_some(Yields::Silent(since)),
            };
        }
        let body = requests.body.filter(|body| waited(body.since(), PATIENCE))?;
        Some(Yields::SlowBody(body.per_second(now), body.since()))
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

    /// A request waits for a seat from now on, or no longer.
    pub(super) fn wait_for_seat(&self, waits: bool) {
        self.requests().waits_for_seat = waits.then(now);
    }

    /// Since when a request waits for a seat.
    pub(super) fn waits_for_seat(&self) -> Option<Instant> {
        self.requests().waits_for_seat
    }

    /// Has the request that waits for a seat wait no longer.
    pub(super) fn refuse(&self) {
        let mut requests = self.requests();
        if requests.waits_for_seat.take().is_some() {
            self.0.refused.notify_one();
        }
    }

    /// Returns when the request is to wait no longer.
    pub(super) async fn refused(&self) {
        self.0.refused.notified().await;
    }

    /// The request was told that there is no seat.
    pub(super) fn note_refused(&self) {
        self.requests().refused = true;
    }

    /// The client's silence is counted from now: it was answered, or speaks again.
    pub(super) fn count_silence(&self) {
        self.requests().silent_since = now();
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.0.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BodyGuard {
    /// Notes that bytes of the body came.
    pub(super) fn came(&self, bytes: u64) {
        if let Some(body) = &mut self.0.requests().body {
            body.add(bytes, now());
        }
    }
}

impl Drop for BodyGuard {
    fn drop(&mut self) {
        self.0.requests().body = None;
    }
}

impl Drop for ServingGuard {
    fn drop(&mut self) {
        self.0.requests().ended += 1;
        self.0.count_silence();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a client is silent is the network's time, not a core's"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}

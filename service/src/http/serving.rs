//! What the watch over a connection's bytes must know of its requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The requests of a connection that are, and were, answered. Shared by the watch and the service.
#[derive(Clone, Debug, Default)]
pub(super) struct Serving(Arc<Requests>);

#[derive(Debug, Default)]
struct Requests {
    begun: AtomicUsize,
    ended: AtomicUsize,
    draining: AtomicBool,
}

/// A request is being answered as long as this lives.
pub(super) struct ServingGuard(Serving);

impl Serving {
    pub(super) fn begin(&self) -> ServingGuard {
        self.0.begun.fetch_add(1, Ordering::AcqRel);
        ServingGuard(self.clone())
    }

    /// The process ends: its connections linger no longer than they must.
    pub(super) fn drain(&self) {
        self.0.draining.store(true, Ordering::Release);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }

    pub(super) fn begun(&self) -> usize {
        self.0.begun.load(Ordering::Acquire)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.0.ended.load(Ordering::Acquire) == self.begun()
    }
}

impl Drop for ServingGuard {
    fn drop(&mut self) {
        self.0.0.ended.fetch_add(1, Ordering::AcqRel);
    }
}

//! Noticing that something ended which must not: a panic in the log's writer or in a seal.

use std::sync::Arc;

use tokio::sync::watch;

/// Where such an end is told.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    told: Arc<watch::Sender<Option<&'static str>>>,
}

/// Tells when it is dropped by a panic.
#[derive(Debug)]
pub(crate) struct Guard {
    failure: Failure,
    what: &'static str,
}

impl Failure {
    /// Nothing ended yet.
    pub(crate) fn new() -> Self {
        Self {
            told: Arc::new(watch::channel(None).0),
        }
    }

    /// To be held by what must not panic.
    pub(crate) fn guard(&self, what: &'static str) -> Guard {
        Guard {
            failure: self.clone(),
            what,
        }
    }

    /// Tells that the edge must end, and why. What was told first stays.
    pub(crate) fn tell(&self, what: &'static str) {
        self.told.send_if_modified(|told| {
            let first = told.is_none();
            told.get_or_insert(what);
            first
        });
    }

    /// What ended, if something did.
    pub(crate) fn told(&self) -> Option<&'static str> {
        *self.told.borrow()
    }

    /// Returns when something ended.
    pub(crate) async fn wait(&self) -> &'static str {
        let mut told = self.told.subscribe();
        loop {
            if let Some(what) = *told.borrow_and_update() {
                return what;
            }
            if told.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(what = self.what, "a panic: the process must end, and start again");
            self.failure.tell(self.what);
        }
    }
}

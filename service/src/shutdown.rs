//! The wish to end, passed to everything that runs. It is never global.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Tells whether the process should end, and waits for it. Clones hear the same wish.
#[derive(Clone, Debug)]
pub struct Shutdown {
    receiver: watch::Receiver<bool>,
}

/// Expresses the wish to end. Dropping it expresses it too.
#[derive(Debug)]
pub struct Trigger {
    sender: watch::Sender<bool>,
}

impl Shutdown {
    /// A wish not yet expressed, and what expresses it.
    pub fn new() -> (Trigger, Self) {
        let (sender, receiver) = watch::channel(false);
        (Trigger { sender }, Self { receiver })
    }

    /// Whether the wish was expressed.
    pub fn is_wished(&self) -> bool {
        *self.receiver.borrow() || self.receiver.has_changed().is_err()
    }

    /// Returns when the wish is expressed. Safe to drop and call again.
    pub async fn wished(&self) {
        let mut receiver = self.receiver.clone();
        // An error means that the trigger is gone: that is the wish, too.
        let _ = receiver.wait_for(|wished| *wished).await;
    }
}

impl Trigger {
    /// Expresses the wish.
    pub fn pull(&self) {
        self.sender.send_replace(true);
    }
}

/// The signal by which a person or a supervisor wishes files to be read again, SIGHUP. Caught from the moment this is made; until then
/// it ends the process.
#[derive(Debug)]
pub struct Hangups {
    hangup: Signal,
}

impl Hangups {
    /// Catches SIGHUP from now on.
    ///
    /// # Errors
    /// When the handler cannot be installed.
    pub fn catch() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Does something at each one, for ever.
    pub async fn each(&mut self, mut done: impl FnMut()) {
        while self.hangup.recv().await.is_some() {
            done();
        }
        std::future::pending::<()>().await;
    }
}

/// The signals by which a person or a supervisor wishes the end. Caught from the moment this is made, so make it before
/// anything that must end well.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Catches SIGTERM and SIGINT from now on.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn catch() -> std::io::Result<Self> {
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt })
    }

    /// Returns at the next signal, with its name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

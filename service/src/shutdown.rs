//! The wish to end, passed to everything that runs. It is never global.

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

/// Returns at the first SIGTERM or SIGINT.
///
/// # Errors
/// When the handlers cannot be installed.
pub async fn signal() -> std::io::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}

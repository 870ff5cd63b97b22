//! Looking again whether what failed works by now: the last write, or room for the next segment.
//!
//! However many ask, one look is under way at a time, and after it there is a pause: a look may reserve a whole segment, and
//! plans, done marks and chunks need the disk meanwhile.

use std::sync::Arc;
use std::time::Duration;

use service::shutdown::Shutdown;
use service::task;
use tokio::sync::Notify;

use super::handle::Log;

/// The pause after a look, as a multiple of the first wait after a failure: a second of 100 ms.
pub(crate) const PAUSE_GROWTH: u32 = 10;

/// That somebody asked for a look: many before it is taken are one.
#[derive(Debug, Default)]
pub(crate) struct Wish(Notify);

impl Wish {
    /// Asks.
    pub(crate) fn wish(&self) {
        self.0.notify_one();
    }
}

/// Has the writer look, whenever somebody asked since the last pause, until the process is to end.
pub(crate) async fn look_when_asked(log: Arc<Log>, pause: Duration, shutdown: Shutdown) {
    loop {
        tokio::select! {
            biased;
            () = shutdown.wished() => return,
            () = log.probe_wish().0.notified() => {}
        }
        let looked = async {
            log.look().await;
            task::sleep(pause).await;
        };
        tokio::select! {
            biased;
            () = shutdown.wished() => return,
            () = looked => {}
        }
    }
}

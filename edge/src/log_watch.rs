//! Looking, while the edge runs, whether its log still lies where its names say, as long as it was, and what follows when it does not.
//!
//! Nothing is acknowledged meanwhile: the next process would not find it. What waits is sealed through the files that are
//! open, unless the data directory itself is another one: then the store may be, too. When the names lead to the log again,
//! all goes on. Only a lock that is another, or gone, ends the edge: another process may work on the same log, and then
//! nothing may be sealed either.

use std::sync::Arc;
use std::time::Duration;

use service::shutdown::Shutdown;
use service::task;

use crate::failure::Failure;
use crate::ledger::Ledger;
use crate::log::handle::Log;
use crate::log::names::Lost;

/// How often it is looked. What is acknowledged between a loss and the next look is in files that are open, and is sealed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks until the end is wished.
pub(crate) async fn watch(log: Arc<Log>, ledger: Arc<Ledger>, failure: Failure, shutdown: Shutdown) {
    let mut before = None;
    loop {
        let looking = Arc::clone(&log);
        let lost = task::blocking(move || looking.look_at_names()).await;
        if lost == Some(Lost::Lock) {
            tracing::error!(
                "{}: nothing is acknowledged any more, the process ends",
                Lost::Lock.words()
            );
            failure.tell(Lost::Lock.words());
            return;
        }
        if lost != before {
            tell(lost);
        }
        // Again at each look: what was on its way to the log at the one before waits in it by now.
        if matches!(lost, Some(Lost::Folder | Lost::Cut | Lost::Segment)) {
            ledger.hurry();
        }
        before = lost;
        tokio::select! {
            biased;
            () = shutdown.wished() => return,
            () = task::sleep(LOOK_EVERY) => {}
        }
    }
}

fn tell(lost: Option<Lost>) {
    match lost {
        None => tracing::info!("the log is where it was: pings are taken again"),
        Some(Lost::Root) => tracing::error!(
            "{}: nothing is acknowledged or put before it is back",
            Lost::Root.words()
        ),
        Some(lost) => tracing::error!(
            "{}: nothing is acknowledged meanwhile, and what waits is sealed",
            lost.words()
        ),
    }
}

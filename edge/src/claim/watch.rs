//! Looking, while the edge runs, whether its log was claimed anew by another.

use std::sync::Arc;
use std::time::Duration;

use ping::Incarnation;
use service::shutdown::Shutdown;
use service::task;
use store::Store;

use super::claim_object::key;
use super::take::boots;
use crate::failure::Failure;

/// How often it is looked.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Looks until the end is wished. A higher start that is claimed ends the edge, and so does its own claim when it is gone:
/// nothing is answered or sealed any more. A later start, or who had another go on, deleted it.
pub(crate) async fn watch(
    store: Arc<dyn Store>,
    own: Incarnation,
    boot: u64,
    failure: Failure,
    shutdown: Shutdown,
) {
    loop {
        tokio::select! {
            biased;
            () = shutdown.wished() => return,
            () = task::sleep(LOOK_EVERY) => {}
        }
        // While the store does not answer, nobody else can claim anything there either, or cannot be heard of.
        let Ok(claimed) = boots(store.as_ref(), own).await else {
            continue;
        };
        if let Some(other) = claimed.iter().copied().find(|other| *other > boot) {
            tracing::error!(
                boot,
                other,
                "another process claimed a later start of this log: this data directory was copied and started elsewhere"
            );
            failure.tell(
                "another process went on with this log: its data directory was copied and started elsewhere",
            );
            return;
        }
        // That it is in no list proves nothing without a question by its name.
        if !claimed.contains(&boot) && matches!(store.head(&key(own, boot)).await, Ok(None)) {
            tracing::error!(
                boot,
                "the claim of this start of the log was deleted: another process may go on with the log"
            );
            failure.tell(
                "its claim of the log was deleted in the store: another process may go on with the log",
            );
            return;
        }
    }
}

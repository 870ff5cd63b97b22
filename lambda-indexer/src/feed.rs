//! Takes announcements of created objects, in one process, as they come.

use std::sync::Arc;
use std::time::Duration;

use service::shutdown::Shutdown;
use service::task;
use tokio::sync::mpsc;

use crate::{Indexer, Outcome};

/// Announcements that are indexed together.
const BATCH: usize = 100;

/// Pauses before each further try; after the last the announcements are left to the next comparison.
const PAUSES_MS: [u64; 6] = [100, 300, 1_000, 3_000, 10_000, 30_000];

/// Indexes announced objects until the shutdown is wished or nobody can announce any more, and calls `indexed` after
/// each batch. What is not indexed by then is found by [`Indexer::reconcile`] at the next start.
pub async fn feed(
    indexer: Arc<Indexer>,
    mut announced: mpsc::Receiver<String>,
    mut indexed: impl FnMut(Outcome) + Send,
    shutdown: Shutdown,
) {
    let mut keys = Vec::new();
    loop {
        tokio::select! {
            biased;
            () = shutdown.wished() => return,
            count = announced.recv_many(&mut keys, BATCH) => if count == 0 { return },
        }
        tokio::select! {
            biased;
            () = shutdown.wished() => return,
            outcome = index(&indexer, &keys) => {
                if let Some(outcome) = outcome {
                    indexed(outcome);
                }
            }
        }
        keys.clear();
    }
}

/// Indexes, again and again if need be; `None` when that was given up.
async fn index(indexer: &Indexer, keys: &[String]) -> Option<Outcome> {
    let mut pauses = PAUSES_MS.into_iter().map(Duration::from_millis);
    loop {
        match indexer.object_created(keys).await {
            Ok(outcome) => return Some(outcome),
            Err(error) => match pauses.next() {
                Some(pause) => {
                    tracing::warn!(%error, objects = keys.len(), again_in = ?pause, "new chunks could not be indexed; tried again");
                    task::sleep(pause).await;
                }
                None => {
                    tracing::error!(%error, objects = keys.len(), "new chunks could not be indexed: the next comparison of store and index, or `highwater reconcile`, adds them");
                    return None;
                }
            },
        }
    }
}

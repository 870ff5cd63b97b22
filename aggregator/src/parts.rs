//! Where a batch that grows too large hands its sums over before its end, so that memory stays bounded however many
//! names hostile pings bring: the parts become one transaction, which ends with the batch.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use aggregate_store::{AggregateError, AggregateStore, Batch, Committed, Kept};
use tokio::sync::{Notify, mpsc};

use crate::batch_fold::BatchFold;

/// Parts that wait to be written: one is folded, one waits, one is written.
const WAITING: usize = 1;

/// The folding side.
#[derive(Debug)]
pub(crate) struct Parts {
    sender: mpsc::Sender<Batch>,
    begun: AtomicBool,
    begin: Notify,
    part_bytes: usize,
}

impl Parts {
    /// Hands the sums over if they take more memory than a part may. Blocks while the last part waits.
    pub(crate) fn hand_over(&self, batch: &mut BatchFold) {
        if batch.part_bytes() <= self.part_bytes {
            return;
        }
        if !self.begun.swap(true, Ordering::AcqRel) {
            tracing::info!("a batch is too large for memory and is written in parts");
        }
        self.begin.notify_one();
        // When nobody receives any more, the transaction failed, and its answer says why.
        let _ = self.sender.blocking_send(batch.take_part());
    }
}

/// Where a batch in one piece goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Destination {
    /// It is committed.
    Store,
    /// It is held in memory where there is a layer; when its fold began, so often everything held had been dropped.
    Layer {
        /// See [`HeldSize::drops`](aggregate_store::HeldSize::drops).
        drops: u64,
    },
}

/// Folds a batch by `fold` and keeps it: in one piece, or in parts, which are committed, when it had to hand some over.
pub(crate) async fn keep<F, E>(
    aggregates: &dyn AggregateStore,
    destination: Destination,
    part_bytes: usize,
    fold: impl FnOnce(std::sync::Arc<Parts>) -> F,
) -> Result<Kept, E>
where
    F: Future<Output = Result<Batch, E>>,
    E: From<AggregateError>,
{
    let (sender, receiver) = mpsc::channel(WAITING);
    let parts = std::sync::Arc::new(Parts {
        sender,
        begun: AtomicBool::new(false),
        begin: Notify::new(),
        part_bytes,
    });
    let mut writing = pin!(async {
        parts.begin.notified().await;
        aggregates.commit_parts(receiver).await
    });
    let last = tokio::select! {
        biased;
        last = fold(std::sync::Arc::clone(&parts)) => last?,
        ended = &mut writing => return Ok(kept(ended?)),
    };
    if !parts.begun.load(Ordering::Acquire) {
        return Ok(match destination {
            Destination::Store => kept(aggregates.commit(last).await?),
            Destination::Layer { drops } => aggregates.hold(last, drops).await?,
        });
    }
    let sending = async {
        // As above: the answer of the transaction is what counts.
        let _ = parts.sender.send(last).await;
    };
    let ((), committed): ((), Result<Committed, AggregateError>) = tokio::join!(sending, writing);
    Ok(kept(committed?))
}

fn kept(committed: Committed) -> Kept {
    match committed {
        Committed::Written => Kept::Written,
        Committed::AlreadyFolded(chunks) => Kept::AlreadyFolded(chunks),
        Committed::Outdated => Kept::Outdated,
    }
}

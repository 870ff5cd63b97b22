//! Takes messages from a queue for as long as the process lives.

use std::time::Duration;

use service::shutdown::Shutdown;
use service::task;

use super::batch::settle;
use super::{Queue, QueueError, Received};
use crate::Handler;

/// How long one request waits for a message: the longest that SQS allows, since each request costs.
const WAIT: Duration = Duration::from_secs(20);

/// The least time for a batch, where the queue hides its messages for less: what comes again meanwhile is found to be done.
const TIME_MIN: Duration = Duration::from_secs(30);

/// Pauses after the first, second, … failure in a row of the queue; the last for all further ones.
const PAUSES_MS: [u64; 5] = [500, 1_000, 3_000, 10_000, 30_000];

/// Takes messages, four batches at once, indexes what they announce and deletes those done with, until the shutdown is wished;
/// then batches under way are finished, and no more are asked for. A message that could not be done with is left alone: it
/// comes again when the queue hides it no longer (for `hidden` after it was received), and the queue moves it to its
/// dead-letter queue once that was often enough.
pub async fn follow(queue: &dyn Queue, handler: &Handler, hidden: Duration, shutdown: &Shutdown) {
    let one = || take(queue, handler, hidden.max(TIME_MIN), shutdown);
    // While one waits for the queue, others wait for the store and the index.
    tokio::join!(biased; one(), one(), one(), one());
}

/// Takes one batch after the other.
async fn take(queue: &dyn Queue, handler: &Handler, time: Duration, shutdown: &Shutdown) {
    let mut failures = 0;
    loop {
        // A request that is dropped may have received messages: they come again.
        let received = tokio::select! {
            biased;
            () = shutdown.wished() => return,
            received = queue.receive(WAIT, None) => received,
        };
        match received {
            Ok(received) => {
                failures = 0;
                index(queue, handler, received, time).await;
            }
            Err(error) => {
                let pause = pause_after(failures, &error);
                failures += 1;
                tokio::select! {
                    biased;
                    () = shutdown.wished() => return,
                    () = task::sleep(pause) => {}
                }
            }
        }
    }
}

async fn index(queue: &dyn Queue, handler: &Handler, received: Vec<Received>, time: Duration) {
    if received.is_empty() {
        return;
    }
    for (message, why) in settle(queue, handler, received, time).await.left {
        tracing::warn!(
            message = message.id,
            why,
            "a message is left in the queue and comes again"
        );
    }
}

fn pause_after(failures: usize, error: &QueueError) -> Duration {
    let pause = Duration::from_millis(PAUSES_MS[failures.min(PAUSES_MS.len() - 1)]);
    tracing::error!(%error, again_in = ?pause, "the queue cannot be read now; it will be tried again");
    pause
}

//! The indexer as a process: takes messages from a queue if it is given one, and lists the store again and again.

use std::time::Duration;

use lambda_indexer::Indexer;
use lambda_indexer::queue::follow;
use service::shutdown::{Shutdown, Signals};
use service::task;

use super::parts::{Source, indexer};
use crate::cli::IndexRun;
use crate::ending;

/// The pause between two listings that are all that tells of new chunks.
const EVERY_ALONE: Duration = Duration::from_secs(10);

/// The pause between two listings beside a queue: they only find what it never told of, and a list of a large store costs.
const EVERY_BESIDE_QUEUE: Duration = Duration::from_secs(3_600);

/// Indexes until told to end. What fails is said, and tried again.
pub(super) async fn run(command: &IndexRun) -> anyhow::Result<()> {
    let mut signals = Signals::catch()?;
    let data = &command.data;
    let indexer = indexer(data, "run").await?;
    let source = match &command.queue {
        Some(url) => Some(Source::open(data, url, indexer.clone()).await?),
        None => None,
    };
    let standard = source.as_ref().map_or(EVERY_ALONE, |_| EVERY_BESIDE_QUEUE);
    let every = command.every.map_or(standard, |age| age.0);
    tracing::info!(
        queue = command.queue.as_ref().map(|url| &*url.0),
        ?every,
        "the indexer is up: it lists the store"
    );
    let (trigger, shutdown) = Shutdown::new();
    let prefix = data.chunk_prefix.clone();
    let mut work = task::spawn("indexer", async move {
        let taking = async {
            if let Some(Source {
                queue,
                handler,
                hidden,
            }) = source
            {
                follow(&*queue, &handler, hidden, &shutdown).await;
            }
        };
        tokio::join!(biased; taking, list(&indexer, &prefix, every, &shutdown));
    });
    tokio::select! {
        biased;
        signal = signals.next() => tracing::info!(signal, "told to end: messages under way are finished"),
        // Only a panic ends it before it is told to.
        ended = &mut work => return Ok(ended?),
    }
    trigger.pull();
    ending::unless_told_again(&mut signals, async { Ok(work.await?) }).await
}

/// Lists the store until the shutdown is wished; a list under way is dropped, for what it added stays.
async fn list(indexer: &Indexer, prefix: &str, every: Duration, shutdown: &Shutdown) {
    let again_and_again = async {
        loop {
            if let Err(error) = indexer.reconcile(prefix).await {
                tracing::error!(%error, "the store could not be compared with the index; it will be tried again");
            }
            task::sleep(every).await;
        }
    };
    tokio::select! {
        biased;
        () = shutdown.wished() => {}
        () = again_and_again => {}
    }
}

//! The indexer as a process: lists a shared store again and again.

use anyhow::Context;
use lambda_indexer::Indexer;
use service::shutdown::Signals;
use service::task;

use crate::cli::IndexRun;
use crate::places;

/// Lists until told to end. What fails is said, and tried again.
pub(crate) async fn run(command: &IndexRun) -> anyhow::Result<()> {
    let mut signals = Signals::catch()?;
    let data = &command.data;
    let shared = places::open_shared(data).await?;
    let (store, index) = shared.context(
        "`index run` indexes a shared store in a shared index: give --store s3://BUCKET and --index postgres://...; \
         in one data directory `serve` indexes by itself",
    )?;
    let indexer = Indexer::new(store, index);
    tracing::info!(every = ?command.every.0, "the indexer is up: it lists the store");
    loop {
        let again = async {
            match indexer.reconcile(&data.chunk_prefix).await {
                Ok(found) if found.outcome.added > 0 || found.unanswered > 0 => {
                    tracing::info!(
                        listed = found.listed,
                        added = found.outcome.added,
                        unreadable = found.outcome.unreadable,
                        unanswered = found.unanswered,
                        "new chunks were indexed"
                    );
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, "the store could not be compared with the index; it will be tried again");
                }
            }
            task::sleep(command.every.0).await;
        };
        tokio::select! {
            biased;
            signal = signals.next() => {
                tracing::info!(signal, "told to end");
                return Ok(());
            }
            () = again => {}
        }
    }
}

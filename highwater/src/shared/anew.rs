//! Another server in a database's place, such as a promoted standby, may lack what the former one had said last. What was
//! indexed and lost is found in the store; what was settled and lost is looked at again, and what is folded stays so.

use std::sync::Arc;
use std::time::Duration;

use index_schema::Index;
use lambda_indexer::Indexer;
use service::task;

use crate::places::Servers;

/// The pause after a failure.
const AGAIN: Duration = Duration::from_secs(5);

/// What is done anew at another server.
#[derive(Debug)]
pub(super) struct Anew {
    pub(super) indexer: Indexer,
    pub(super) index: Arc<dyn Index>,
    pub(super) prefix: String,
}

impl Anew {
    /// Does it each time that one of these databases has another server, for ever; `wake` is told then.
    pub(super) async fn follow(&self, servers: [Arc<dyn Servers>; 2], wake: impl Fn() + Send + Sync) {
        let mut changes = [0; 2];
        loop {
            tokio::select! {
                now = servers[0].changed(changes[0]) => changes[0] = now,
                now = servers[1].changed(changes[1]) => changes[1] = now,
            }
            tracing::warn!(
                "another database server answers: the store is compared with the index, and all chunks with the aggregates"
            );
            while let Err(error) = self.once().await {
                tracing::error!(%error, "that failed, and is tried again");
                task::sleep(AGAIN).await;
            }
            wake();
        }
    }

    async fn once(&self) -> anyhow::Result<()> {
        let found = self.indexer.reconcile(&self.prefix).await?;
        let pending = self.index.make_pending(None).await?;
        tracing::info!(
            listed = found.listed,
            added = found.outcome.added,
            pending,
            "done; what is folded already is settled without being folded again"
        );
        Ok(())
    }
}

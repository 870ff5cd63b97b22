//! What the indexer as a process is made of.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lambda_indexer::queue::Queue;
use lambda_indexer::{Handler, Indexer};

use crate::data::Data;
use crate::places::{self, QueueUrl};

/// Opens store and index, which must be shared.
pub(super) async fn indexer(data: &Data, command: &str) -> anyhow::Result<Arc<Indexer>> {
    let shared = places::open_shared(data).await?;
    let (store, index) = shared.with_context(|| {
        format!(
            "`index {command}` indexes a shared store in a shared index: give --store s3://BUCKET and --index postgres://...; \
             in one data directory `serve` indexes by itself"
        )
    })?;
    Ok(Arc::new(Indexer::new(store, index)))
}

/// A queue that answers.
pub(super) struct Source {
    pub(super) queue: Arc<dyn Queue>,
    pub(super) handler: Handler,
    /// How long it hides a message that was received.
    pub(super) hidden: Duration,
}

impl Source {
    /// Opens a queue and asks it, so that a wrong URL or a missing right is known at once.
    pub(super) async fn open(data: &Data, url: &QueueUrl, indexer: Arc<Indexer>) -> anyhow::Result<Self> {
        let store = data
            .places
            .store
            .as_ref()
            .context("a queue tells of a shared store: give --store")?;
        let (queue, place) = places::queue(data, store, url).await?;
        let state = queue
            .state()
            .await
            .with_context(|| {
                format!(
                    "--queue {}: are its URL and region right, and may this role receive and delete messages there?",
                    url.0
                )
            })?;
        Ok(Self {
            queue,
            handler: Handler::new(indexer, place, data.chunk_prefix.clone()),
            hidden: state.hidden,
        })
    }
}

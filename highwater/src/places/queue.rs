//! The queue in which S3 announces chunks.

#[cfg(feature = "sqs")]
pub(crate) use with::queue;
#[cfg(not(feature = "sqs"))]
pub(crate) use without::queue;

#[cfg(feature = "sqs")]
mod with {
    use std::sync::Arc;

    use anyhow::Context;
    use lambda_indexer::StoreLocation;
    use lambda_indexer::queue::{Queue, SqsQueue, SqsSettings};

    use crate::data::Data;
    use crate::places::urls::{QueueUrl, StoreUrl};

    /// Opens the queue; also says where the store lies, as notifications name it.
    ///
    /// # Errors
    /// When no region is known, or this program was built without queues.
    pub(crate) async fn queue(
        data: &Data,
        store: &StoreUrl,
        url: &QueueUrl,
    ) -> anyhow::Result<(Arc<dyn Queue>, StoreLocation)> {
        let store = store::S3Settings::parse(&store.0).context("--store")?;
        let settings = SqsSettings {
            url: url.0.clone(),
            endpoint_url: data.places.endpoint_url.clone(),
            region: data.places.region.clone(),
        };
        let queue = SqsQueue::open(settings).await.context("--queue")?;
        let place = StoreLocation {
            s3_bucket: store.bucket,
            prefix: store.prefix,
        };
        Ok((Arc::new(queue), place))
    }
}

#[cfg(not(feature = "sqs"))]
mod without {
    use std::sync::Arc;

    use lambda_indexer::StoreLocation;
    use lambda_indexer::queue::Queue;

    use crate::data::Data;
    use crate::places::urls::{QueueUrl, StoreUrl};

    pub(crate) async fn queue(
        _: &Data,
        _: &StoreUrl,
        url: &QueueUrl,
    ) -> anyhow::Result<(Arc<dyn Queue>, StoreLocation)> {
        anyhow::bail!(
            "--queue {}: this program was built without queues; `cargo build --release --features aws` builds it with",
            url.0
        )
    }
}

//! Where pings and their index are read from: a data directory, or what many processes share.

use std::sync::Arc;

use aggregate_store::AggregateReads;
use anyhow::Context;
use index_schema::Index;
use store::Store;

use crate::data::Data;
use crate::local::Local;
use crate::places;

/// Chunks and their index.
pub(super) struct Source {
    pub(super) store: Arc<dyn Store>,
    pub(super) index: Arc<dyn Index>,
}

impl Source {
    /// Opens both; where they are shared, that takes no data directory.
    pub(super) async fn open(data: &Data) -> anyhow::Result<Self> {
        if let Some(shared) = Self::shared(data).await? {
            return Ok(shared);
        }
        Ok(Self::of(&Local::open(data).await?))
    }

    /// The same, and the aggregates, which know why some pings were not folded.
    pub(super) async fn with_reasons(data: &Data) -> anyhow::Result<(Self, Arc<dyn AggregateReads>)> {
        let Some(url) = &data.places.aggregates else {
            let local = Local::open_written(data)
                .await
                .with_context(|| match &data.places.index {
                    Some(_) => {
                        "the reasons are among the aggregates: give --aggregates where they are shared"
                    }
                    None => "the aggregates lie in a data directory",
                })?;
            return Ok((Self::of(&local), local.aggregates));
        };
        let shared = Self::shared(data).await?.context(
            "where the aggregates are shared, chunks and index are: give --store s3://BUCKET and --index postgres://...",
        )?;
        Ok((shared, places::shared_aggregates(url).await?.reads))
    }

    async fn shared(data: &Data) -> anyhow::Result<Option<Self>> {
        let shared = places::open_shared(data).await?;
        Ok(shared.map(|(store, index)| Self { store, index }))
    }

    fn of(local: &Local) -> Self {
        Self {
            store: local.store.clone(),
            index: local.index.clone(),
        }
    }
}

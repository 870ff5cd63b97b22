//! Index and aggregates in PostgreSQL, and word of another server in its place.

use std::fmt;
use std::sync::Arc;

use aggregate_store::{AggregateReads, AggregateStore, ClientSecrets, Leases, RetainAggregates};
use async_trait::async_trait;
use index_schema::RetainIndex;
use ping::Incarnation;

use super::PostgresUrl;

/// Tells of another server, such as a promoted standby.
#[async_trait]
pub(crate) trait Servers: fmt::Debug + Send + Sync {
    /// Returns when more servers than so many were seen after the first, and how many.
    async fn changed(&self, changes: u64) -> u64;
}

/// The index, of any number of processes.
#[derive(Debug)]
pub(crate) struct SharedIndex {
    pub(crate) index: Arc<dyn RetainIndex>,
    pub(crate) servers: Arc<dyn Servers>,
}

impl SharedIndex {
    /// The index alone.
    pub(crate) fn into_index(self) -> Arc<dyn RetainIndex> {
        self.index
    }
}

/// Aggregates, of any number of processes.
#[derive(Debug)]
pub(crate) struct SharedAggregates {
    pub(crate) store: Arc<dyn AggregateStore>,
    pub(crate) reads: Arc<dyn AggregateReads>,
    pub(crate) leases: Arc<dyn Leases>,
    pub(crate) retained: Arc<dyn RetainAggregates>,
    pub(crate) secrets: Arc<dyn ClientSecrets>,
    /// Which they are.
    pub(crate) incarnation: Incarnation,
    pub(crate) servers: Arc<dyn Servers>,
}

#[cfg(feature = "postgres")]
pub(super) use with::index;
#[cfg(feature = "postgres")]
pub(crate) use with::shared_aggregates;
#[cfg(not(feature = "postgres"))]
pub(super) use without::index;
#[cfg(not(feature = "postgres"))]
pub(crate) use without::shared_aggregates;

#[cfg(feature = "postgres")]
mod with {

    use aggregate_store::PostgresAggregates;
    use anyhow::Context;
    use async_trait::async_trait;
    use index_schema::{PostgresIndex, PostgresSettings};

    use super::{PostgresUrl, Servers, SharedAggregates, SharedIndex};

    /// Opens the index.
    pub(in super::super) async fn index(url: &PostgresUrl) -> anyhow::Result<SharedIndex> {
        let index = PostgresIndex::open(PostgresSettings::new(url.0.clone()))
            .await
            .context("--index")?;
        Ok(SharedIndex {
            servers: index.clone(),
            index,
        })
    }

    /// Opens the aggregates.
    pub(crate) async fn shared_aggregates(url: &PostgresUrl) -> anyhow::Result<SharedAggregates> {
        let aggregates = PostgresAggregates::open(PostgresSettings::new(url.0.clone()))
            .await
            .context("--aggregates")?;
        Ok(SharedAggregates {
            incarnation: aggregates.incarnation().await?,
            store: aggregates.clone(),
            reads: aggregates.clone(),
            leases: aggregates.clone(),
            retained: aggregates.clone(),
            secrets: aggregates.clone(),
            servers: aggregates,
        })
    }

    #[async_trait]
    impl Servers for PostgresIndex {
        async fn changed(&self, changes: u64) -> u64 {
            self.server_changed(changes).await.changes
        }
    }

    #[async_trait]
    impl Servers for PostgresAggregates {
        async fn changed(&self, changes: u64) -> u64 {
            self.server_changed(changes).await.changes
        }
    }
}

#[cfg(not(feature = "postgres"))]
mod without {
    use super::{PostgresUrl, SharedAggregates, SharedIndex};

    pub(in super::super) async fn index(url: &PostgresUrl) -> anyhow::Result<SharedIndex> {
        anyhow::bail!(
            "--index {url:?}: this program was built without PostgreSQL; `cargo build --release --features aws` builds it with"
        )
    }

    pub(crate) async fn shared_aggregates(url: &PostgresUrl) -> anyhow::Result<SharedAggregates> {
        anyhow::bail!(
            "--aggregates {url:?}: this program was built without PostgreSQL; `cargo build --release --features aws` builds it \
             with"
        )
    }
}

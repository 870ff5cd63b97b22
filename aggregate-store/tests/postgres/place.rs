//! A database of a test's own on the shared server.

use std::sync::Arc;
use std::time::Duration;

use aggregate_store::{PostgresAggregates, PostgresSettings};
use postgres_for_tests::Postgres;

/// An empty database.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) server: Arc<Postgres>,
    pub(crate) database: String,
}

impl Place {
    /// On the shared server; `None` where there is no PostgreSQL.
    pub(crate) fn new() -> Option<Self> {
        let server = Postgres::shared()?;
        let database = server.database();
        Some(Self { server, database })
    }

    pub(crate) fn settings(&self) -> PostgresSettings {
        PostgresSettings {
            pool_size: 4,
            // The machine that runs the tests may be busy with others.
            connect_timeout: Duration::from_secs(60),
            ..PostgresSettings::new(self.server.url(&self.database))
        }
    }

    /// The aggregates, as a process of its own would open them.
    pub(crate) async fn open(&self) -> Arc<PostgresAggregates> {
        PostgresAggregates::open(self.settings()).await.expect("opened")
    }
}

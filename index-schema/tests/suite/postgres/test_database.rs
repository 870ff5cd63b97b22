//! A database of a test's own on the shared server.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use index_schema::{PostgresIndex, PostgresSettings, RetainIndex, conformance};
use postgres_for_tests::Postgres;
use tokio_postgres::NoTls;

/// An empty database.
#[derive(Clone)]
pub(crate) struct TestDatabase {
    pub(crate) server: Arc<Postgres>,
    pub(crate) database: String,
    pool: usize,
}

impl TestDatabase {
    /// On the shared server; `None` where there is no PostgreSQL.
    pub(crate) fn new() -> Option<Self> {
        Postgres::shared().map(Self::on)
    }

    /// On a server that the test may stop.
    pub(crate) fn alone() -> Option<Self> {
        Postgres::start(&[]).map(|server| Self::on(Arc::new(server)))
    }

    pub(crate) fn on(server: Arc<Postgres>) -> Self {
        let database = server.database();
        Self {
            server,
            database,
            pool: 4,
        }
    }

    pub(crate) fn with_pool(self, pool: usize) -> Self {
        Self { pool, ..self }
    }

    pub(crate) fn settings(&self) -> PostgresSettings {
        PostgresSettings {
            pool_size: self.pool,
            // The machine that runs the tests may be busy with others.
            connect_timeout: Duration::from_secs(60),
            ..PostgresSettings::new(self.server.url(&self.database))
        }
    }

    pub(crate) async fn index(&self) -> Arc<PostgresIndex> {
        PostgresIndex::open(self.settings()).await.expect("opened")
    }

    /// One whose limits are too short for a machine that is busy with others: opened as often as it takes.
    pub(crate) async fn impatient(settings: PostgresSettings) -> Arc<PostgresIndex> {
        loop {
            if let Ok(index) = PostgresIndex::open(settings.clone()).await {
                return index;
            }
        }
    }

    /// What statements print, run by `psql`.
    pub(crate) fn sql(&self, statements: &str) -> String {
        self.server.sql(&self.database, statements)
    }

    /// A connection that is none of the index's.
    pub(crate) async fn client(&self) -> tokio_postgres::Client {
        let url = self.server.url(&self.database);
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("connected");
        service::task::spawn("test-connection", async move {
            // It ends with the client, or with the server.
            let _ = connection.await;
        });
        client
    }

    /// Panics unless all sums are those of the rows, and every row has its like in the other tables.
    pub(crate) fn assert_whole(&self) {
        let broken = self.sql(
            "SELECT 'ids without entries', count(*) FROM highwater_index.chunk_day d WHERE NOT EXISTS \
               (SELECT FROM highwater_index.chunk c WHERE c.chunk_id = d.chunk_id AND c.submission_date = d.submission_date) HAVING count(*) > 0; \
             SELECT 'entries without ids', count(*) FROM highwater_index.chunk c WHERE NOT EXISTS \
               (SELECT FROM highwater_index.chunk_day d WHERE c.chunk_id = d.chunk_id AND c.submission_date = d.submission_date) HAVING count(*) > 0; \
             SELECT 'pending without entries', count(*) FROM highwater_index.pending p WHERE NOT EXISTS \
               (SELECT FROM highwater_index.chunk c WHERE c.chunk_id = p.chunk_id AND c.submission_date = p.submission_date) HAVING count(*) > 0; \
             SELECT 'twice waiting', count(*) FROM highwater_index.pending JOIN highwater_index.set_aside USING (chunk_id) HAVING count(*) > 0; \
             SELECT 'sums of a day', submission_date, kind FROM \
               (SELECT submission_date, kind, 1 AS n, records, stored_bytes, received_bytes FROM highwater_index.chunk UNION ALL \
                SELECT submission_date, kind, -chunks, -records, -stored_bytes, -received_bytes FROM highwater_index.day_sum) s \
               GROUP BY submission_date, kind HAVING (SUM(n), SUM(records), SUM(stored_bytes), SUM(received_bytes)) <> (0, 0, 0, 0);",
        );
        assert_eq!(broken, "");
    }
}

#[async_trait]
impl conformance::Database for TestDatabase {
    async fn open(&self) -> Arc<dyn RetainIndex> {
        self.index().await
    }
}

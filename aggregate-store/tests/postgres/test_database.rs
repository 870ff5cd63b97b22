//! A database of a test's own on the shared server.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aggregate_store::{PostgresAggregates, PostgresSettings};
use postgres_for_tests::Postgres;

/// An empty database.
#[derive(Clone)]
pub(crate) struct TestDatabase {
    pub(crate) server: Arc<Postgres>,
    pub(crate) database: String,
}

impl TestDatabase {
    /// On the shared server; `None` where there is no PostgreSQL.
    pub(crate) fn new() -> Option<Self> {
        Postgres::shared().map(Self::on)
    }

    /// Another one on a server.
    pub(crate) fn on(server: Arc<Postgres>) -> Self {
        let database = server.database();
        Self { server, database }
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

/// Stores that are emptied and given again, for a database takes long to make: of two calls one after the other each
/// gives another one.
pub(crate) struct Rotation {
    places: [TestDatabase; 4],
    stores: Mutex<[Option<Arc<PostgresAggregates>>; 4]>,
    next: AtomicUsize,
}

impl Rotation {
    /// `None` where there is no PostgreSQL.
    pub(crate) fn new() -> Option<Self> {
        let first = TestDatabase::new()?;
        let place = || TestDatabase::new().expect("the first one holds the server");
        Some(Self {
            places: [first, place(), place(), place()],
            stores: Mutex::default(),
            next: AtomicUsize::new(0),
        })
    }

    /// An empty store.
    pub(crate) async fn empty(&self) -> Arc<PostgresAggregates> {
        let number = self.next.fetch_add(1, Ordering::SeqCst) % self.places.len();
        let place = &self.places[number];
        let known = self.stores.lock().expect("no test panics here")[number].clone();
        let Some(store) = known else {
            let store = place.open().await;
            self.stores.lock().expect("no test panics here")[number] = Some(store.clone());
            return store;
        };
        place.server.sql(&place.database, EMPTY);
        store
    }
}

const EMPTY: &str = "SET client_min_messages = error; SET search_path = highwater_aggregates; TRUNCATE fold_version, source, \
     string, layout, dimension_set, cell, listing, union_value, folded, retried, seen, errored, counter, epoch, source_rules, rebuild, \
     rebuilt, rebuilt_errored, count_by_day, reason_by_day RESTART IDENTITY; \
     UPDATE about SET epochs_number = 0, counted_by_source = TRUE, client_secret = NULL";

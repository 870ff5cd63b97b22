//! The aggregates in PostgreSQL: they keep the law of every back end, equal those in SQLite, and hold when several
//! processes write them.

mod place;

use std::sync::Arc;

use aggregate_store::AggregateStore;
use aggregate_store::conformance::every_back_end_keeps_the_law;
use place::Place;

#[test]
fn it_keeps_the_law() {
    // Held to the end, for the server ends with the last place on it.
    let Some(_first) = Place::new() else { return };
    every_back_end_keeps_the_law(async || {
        let store: Arc<dyn AggregateStore> = Place::new().expect("it was there").open().await;
        store
    });
}

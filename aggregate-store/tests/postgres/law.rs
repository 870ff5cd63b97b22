//! The law of every back end.

use std::sync::Arc;

use aggregate_store::AggregateStore;
use aggregate_store::conformance::{
    every_back_end_deletes_by_date, every_back_end_keeps_the_law, every_back_end_notes_one_client_secret,
};

use crate::test_database::Rotation;

#[test]
fn it_keeps_the_law() {
    let Some(rotation) = Rotation::new() else { return };
    every_back_end_keeps_the_law(async || {
        let store: Arc<dyn AggregateStore> = rotation.empty().await;
        store
    });
}

#[test]
fn deletion_leaves_what_a_store_has_that_never_knew_the_rest() {
    let Some(rotation) = Rotation::new() else { return };
    every_back_end_deletes_by_date(async || rotation.empty().await);
}

#[tokio::test]
async fn a_client_secret_is_noted_once() {
    let Some(rotation) = Rotation::new() else { return };
    every_back_end_notes_one_client_secret(&*rotation.empty().await).await;
}

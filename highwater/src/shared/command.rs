//! What a command needs that folds where store, index and aggregates are shared, beside the aggregators.

use std::sync::Arc;

use aggregate_store::{AggregateStore, Leases};
use aggregator::Aggregator;
use index_schema::RetainIndex;
use service::clock::SystemClock;
use service::current::Current;
use store::{ObservedStore, Store};

use super::client_secret::BothNotes;
use super::query::belong_together;
use crate::data::Data;
use crate::declarations::Taken;
use crate::places::{self, SharedIndex};

/// Everything opened, and one who folds.
pub(super) struct Opened {
    pub(super) store: Arc<dyn Store>,
    pub(super) index: Arc<dyn RetainIndex>,
    pub(super) aggregates: Arc<dyn AggregateStore>,
    pub(super) leases: Arc<dyn Leases>,
    pub(super) aggregator: Arc<Aggregator>,
}

/// Opens all of it, and makes sure that it belongs together.
///
/// # Errors
/// When one of them is not named, cannot be opened, or belongs elsewhere.
pub(super) async fn open(data: &Data) -> anyhow::Result<Opened> {
    let settings = data.aggregator_settings(&Taken::by_files(&data.fold)?.declarations)?;
    let (kept, SharedIndex { index, .. }, aggregates) = places::open_all_shared(data).await?;
    belong_together(index.as_ref(), aggregates.incarnation).await?;
    let store: Arc<dyn Store> = Arc::new(ObservedStore::new(kept));
    BothNotes::new(data, store.clone(), aggregates.secrets)?
        .compare()
        .await?;
    let current = Arc::new(Current::new(aggregates.store.clone()));
    let aggregator = Aggregator::new(
        index.clone(),
        store.clone(),
        current,
        SystemClock::shared(),
        settings,
    );
    Ok(Opened {
        store,
        index,
        aggregates: aggregates.store,
        leases: aggregates.leases,
        aggregator,
    })
}

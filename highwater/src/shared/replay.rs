//! `highwater replay-errors` where store, index and aggregates are shared: beside the aggregators, which fold on.

use std::sync::Arc;

use aggregator::Aggregator;
use serde_json::Value;
use service::clock::SystemClock;
use service::current::Current;
use store::ObservedStore;

use super::query::belong_together;
use crate::data::Data;
use crate::pipeline::replay;
use crate::places::{self, SharedIndex};

/// Reads errored pings again; says how far it is.
pub(crate) async fn replay_errors(data: &Data, say: impl Fn(Value) + Send + Sync) -> anyhow::Result<Value> {
    let settings = data.aggregator_settings()?;
    let (kept, SharedIndex { index, .. }, aggregates) = places::open_all_shared(data).await?;
    belong_together(index.as_ref(), aggregates.incarnation).await?;
    let store = Arc::new(ObservedStore::new(kept));
    let current = Arc::new(Current::new(aggregates.store));
    let aggregator = Aggregator::new(index, store, current, SystemClock::shared(), settings);
    replay(&aggregator, &say).await
}

//! `highwater rebuild --source` where store, index and aggregates are shared: beside the aggregators, which take their share of it.

use std::sync::Arc;

use aggregate_store::Days;
use aggregator::{Aggregator, SourceRebuild};
use serde_json::Value;
use service::clock::SystemClock;
use service::current::Current;
use store::ObservedStore;

use super::query::belong_together;
use crate::data::Data;
use crate::pipeline::{folded_anew, source_rebuild_to_json};
use crate::places::{self, SharedIndex};

/// Folds a source anew, of these days, and puts it into use; says how far it is.
pub(crate) async fn rebuild_source(
    data: &Data,
    source: &str,
    days: Days,
    say: impl Fn(Value) + Send + Sync,
) -> anyhow::Result<Value> {
    let settings = data.aggregator_settings()?;
    let (kept, SharedIndex { index, .. }, aggregates) = places::open_all_shared(data).await?;
    belong_together(index.as_ref(), aggregates.incarnation).await?;
    let store = Arc::new(ObservedStore::new(kept));
    let current = Arc::new(Current::new(aggregates.store));
    let aggregator = Aggregator::new(index, store, current, SystemClock::shared(), settings);
    aggregator.check_rules().await?;
    let rebuild = aggregator.wish_rebuild(source, days).await?;
    let progress = |told: SourceRebuild| say(source_rebuild_to_json(&told));
    let is_in_use = aggregator.finish_rebuild(&rebuild, &progress).await?;
    folded_anew(&rebuild, is_in_use)
}

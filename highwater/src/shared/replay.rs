//! `highwater replay-errors` where store, index and aggregates are shared: beside the aggregators, which fold on.

use serde_json::Value;

use super::command;
use crate::data::Data;
use crate::pipeline::replay;

/// Reads errored pings again; says how far it is.
pub(crate) async fn replay_errors(data: &Data, say: impl Fn(Value) + Send + Sync) -> anyhow::Result<Value> {
    let opened = command::open(data).await?;
    replay(&opened.aggregator, &say).await
}

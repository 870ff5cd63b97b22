//! The counts of index and aggregates that many processes share.

use std::sync::Arc;

use query::StatusReport;
use service::current::Current;

use super::query::belong_together;
use crate::data::Data;
use crate::pipeline::Stations;
use crate::places;

/// Asks both. What waits in the logs of edges is not among it: each edge tells its own.
pub(crate) async fn counts(data: &Data) -> anyhow::Result<StatusReport> {
    let (index, aggregates) = places::open_shared_databases(data).await?;
    belong_together(index.index.as_ref(), aggregates.incarnation).await?;
    let stations = Stations::shared(index.index, Arc::new(Current::new(aggregates.reads)), None);
    Ok(stations.counters().status().await?)
}

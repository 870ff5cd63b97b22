//! `highwater rebuild` where store, index and aggregates are shared: beside the aggregators, which take their share of it.

use std::sync::Arc;
use std::time::Duration;

use aggregate_store::Days;
use aggregator::{Aggregator, SourceRebuild};
use lambda_indexer::Indexer;
use retention::Standstill;
use serde_json::{Value, json};
use service::task;

use super::command;
use super::standstill::Everybody;
use crate::data::Data;
use crate::pipeline::{folded_anew, refuse_stranger, source_rebuild_to_json};

/// The pause while somebody else has the aggregators stand still.
const AGAIN: Duration = Duration::from_secs(5);

/// Folds a source anew, of these days, and puts it into use; says how far it is.
pub(crate) async fn rebuild_source(
    data: &Data,
    source: &str,
    days: Days,
    say: impl Fn(Value) + Send + Sync,
) -> anyhow::Result<Value> {
    let (aggregator, _) = open(data).await?;
    aggregator.check_rules().await?;
    refuse_stranger(&aggregator, source).await?;
    let rebuild = aggregator.wish_rebuild(source, days).await?;
    let progress = |told: SourceRebuild| say(source_rebuild_to_json(&told));
    let is_in_use = aggregator.finish_rebuild(&rebuild, &progress).await?;
    folded_anew(&rebuild, is_in_use)
}

/// Folds everything anew by the rules of this program, and puts it into use; says how far it is, and which rules change.
pub(crate) async fn rebuild_everything(
    data: &Data,
    forget_older: bool,
    say: impl Fn(Value) + Send + Sync,
) -> anyhow::Result<Value> {
    let (aggregator, everybody) = open(data).await?;
    let changes = aggregator.changed_rules().await;
    if !changes.is_empty() {
        say(json!({"changes": changes}));
    }
    let rebuild = aggregator.wish_whole_rebuild(forget_older).await?;
    let progress = |told: SourceRebuild| say(source_rebuild_to_json(&told));
    while aggregator.fold_all_anew(&rebuild, &progress).await? {
        let standing = match everybody.stand_still().await {
            Ok(standing) => standing,
            Err(error) => {
                tracing::warn!(error, "all is folded anew and waits to be put into use");
                task::sleep(AGAIN).await;
                continue;
            }
        };
        let put = aggregator.put_all_into_use(&rebuild, forget_older).await;
        drop(standing);
        // The process may end next, and what is given back beside the work may not have arrived.
        everybody.go_on().await;
        if put? {
            break;
        }
    }
    let is_in_use = aggregator.is_in_use(&rebuild).await?;
    let done = folded_anew(&rebuild, is_in_use)?;
    aggregator.retry_large_bodies().await?;
    Ok(done)
}

/// One who folds anew, and all who fold. What the index lacks would be missing in what is folded anew.
async fn open(data: &Data) -> anyhow::Result<(Arc<Aggregator>, Arc<Everybody>)> {
    let opened = command::open(data).await?;
    anyhow::ensure!(
        opened.aggregates.fold_version().await?.is_some(),
        "nothing was ever folded into these aggregates: `highwater aggregate` folds all that is indexed"
    );
    let indexer = Indexer::new(opened.store, opened.index);
    indexer.reconcile(&data.chunk_prefix).await?;
    Ok((opened.aggregator, Everybody::new(opened.leases, None)))
}

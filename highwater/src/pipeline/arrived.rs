//! The metrics of a source that have arrived, page by page.

use aggregate_store::{AggregateError, AggregateReads, Source};

/// Metrics that are asked for at a time.
const METRICS_AT_ONCE: usize = 500;

/// The first so many metrics of a source, ascending, and whether these are all.
pub(super) async fn metrics_of(
    reads: &dyn AggregateReads,
    source: &Source,
    most: usize,
) -> Result<(Vec<String>, bool), AggregateError> {
    let (mut metrics, mut is_whole) = (Vec::new(), false);
    while metrics.len() < most && !is_whole {
        let limit = (most - metrics.len()).min(METRICS_AT_ONCE);
        let after = metrics.last().map(String::as_str);
        let page = reads.metrics(source, after, limit).await?;
        is_whole = page.len() < limit;
        metrics.extend(page.into_iter().map(|metric| metric.metric));
    }
    Ok((metrics, is_whole))
}

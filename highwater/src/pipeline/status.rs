//! What the API tells of the pipeline: the edge's counters, the index's, and the aggregates'.

use std::collections::BTreeMap;
use std::sync::Arc;

use aggregate_store::AggregateReads;
use async_trait::async_trait;
use edge::Edge;
use index_schema::Index;
use query::{StatusError, StatusReport, StatusSource};
use service::current::Current;

/// Where the three kinds of counters come from.
#[derive(Debug)]
pub(super) struct Counters {
    /// `None` where no pings are taken: then what was accepted is what came to the index.
    pub(super) edge: Option<Arc<Edge>>,
    pub(super) index: Arc<dyn Index>,
    pub(super) aggregates: Arc<Current<dyn AggregateReads>>,
}

#[async_trait]
impl StatusSource for Counters {
    async fn status(&self) -> Result<StatusReport, StatusError> {
        let (known, lacking) = match &self.edge {
            Some(edge) => self.newest_lacking(edge).await?,
            None => (0, Vec::new()),
        };
        // The edge is asked last, as the report is read from the end of the road to its beginning.
        let mut report = report(0, 0, self.index.as_ref(), self.aggregates.get().as_ref()).await?;
        match &self.edge {
            Some(edge) => {
                let status = edge.status();
                (report.accepted, report.waiting, report.chunked) =
                    (status.accepted, status.waiting, status.chunked);
                report.set_aside += status.damaged;
                // Also those that came meanwhile: what index and aggregates answered may be older.
                report.unindexed_chunks = lacking.len() as u64 + (edge.newest_chunks().0 - known);
            }
            None => (report.accepted, report.chunked) = (report.indexed, report.indexed),
        }
        Ok(report)
    }
}

impl Counters {
    /// How many chunks the edge has put by now, and those of the newest that the index lacks; the edge forgets the others.
    pub(super) async fn newest_lacking(&self, edge: &Edge) -> Result<(u64, Vec<String>), StatusError> {
        let (known, keys) = edge.newest_chunks();
        if keys.is_empty() {
            return Ok((known, keys));
        }
        let contained = self.index.contains(&keys).await;
        let contained = contained.map_err(|error| StatusError::new(&error))?;
        let of = |wanted: bool| {
            let some = keys.iter().zip(&contained).filter(|(_, is)| **is == wanted);
            some.map(|(key, _)| key.clone()).collect::<Vec<_>>()
        };
        edge.note_indexed(&of(true));
        Ok((known, of(false)))
    }
}

/// A report of these counts of the log, and of what index and aggregates say. Read from the end of the road to its
/// beginning, so that a ping on its way is never counted at a later station and not yet at an earlier one.
pub(super) async fn report(
    waiting: u64,
    chunked: u64,
    index: &dyn Index,
    aggregates: &dyn AggregateReads,
) -> Result<StatusReport, StatusError> {
    let folded = aggregates
        .status()
        .await
        .map_err(|error| StatusError::new(&error))?;
    let layer = aggregates
        .layer()
        .await
        .map_err(|error| StatusError::new(&error))?;
    let index = index.totals().await.map_err(|error| StatusError::new(&error))?;
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    let by_reason = |reasons: BTreeMap<String, i64>| {
        reasons
            .into_iter()
            .map(|(reason, n)| (reason, count(n)))
            .collect()
    };
    Ok(StatusReport {
        accepted: waiting + chunked,
        waiting,
        chunked,
        indexed: index.records_ever(),
        deleted: index.removed_records,
        unfolded: index.unfolded_records,
        rebuild_wanted: index.rebuild_wanted,
        folded: count(folded.counters.folded),
        repeated: count(folded.counters.repeated),
        stored_only: count(folded.counters.stored_only),
        errored_pings: count(folded.counters.errored_pings),
        set_aside: index.set_aside,
        unindexed_chunks: 0,
        in_memory_chunks: layer.chunks,
        in_memory_pings: layer.pings,
        persisted_at: layer.persisted_at,
        newest_received: folded.newest_received,
        errored_by_reason: by_reason(folded.errored_by_reason),
        refused_by_reason: by_reason(folded.refused_by_reason),
    })
}

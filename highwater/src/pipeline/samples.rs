//! A few errored pings for each reason, the newest that are cheap to find, and what is set aside.

use std::collections::BTreeMap;

use aggregate_store::{AggregateError, AggregateReads, ErroredRow};
use index_schema::{ChunkKind, Index, IndexError, Selection};
use ping::{Incarnation, RecordId, Timestamp};
use query::health::{ErroredSample, SetAsideObject};

/// Samples of one reason.
const OF_A_REASON: usize = 3;

/// Errored pings, and error chunks, that are looked at.
const LOOKED_AT: usize = 500;

/// What is set aside, of which so much is named.
const SET_ASIDE_NAMED: usize = 50;

/// Record ids that are looked through, beginning with the newest. Numbers leap at each start, by less than the last of these.
const WINDOWS: [u64; 4] = [1_000, 100_000, 10_000_000, 1 << 41];

/// Why the samples could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum SampleError {
    #[error(transparent)]
    Aggregates(#[from] AggregateError),
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// A few errored pings for each reason. Record ids ascend with time, so those of the newest pings of `own` (a log, and
/// the highest number that it gave) are asked for first.
pub(super) async fn errored(
    reads: &dyn AggregateReads,
    index: &dyn Index,
    own: Option<(Incarnation, u64)>,
    now: Timestamp,
) -> Result<Vec<ErroredSample>, SampleError> {
    let mut by_reason: BTreeMap<String, Vec<ErroredSample>> = BTreeMap::new();
    for row in newest_rows(reads, own).await? {
        let samples = by_reason.entry(row.reason.clone()).or_default();
        if samples.len() < OF_A_REASON {
            let chunk = index.entry(row.chunk).await?;
            samples.push(ErroredSample {
                reason: row.reason,
                record: Some(row.record),
                chunk: chunk.map_or_else(|| row.chunk.to_string(), |entry| entry.key),
            });
        }
    }
    for (reason, chunk) in newest_error_chunks(index, now).await? {
        let samples = by_reason.entry(reason.clone()).or_default();
        if samples.len() < OF_A_REASON {
            samples.push(ErroredSample {
                reason,
                record: None,
                chunk,
            });
        }
    }
    Ok(by_reason.into_values().flatten().collect())
}

/// Errored pings of the last windows of record ids that have any, newest first.
async fn newest_rows(
    reads: &dyn AggregateReads,
    own: Option<(Incarnation, u64)>,
) -> Result<Vec<ErroredRow>, AggregateError> {
    for window in WINDOWS {
        let Some((incarnation, newest)) = own else { break };
        let after = RecordId {
            incarnation,
            sequence: newest.saturating_sub(window),
        };
        let mut rows = reads.errored(Some(after), LOOKED_AT).await?;
        if !rows.is_empty() {
            rows.reverse();
            return Ok(rows);
        }
    }
    reads.errored(None, LOOKED_AT).await
}

/// Error chunks by reason, those of the last two days if there are any.
async fn newest_error_chunks(index: &dyn Index, now: Timestamp) -> Result<Vec<(String, String)>, IndexError> {
    let mut selection = Selection {
        kind: Some(ChunkKind::Errors),
        received_from: Some(now.saturating_add_micros(-2 * 86_400 * 1_000_000)),
        ..Selection::default()
    };
    let mut entries = index.select(&selection, None, LOOKED_AT).await?;
    if entries.is_empty() {
        selection.received_from = None;
        entries = index.select(&selection, None, LOOKED_AT).await?;
    }
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.received_max));
    let reasons = |entry: index_schema::IndexEntry| {
        let key = entry.key;
        entry
            .error_reasons
            .into_keys()
            .map(move |reason| (reason, key.clone()))
    };
    Ok(entries.into_iter().flat_map(reasons).collect())
}

/// What is set aside.
pub(super) async fn set_aside(index: &dyn Index) -> Result<Vec<SetAsideObject>, IndexError> {
    let all = index.set_aside().await?;
    let named = all.into_iter().take(SET_ASIDE_NAMED);
    Ok(named
        .map(|aside| SetAsideObject {
            key: aside.key,
            reason: aside.reason,
        })
        .collect())
}

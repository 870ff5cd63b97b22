//! What is counted over the records of a chunk, the same way when it is written and when it is verified.

use std::collections::BTreeMap;

use index_schema::proto::ReasonCount;
use ping::{OTHER, Timestamp};

use crate::limits::ERROR_REASONS_MAX;

/// Sums and extremes over records.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) records: u64,
    pub(crate) raw_bytes: u64,
    pub(crate) received_bytes: u64,
    /// Receive times of the oldest and the newest record.
    pub(crate) received: Option<(Timestamp, Timestamp)>,
    error_reasons: BTreeMap<String, u64>,
}

impl Counts {
    /// Counts a record that takes `raw_bytes` in its frame.
    pub(crate) fn add(
        &mut self,
        raw_bytes: usize,
        received: Timestamp,
        received_bytes: u64,
        error: Option<&str>,
    ) {
        self.records += 1;
        self.raw_bytes += raw_bytes as u64;
        self.received_bytes = self.received_bytes.saturating_add(received_bytes);
        let (oldest, newest) = self.received.unwrap_or((received, received));
        self.received = Some((oldest.min(received), newest.max(received)));
        if let Some(reason) = error {
            let is_told_apart =
                self.error_reasons.contains_key(reason) || self.error_reasons.len() < ERROR_REASONS_MAX;
            let reason = if is_told_apart { reason } else { OTHER };
            *self.error_reasons.entry(reason.to_owned()).or_default() += 1;
        }
    }

    /// Reasons that are told apart.
    pub(crate) fn reasons(&self) -> usize {
        self.error_reasons.len()
    }

    /// Records by the reason of their error, as the summary has them.
    pub(crate) fn error_reasons(&self) -> Vec<ReasonCount> {
        let count = |(reason, records): (&String, &u64)| ReasonCount {
            reason: reason.clone(),
            records: *records,
        };
        self.error_reasons.iter().map(count).collect()
    }
}

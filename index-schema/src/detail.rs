//! What no selection asks of an entry: stored by every back end as one protobuf message.

use ping::ChunkId;

use crate::IndexEntry;
use crate::proto::{EntryDetail, ReasonCount};

impl From<&IndexEntry> for EntryDetail {
    fn from(entry: &IndexEntry) -> Self {
        let reason = |(reason, records): (&String, &u64)| ReasonCount {
            reason: reason.clone(),
            records: *records,
        };
        Self {
            replaces: entry.replaces.iter().map(ChunkId::to_string).collect(),
            error_reasons: entry.error_reasons.iter().map(reason).collect(),
        }
    }
}

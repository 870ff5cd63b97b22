//! How many pings came and what became of them. Here: the numbers, and when they are settled. Not here: who counts.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use ping::Timestamp;
use serde_json::{Value, json};

/// Knows the numbers: the process that has log, index and aggregates.
#[async_trait]
pub trait StatusSource: fmt::Debug + Send + Sync + 'static {
    /// The numbers now. A ping is in `waiting` before its 200 leaves.
    ///
    /// # Errors
    /// When one of the parts could not be asked.
    async fn status(&self) -> Result<StatusReport, StatusError>;
}

/// A part that knows some of the numbers could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("status: {cause}")]
pub struct StatusError {
    cause: String,
}

impl StatusError {
    /// What the part said.
    pub fn new(cause: impl fmt::Display) -> Self {
        Self {
            cause: cause.to_string(),
        }
    }
}

/// Pings over the life of a data directory, across restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusReport {
    /// Answered with 200: those waiting and those in chunks.
    pub accepted: u64,
    /// In the write-ahead log, not yet in a chunk.
    pub waiting: u64,
    /// In chunks.
    pub chunked: u64,
    /// In chunks that the index knows or knew: those deleted since are counted on.
    pub indexed: u64,
    /// Of those indexed, in chunks that were deleted since.
    pub deleted: u64,
    /// Of those indexed, neither in the aggregates in use nor to come into them: they came, or were deleted, below a floor
    /// date, or were forgotten on purpose.
    pub unfolded: u64,
    /// Whether the aggregates still hold what was forgotten on purpose, so that a rebuild is due.
    pub rebuild_wanted: bool,
    /// Counted in aggregates.
    pub folded: u64,
    /// Received again, and counted once.
    pub repeated: u64,
    /// Of types that are stored and not folded.
    pub stored_only: u64,
    /// Kept, but they could not be read.
    pub errored_pings: u64,
    /// Chunks, objects and pieces of the log that are set aside until they are repaired.
    pub set_aside: u64,
    /// Of the newest chunks that this process put, those that the index lacks.
    pub unindexed_chunks: u64,
    /// Chunks whose pings are counted, but in memory only: a crash has them folded again.
    pub in_memory_chunks: u64,
    /// Pings of these chunks.
    pub in_memory_pings: u64,
    /// When aggregates were last written from memory.
    pub persisted_at: Option<Timestamp>,
    /// The newest receive time among folded pings.
    pub newest_received: Option<Timestamp>,
    /// Errored pings by reason.
    pub errored_by_reason: BTreeMap<String, u64>,
    /// Parts of pings that the fold refused, by reason.
    pub refused_by_reason: BTreeMap<String, u64>,
}

impl StatusReport {
    /// Whether every accepted ping has arrived where it belongs: nothing waits, every chunked ping is indexed, each of
    /// them is accounted for, and nothing was set aside.
    pub fn is_settled(&self) -> bool {
        let accounted = [
            self.folded,
            self.repeated,
            self.stored_only,
            self.errored_pings,
            self.unfolded,
        ]
        .iter()
        .try_fold(0_u64, |sum, part| sum.checked_add(*part));
        self.waiting == 0
            && self.set_aside == 0
            && self.unindexed_chunks == 0
            // The index may know more: chunks of a log that was lost, or of another node.
            && self.chunked <= self.indexed
            && accounted == Some(self.indexed)
    }

    /// Acknowledged pings that are in no number yet, and are on their way there.
    pub fn behind(&self) -> u64 {
        let accounted = [
            self.folded,
            self.repeated,
            self.stored_only,
            self.errored_pings,
            self.unfolded,
        ];
        let accounted = accounted
            .iter()
            .fold(0_u64, |sum, part| sum.saturating_add(*part));
        let to_index = self.chunked.saturating_sub(self.indexed);
        self.waiting
            .saturating_add(to_index)
            .saturating_add(self.indexed.saturating_sub(accounted))
    }

    /// As the API writes it.
    pub fn to_json(&self) -> Value {
        let Self {
            accepted,
            waiting,
            chunked,
            indexed,
            deleted,
            unfolded,
            rebuild_wanted,
            folded,
            repeated,
            stored_only,
            errored_pings,
            set_aside,
            unindexed_chunks,
            in_memory_chunks,
            in_memory_pings,
            persisted_at,
            newest_received,
            errored_by_reason,
            refused_by_reason,
        } = self;
        json!({
            "accepted": accepted, "waiting": waiting, "chunked": chunked, "indexed": indexed,
            "folded": folded, "repeated": repeated, "stored_only": stored_only, "errored_pings": errored_pings,
            "settled": self.is_settled(), "newest_receive_time": newest_received.map(rfc3339),
            "errored_by_reason": errored_by_reason, "refused_by_reason": refused_by_reason,
            "set_aside": set_aside, "unindexed_chunks": unindexed_chunks, "deleted": deleted, "unfolded": unfolded, "rebuild_wanted": rebuild_wanted,
            "in_memory": {"chunks": in_memory_chunks, "pings": in_memory_pings},
            "newest_persist_time": persisted_at.map(rfc3339),
        })
    }
}

/// `2026-11-23T15:26:00.123456Z`
pub(crate) fn rfc3339(moment: Timestamp) -> String {
    let day = moment.submission_date();
    let micros = moment.micros_since(day.start()).clamp(0, 86_399_999_999);
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let date = day.as_yyyymmdd();
    let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled() -> StatusReport {
        StatusReport {
            accepted: 10,
            chunked: 10,
            indexed: 10,
            folded: 5,
            repeated: 3,
            stored_only: 1,
            errored_pings: 1,
            ..StatusReport::default()
        }
    }

    #[test]
    fn it_is_settled_only_when_every_ping_is_accounted_for() {
        assert!(StatusReport::default().is_settled());
        assert!(settled().is_settled());
        let spoils: [fn(&mut StatusReport); 8] = [
            |report| report.waiting = 1,
            |report| report.chunked = 11,
            |report| report.indexed = 9,
            |report| report.folded = 4,
            |report| report.repeated = 4,
            |report| report.set_aside = 1,
            |report| report.unindexed_chunks = 1,
            |report| report.folded = u64::MAX,
        ];
        for spoil in spoils {
            let mut report = settled();
            spoil(&mut report);
            assert!(!report.is_settled(), "{report:?}");
        }
    }

    #[test]
    fn what_is_in_no_number_yet_waits_or_is_not_indexed_or_not_folded() {
        assert_eq!(settled().behind(), 0);
        let report = StatusReport {
            accepted: 19,
            waiting: 4,
            chunked: 15,
            indexed: 12,
            ..settled()
        };
        // 19 were accepted, and 10 are accounted for.
        assert_eq!(report.behind(), 19 - 10);
        // Who only reads sees no log.
        let elsewhere = StatusReport {
            accepted: 0,
            chunked: 0,
            folded: 3,
            ..settled()
        };
        assert_eq!(elsewhere.behind(), 10 - (3 + 3 + 1 + 1));
    }

    #[test]
    fn moments_are_written_with_microseconds() {
        let newest_received = Some(Timestamp::from_micros(1_795_447_560_123_456));
        let report = StatusReport {
            newest_received,
            ..settled()
        };
        let written = report.to_json();
        assert_eq!(written["newest_receive_time"], "2026-11-23T15:26:00.123456Z");
        assert_eq!(written["settled"], true);
        assert_eq!(
            StatusReport::default().to_json()["newest_receive_time"],
            Value::Null
        );
        assert_eq!(rfc3339(Timestamp::from_micros(-1)), "1969-12-31T23:59:59.999999Z");
        for end in [i64::MIN, i64::MAX] {
            assert_eq!(rfc3339(Timestamp::from_micros(end)).len(), 27);
        }
    }
}

//! The numbers that the verdicts are made from: what one process sees of its pipeline at one instant.

use std::time::Duration;

use ping::{SubmissionDate, Timestamp};
use serde_json::{Value, json};

use super::declared::DeclarationNumbers;
use super::defined::{DefinitionNumbers, RefusedFiles};
use crate::StatusReport;
use crate::status_report::rfc3339;

/// Everything that is measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthNumbers {
    /// When, by the wall clock.
    pub at: Option<Timestamp>,
    /// The counts of all stations; of what could not be asked, as they were when it last could.
    pub counts: StatusReport,
    /// Why index or aggregates could not be asked, if they could not.
    pub databases: Option<String>,
    /// The write-ahead log.
    pub log: LogNumbers,
    /// The file system that the data directory lies on, if it could be asked.
    pub disk: Option<DiskNumbers>,
    /// The store of chunks.
    pub store: StoreNumbers,
    /// The index.
    pub index: IndexNumbers,
    /// The fold.
    pub folding: FoldingNumbers,
    /// What is kept.
    pub retention: RetentionNumbers,
    /// How what arrives fits to definitions; `None` where there are none, or nothing was held against them yet.
    pub definitions: Option<DefinitionNumbers>,
    /// Files of declarations or definitions that are not taken up.
    pub refused_files: Option<RefusedFiles>,
    /// How what arrives fits to declarations of products; `None` as above.
    pub declarations: Option<DeclarationNumbers>,
    /// How fast the numbers move, over the last seconds.
    pub rates: Rates,
    /// What ended that must not: the process ends at once.
    pub failed: Option<String>,
    /// Whether the process was told to end.
    pub ending: bool,
}

/// How the write-ahead log is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogNumbers {
    /// Bytes of frames in it.
    pub bytes: u64,
    /// Bytes of frames that pings may take there.
    pub budget_bytes: u64,
    /// Whether a ping of usual size finds room.
    pub has_room: bool,
    /// Whether the last write and sync worked.
    pub writable: bool,
    /// Why the next process would not find it, if that is so.
    pub lost: Option<String>,
    /// How long the oldest ping waits that is in no chunk.
    pub oldest_waiting: Option<Duration>,
    /// How long a ping may wait before its chunk is sealed.
    pub seal_age: Duration,
    /// Partitions with waiting pings.
    pub open_partitions: usize,
    /// Above so many, further ones are kept under `OTHER`.
    pub open_partitions_max: usize,
    /// Seals under way: gathered, planned, or being put.
    pub seals: usize,
    /// Plans that the store refuses while it takes others.
    pub stuck_plans: usize,
    /// How long the first of these has been set aside.
    pub oldest_stuck: Option<Duration>,
    /// Pieces of it that were found damaged.
    pub damaged: u64,
}

impl LogNumbers {
    /// Whether there is one: then this process takes pings, and has a data directory.
    pub const fn is_there(&self) -> bool {
        self.budget_bytes > 0
    }

    /// What a process sees that takes no pings: nothing is wrong with a log that is not there.
    pub fn none() -> Self {
        Self {
            has_room: true,
            writable: true,
            ..Self::default()
        }
    }
}

/// How full a file system is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskNumbers {
    /// Bytes that this process may still take.
    pub free_bytes: u64,
    /// Bytes that are taken, and those: what is kept for others, as a file system keeps some for root, is in neither.
    pub size_bytes: u64,
    /// Whether it has no inode left: then it takes no new file, however many bytes are free.
    pub is_out_of_inodes: bool,
}

/// How the store of chunks answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreNumbers {
    /// Since when every put, or every listing, failed. A single object that cannot be read is not the store's failure.
    pub failing_since: Option<Timestamp>,
    /// What it said last.
    pub error: Option<String>,
    /// Whether it lists nothing though the index knows chunks.
    pub is_empty: bool,
}

/// What the index sums up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexNumbers {
    /// Chunks.
    pub chunks: u64,
    /// Their bytes as stored.
    pub stored_bytes: u64,
    /// Bytes of their bodies as received.
    pub received_bytes: u64,
    /// Since when records in chunks were missing in it.
    pub behind_since: Option<Timestamp>,
}

/// How the fold gets on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoldingNumbers {
    /// Chunks that wait to be folded.
    pub pending_chunks: u64,
    /// Since when some waited at every look.
    pub pending_since: Option<Timestamp>,
    /// Why nothing is folded at all, if that is so.
    pub stopped: Option<String>,
    /// Whether a replay of errored pings sets it going again, and no rebuild is needed.
    pub replay_suffices: bool,
    /// Chunks among those that wait which the store does not give, while it answers otherwise.
    pub unreadable_chunks: u64,
    /// Since when there were some at every look.
    pub unreadable_since: Option<Timestamp>,
    /// What was said of the last of them.
    pub unreadable_error: Option<String>,
}

/// How deletion gets on, and before which days nothing is taken any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetentionNumbers {
    /// What waits for a person, each in words.
    pub held: Vec<String>,
    /// Why the last run did not delete everything, if it did not.
    pub failed: Option<String>,
    /// The day before which nothing is indexed.
    pub objects_floor: Option<SubmissionDate>,
    /// The day before which nothing is counted.
    pub aggregates_floor: Option<SubmissionDate>,
    /// Chunks that came below the floor within the last hour, if any did.
    pub refused_lately: Option<u64>,
}

/// Changes per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Pings accepted.
    pub accepted: f64,
    /// Pings put into chunks.
    pub chunked: f64,
    /// Pings folded, whatever became of them.
    pub folded: f64,
    /// Bytes by which the log grows; negative when it shrinks.
    pub log_bytes: f64,
}

impl HealthNumbers {
    /// The moment, or the begin of time when none was measured.
    pub fn now(&self) -> Timestamp {
        self.at.unwrap_or(Timestamp::from_micros(0))
    }

    /// How long ago the newest ping was received that is counted.
    pub fn newest_age(&self) -> Option<Duration> {
        let age = self.now().micros_since(self.counts.newest_received?);
        Some(Duration::from_micros(u64::try_from(age).unwrap_or(0)))
    }

    /// As the API writes it, beside the counts.
    pub(super) fn to_json(&self) -> Value {
        let Self {
            at,
            counts: _,
            databases,
            log,
            disk,
            store,
            index,
            folding,
            retention,
            definitions,
            refused_files,
            declarations,
            rates,
            failed: _,
            ending,
        } = self;
        let tenth = |rate: f64| (rate * 10.0).round() / 10.0;
        json!({
            "at": at.map(rfc3339),
            "newest_age_seconds": self.newest_age().map(|age| age.as_millis() as f64 / 1e3),
            "databases_error": databases,
            "log": {
                "bytes": log.bytes, "budget_bytes": log.budget_bytes, "has_room": log.has_room,
                "writable": log.writable, "lost": log.lost,
                "oldest_waiting_seconds": log.oldest_waiting.map(|age| age.as_millis() as f64 / 1e3),
                "seal_age_seconds": log.seal_age.as_secs_f64(), "open_partitions": log.open_partitions,
                "open_partitions_max": log.open_partitions_max, "seals_under_way": log.seals, "stuck_plans": log.stuck_plans,
                "damaged_pieces": log.damaged,
            },
            "disk": disk.map(|disk| json!({"free_bytes": disk.free_bytes, "size_bytes": disk.size_bytes})),
            "store": {
                "failing_since": store.failing_since.map(rfc3339), "error": store.error,
                "is_empty": store.is_empty,
            },
            "index": {
                "chunks": index.chunks, "stored_bytes": index.stored_bytes,
                "received_bytes": index.received_bytes,
            },
            "folding": {
                "pending_chunks": folding.pending_chunks, "stopped": folding.stopped,
                "unreadable_chunks": folding.unreadable_chunks,
            },
            "retention": {
                "held": retention.held, "error": retention.failed,
                "objects_floor": retention.objects_floor.map(|floor| floor.to_string()),
                "aggregates_floor": retention.aggregates_floor.map(|floor| floor.to_string()),
                "refused_chunks_lately": retention.refused_lately,
            },
            "definitions": definitions.as_ref().map(DefinitionNumbers::to_json),
            "refused_files": refused_files.as_ref().map(|refused| &refused.words),
            "declarations": declarations.as_ref().map(DeclarationNumbers::to_json),
            "rates": {
                "accepted_per_second": tenth(rates.accepted), "chunked_per_second": tenth(rates.chunked),
                "folded_per_second": tenth(rates.folded), "log_bytes_per_second": rates.log_bytes.round(),
            },
            "ending": ending,
        })
    }
}

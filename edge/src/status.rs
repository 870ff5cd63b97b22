//! How the edge is: counts and health, for status pages, heartbeats and whoever waits.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::edge::Edge;
use crate::limits::USUAL_PING_BYTES;
use crate::log::names::Lost;

/// How the edge is, at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeStatus {
    /// Pings taken over the life of the data directory: always `waiting + chunked`.
    pub accepted: u64,
    /// Pings in no chunk yet.
    pub waiting: u64,
    /// Pings in chunks that are in the store.
    pub chunked: u64,
    /// The highest number that was given to a ping of this log. Numbers ascend, and leap at each start.
    pub newest: u64,
    /// Bytes of frames in the write-ahead log.
    pub log_bytes: u64,
    /// Bytes of frames that pings may take there.
    pub log_bytes_max: u64,
    /// Partitions with pings that are in no seal yet.
    pub open_partitions: usize,
    /// Seals under way.
    pub seals: usize,
    /// How long the oldest ping has waited that is in no chunk.
    pub oldest_waiting: Option<Duration>,
    /// Plans that the store refuses for so long that they were set aside, or whose put it has not answered for minutes. They
    /// are tried for ever; meanwhile the log is not freed beyond their oldest ping.
    pub stuck_plans: usize,
    /// How long the first of these has been so.
    pub oldest_stuck: Option<Duration>,
    /// Pieces of the log that were found damaged and set aside.
    pub damaged: u64,
    /// Whether a ping of usual size would find room.
    pub has_room: bool,
    /// Whether the last write and sync of the log worked.
    pub writable: bool,
    /// What keeps the log from being where its names say, so that nothing is acknowledged, if something does.
    pub lost: Option<&'static str>,
    /// Whether a ping of today would be indexed: else none is taken.
    pub takes_today: bool,
    /// What ended that must not, so that the process has to end.
    pub failed: Option<&'static str>,
}

impl Edge {
    /// Has the log try again what failed, if anything did; the answer shows in a later status. Who asks for the health of
    /// the edge calls it, so that a node without traffic comes back.
    pub fn probe(&self) {
        self.log.probe();
    }

    /// How many chunks this process put, and the keys of the last of them, the newest last, 64 at most, without those that
    /// [`Self::note_indexed`] was told of. Each is there before its pings count as [chunked](EdgeStatus::chunked).
    pub fn newest_chunks(&self) -> (u64, Vec<String>) {
        self.ledger.newest_chunks()
    }

    /// These chunks are in the index.
    pub fn note_indexed(&self, keys: &[String]) {
        self.ledger.note_indexed(keys);
    }

    /// How the edge is.
    pub fn status(&self) -> EdgeStatus {
        let (counts, budget) = (self.ledger.counts(), self.log.budget());
        EdgeStatus {
            accepted: counts.waiting + counts.chunked,
            waiting: counts.waiting,
            chunked: counts.chunked,
            newest: self.ledger.newest(),
            log_bytes: budget.used(),
            log_bytes_max: budget.bytes_max(),
            open_partitions: counts.partitions,
            seals: counts.seals,
            stuck_plans: counts.stuck,
            oldest_stuck: counts.oldest_stuck,
            oldest_waiting: counts.oldest,
            damaged: self.damaged.load(Ordering::SeqCst),
            has_room: budget.has_room(USUAL_PING_BYTES),
            writable: budget.is_writable(),
            lost: self.log.names().lost().map(Lost::words),
            takes_today: self.takes_today(),
            failed: self.failure.told(),
        }
    }
}

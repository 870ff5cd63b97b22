//! The metrics of this crate's log and seals.

/// Counter: commit groups of the write-ahead log, each one write and one sync.
pub(crate) const LOG_COMMITS: &str = "highwater_edge_log_commits_total";
/// Counter: bytes written to the write-ahead log, frames and all.
pub(crate) const LOG_BYTES_WRITTEN: &str = "highwater_edge_log_written_bytes";
/// Counter: failed writes and syncs of the write-ahead log. Each refused whoever waited with 503.
pub(crate) const LOG_FAILURES: &str = "highwater_edge_log_failures_total";
/// Counter: pieces of the write-ahead log found damaged. Anything but 0 means that acknowledged pings may be lost.
pub(crate) const LOG_DAMAGED: &str = "highwater_edge_log_damaged_total";
/// Counter: settled segments that were removed.
pub(crate) const SEGMENTS_REMOVED: &str = "highwater_edge_log_segments_removed_total";

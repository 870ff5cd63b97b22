//! The metrics of this crate's log and seals. Those of the door stand with it.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Counter: commit groups of the write-ahead log, each one write and one sync.
pub(crate) const LOG_COMMITS: &str = "highwater_edge_log_commits_total";
/// Counter: bytes written to the write-ahead log, frames and all.
pub(crate) const LOG_BYTES_WRITTEN: &str = "highwater_edge_log_written_bytes_total";
/// Histogram: how long the syncs of commit groups took. Nobody is answered 200 faster.
pub(crate) const LOG_SYNC_SECONDS: &str = "highwater_edge_log_sync_seconds";
/// Counter: failed writes and syncs of the write-ahead log. Each refused whoever waited with 503.
pub(crate) const LOG_FAILURES: &str = "highwater_edge_log_failures_total";
/// Counter: pieces of the write-ahead log found damaged. Anything but 0 means that acknowledged pings may be lost.
pub(crate) const LOG_DAMAGED: &str = "highwater_edge_log_damaged_total";
/// Counter: settled segments that were removed.
pub(crate) const SEGMENTS_REMOVED: &str = "highwater_edge_log_segments_removed_total";
/// Counter: chunks that are in the store, their plans done.
pub(crate) const CHUNKS_SEALED: &str = "highwater_edge_chunks_sealed_total";
/// Counter: bytes of these chunks.
pub(crate) const CHUNK_BYTES: &str = "highwater_edge_chunk_stored_bytes_total";
/// Counter: plans whose chunk's key was taken by another object, or that could not be carried out again. Worth an alarm.
pub(crate) const PLANS_UNEQUAL: &str = "highwater_edge_plans_unequal_total";
/// Counter: pings of rare partitions that were copied forward, to free the segment they lay in. Costs no more than a
/// quarter of what is written; when it keeps moving, the log is small for its traffic and seal age.
pub(crate) const PINGS_COPIED: &str = "highwater_edge_log_copied_pings_total";
/// Gauge: plans that the store refuses for so long that they were set aside, or whose put it has not answered for minutes; their pings stay in the log, and it is not
/// freed beyond them. Look at the store's answer in the log lines with the plan's key.
pub(crate) const PLANS_STUCK: &str = "highwater_edge_stuck_plans";
/// Gauge: how long the first of these has been set aside.
pub(crate) const PLANS_STUCK_AGE: &str = "highwater_edge_oldest_stuck_plan_seconds";
/// Counter: chunks in the store that the indexer was not told of, since it was too far behind; they are found when store and index
/// are compared.
pub(crate) const CHUNKS_UNTOLD: &str = "highwater_edge_unannounced_chunks_total";
/// Counter: calls of the store that are tried again.
pub(crate) const STORE_RETRIES: &str = "highwater_edge_store_retries_total";
/// Counter by `reason`: pings that went to error chunks.
pub(crate) const PINGS_ERRORED: &str = "highwater_edge_pings_errored_total";
/// Counter: pings whose bodies were not stored, since their source's declaration has something taken out of them and they could not be read as
/// JSON, or not be inflated.
pub(crate) const PINGS_EMPTIED: &str = "highwater_edge_emptied_pings_total";
/// Gauge: pings in no chunk yet.
pub(crate) const WAITING: &str = "highwater_edge_waiting_pings";
/// Gauge: how long the oldest ping that is in no chunk has waited; what a loss of this disk would cost.
pub(crate) const OLDEST_WAITING: &str = "highwater_edge_oldest_waiting_seconds";
/// Gauge: bytes of frames in the write-ahead log.
pub(crate) const LOG_BYTES: &str = "highwater_edge_log_bytes";
/// Gauge: open partitions.
pub(crate) const PARTITIONS: &str = "highwater_edge_open_partitions";
/// Counter: times that a partition which was not seen before was opened under a more general one, since more are new than
/// are admitted.
pub(crate) const PARTITIONS_GENERALISED: &str = "highwater_edge_generalised_partitions_total";

/// Gives the recorder the descriptions, and shows what has not happened yet as 0. Call it once, after the recorder is in
/// place.
pub fn describe() {
    describe_log();
    describe_seals();
    for counter in [
        LOG_COMMITS,
        LOG_BYTES_WRITTEN,
        LOG_FAILURES,
        LOG_DAMAGED,
        SEGMENTS_REMOVED,
        CHUNKS_SEALED,
        CHUNK_BYTES,
        PINGS_COPIED,
        PLANS_UNEQUAL,
        STORE_RETRIES,
        CHUNKS_UNTOLD,
        PINGS_EMPTIED,
        PARTITIONS_GENERALISED,
    ] {
        metrics::counter!(counter).increment(0);
    }
}

fn describe_log() {
    describe_counter!(LOG_COMMITS, Unit::Count, "Commit groups of the write-ahead log");
    describe_counter!(
        LOG_BYTES_WRITTEN,
        Unit::Bytes,
        "Bytes written to the write-ahead log"
    );
    describe_histogram!(
        LOG_SYNC_SECONDS,
        Unit::Seconds,
        "How long the syncs of the write-ahead log took"
    );
    describe_counter!(
        LOG_FAILURES,
        Unit::Count,
        "Failed writes and syncs of the write-ahead log"
    );
    describe_counter!(
        LOG_DAMAGED,
        Unit::Count,
        "Pieces of the write-ahead log found damaged"
    );
    describe_counter!(
        SEGMENTS_REMOVED,
        Unit::Count,
        "Settled segments that were removed"
    );
    describe_counter!(
        PINGS_COPIED,
        Unit::Count,
        "Waiting pings copied forward to free a segment"
    );
    describe_gauge!(LOG_BYTES, Unit::Bytes, "Bytes of frames in the write-ahead log");
}

fn describe_seals() {
    describe_counter!(CHUNKS_SEALED, Unit::Count, "Chunks put into the store");
    describe_counter!(CHUNK_BYTES, Unit::Bytes, "Bytes of chunks put into the store");
    describe_counter!(
        PLANS_UNEQUAL,
        Unit::Count,
        "Plans given up because something else bears their key"
    );
    describe_counter!(
        CHUNKS_UNTOLD,
        Unit::Count,
        "Chunks that the indexer was not told of"
    );
    describe_gauge!(
        PLANS_STUCK,
        Unit::Count,
        "Plans that the store refuses, or does not answer, for long"
    );
    describe_gauge!(
        PLANS_STUCK_AGE,
        Unit::Seconds,
        "How long the first of these has been set aside"
    );
    describe_counter!(
        STORE_RETRIES,
        Unit::Count,
        "Calls of the store that are tried again"
    );
    describe_counter!(
        PINGS_ERRORED,
        Unit::Count,
        "Pings that went to error chunks, by reason"
    );
    describe_counter!(
        PINGS_EMPTIED,
        Unit::Count,
        "Pings without their bodies, for something is taken out of them and they cannot be read"
    );
    describe_gauge!(WAITING, Unit::Count, "Pings in no chunk yet");
    describe_gauge!(
        OLDEST_WAITING,
        Unit::Seconds,
        "How long the oldest ping that is in no chunk has waited"
    );
    describe_gauge!(PARTITIONS, Unit::Count, "Open partitions");
    describe_counter!(
        PARTITIONS_GENERALISED,
        Unit::Count,
        "New partitions opened under a more general one"
    );
}

//! The metrics of this crate, all of them.

use std::time::Duration;

use aggregate_store::Counters;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Pings of committed batches by `outcome`: `folded`, `repeated`, `stored_only`, `errored`. What a later copy made a
/// repeat was counted as folded before and is not taken back here; the aggregates' own counters are exact.
pub const PINGS_TOTAL: &str = "highwater_aggregator_pings_total";

/// Chunks of committed batches.
pub const CHUNKS_TOTAL: &str = "highwater_aggregator_chunks_total";

/// Batches by `outcome`: `written`, `lost` (another aggregator was first), `failed` (to be tried again).
pub const BATCHES_TOTAL: &str = "highwater_aggregator_batches_total";

/// Copies that were read again and taken back because an earlier one turned up late.
pub const TAKEN_BACK_TOTAL: &str = "highwater_aggregator_taken_back_total";

/// Copies that could not be read to be taken back, each time: the pings that would displace them are errored.
pub const DISPLACED_UNREADABLE_TOTAL: &str = "highwater_aggregator_unreadable_displaced_pings_total";

/// Chunks that could not be folded, each time.
pub const CHUNK_FAILURES_TOTAL: &str = "highwater_aggregator_chunk_failures_total";

/// Errored pings that a replay folded after all.
pub const REPLAYED_TOTAL: &str = "highwater_aggregator_replayed_total";

/// Leases that are held, of the 64 shards of all chunks: this process's share where several fold.
pub const LEASES: &str = "highwater_aggregator_leases";

/// From the begin of a batch's fold to the end of its transaction.
pub const BATCH_SECONDS: &str = "highwater_aggregator_batch_seconds";

/// Gives the recorder the descriptions. Call it once, after the recorder is in place.
pub fn describe() {
    describe_counter!(PINGS_TOTAL, Unit::Count, "Pings of committed batches by outcome");
    describe_counter!(CHUNKS_TOTAL, Unit::Count, "Chunks of committed batches");
    describe_counter!(BATCHES_TOTAL, Unit::Count, "Batches by outcome");
    describe_counter!(
        TAKEN_BACK_TOTAL,
        Unit::Count,
        "Copies taken back because an earlier one turned up late"
    );
    describe_counter!(
        DISPLACED_UNREADABLE_TOTAL,
        Unit::Count,
        "Copies that could not be read to be taken back"
    );
    describe_counter!(CHUNK_FAILURES_TOTAL, Unit::Count, "Failures to fold a chunk");
    describe_counter!(
        REPLAYED_TOTAL,
        Unit::Count,
        "Errored pings that a replay folded after all"
    );
    describe_gauge!(
        LEASES,
        Unit::Count,
        "Leases that are held, of the 64 shards of all chunks"
    );
    describe_histogram!(
        BATCH_SECONDS,
        Unit::Seconds,
        "From the begin of a batch's fold to the end of its transaction"
    );
    for counter in [
        CHUNKS_TOTAL,
        TAKEN_BACK_TOTAL,
        DISPLACED_UNREADABLE_TOTAL,
        CHUNK_FAILURES_TOTAL,
    ] {
        counter!(counter).increment(0);
    }
}

pub(crate) fn batch(outcome: &'static str) {
    counter!(BATCHES_TOTAL, "outcome" => outcome).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
pub(crate) fn leases(held: usize) {
    gauge!(LEASES).set(held as f64);
}

pub(crate) fn chunk_failed() {
    counter!(CHUNK_FAILURES_TOTAL).increment(1);
}

pub(crate) fn displaced_unreadable(copies: usize) {
    counter!(DISPLACED_UNREADABLE_TOTAL).increment(copies as u64);
}

pub(crate) fn replayed(pings: u64) {
    counter!(REPLAYED_TOTAL).increment(pings);
}

pub(crate) fn written(counters: Counters, chunks: usize, taken_back: usize, took: Duration) {
    let Counters {
        folded,
        repeated,
        stored_only,
        errored_pings,
    } = counters;
    let outcomes = [
        ("folded", folded),
        ("repeated", repeated),
        ("stored_only", stored_only),
        ("errored", errored_pings),
    ];
    for (outcome, pings) in outcomes {
        counter!(PINGS_TOTAL, "outcome" => outcome).increment(u64::try_from(pings).unwrap_or(0));
    }
    counter!(CHUNKS_TOTAL).increment(chunks as u64);
    counter!(TAKEN_BACK_TOTAL).increment(taken_back as u64);
    histogram!(BATCH_SECONDS).record(took.as_secs_f64());
    batch("written");
}

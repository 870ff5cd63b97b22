//! The metrics of this crate, all of them, counted where a batch is committed.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::{Committed, HeldSize};

/// Batches by `outcome`: `written`, `already_folded`, `outdated` and `failed` (nothing written).
pub const BATCHES_TOTAL: &str = "highwater_aggregate_store_batches_total";

/// Differences of cells written.
pub const CELLS_TOTAL: &str = "highwater_aggregate_store_cells_total";

/// Transactions of layers by `outcome`: `written`, `dropped` (another writer was first), `failed` (tried again).
pub const PERSISTS_TOTAL: &str = "highwater_aggregate_store_persists_total";

/// How long the transaction of a layer took.
pub const PERSIST_SECONDS: &str = "highwater_aggregate_store_persist_seconds";

/// Bytes of memory that hold what is folded and not written yet. Near the layer's budget, folding waits for the disk.
pub const HELD_BYTES: &str = "highwater_aggregate_store_held_bytes";

/// Chunks that are folded and not written yet: a crash has them folded again.
pub const HELD_CHUNKS: &str = "highwater_aggregate_store_held_chunks";

/// Gives the recorder the descriptions. Call it once, after the recorder is in place.
pub fn describe() {
    describe_counter!(BATCHES_TOTAL, Unit::Count, "Batches of folded chunks by outcome");
    describe_counter!(
        CELLS_TOTAL,
        Unit::Count,
        "Differences of cells written to the aggregates"
    );
    describe_counter!(PERSISTS_TOTAL, Unit::Count, "Transactions of layers by outcome");
    describe_histogram!(
        PERSIST_SECONDS,
        Unit::Seconds,
        "How long a layer's transaction took"
    );
    describe_gauge!(HELD_BYTES, Unit::Bytes, "Folded and not written yet");
    describe_gauge!(HELD_CHUNKS, Unit::Count, "Chunks folded and not written yet");
    counter!(CELLS_TOTAL).increment(0);
    held(HeldSize::default());
}

pub(crate) fn persisted<E>(outcome: &Result<Committed, E>, took: Duration, chunks: usize) {
    let word = match outcome {
        Ok(Committed::Written) => "written",
        Ok(Committed::AlreadyFolded(_) | Committed::Outdated) => "dropped",
        Err(_) => "failed",
    };
    counter!(PERSISTS_TOTAL, "outcome" => word).increment(1);
    histogram!(PERSIST_SECONDS).record(took.as_secs_f64());
    tracing::debug!(outcome = word, chunks, "a layer of aggregates was to be written");
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floating point")]
pub(crate) fn held(size: HeldSize) {
    gauge!(HELD_BYTES).set(size.bytes as f64);
    gauge!(HELD_CHUNKS).set(size.chunks as f64);
}

pub(crate) fn count_commit<E>(cells: usize, outcome: &Result<Committed, E>) {
    let word = match outcome {
        Ok(Committed::Written) => "written",
        Ok(Committed::AlreadyFolded(_)) => "already_folded",
        Ok(Committed::Outdated) => "outdated",
        Err(_) => "failed",
    };
    counter!(BATCHES_TOTAL, "outcome" => word).increment(1);
    if word == "written" {
        counter!(CELLS_TOTAL).increment(cells as u64);
    }
}

//! The metrics of this crate, all of them, counted where a batch is committed.

use metrics::{Unit, counter, describe_counter};

use crate::Committed;

/// Batches by `outcome`: `written`, `already_folded` (nothing written), `failed` (nothing written).
pub const BATCHES_TOTAL: &str = "highwater_aggregate_store_batches_total";

/// Differences of cells written.
pub const CELLS_TOTAL: &str = "highwater_aggregate_store_cells_total";

/// Gives the recorder the descriptions. Call it once, after the recorder is in place.
pub fn describe() {
    describe_counter!(BATCHES_TOTAL, Unit::Count, "Batches of folded chunks by outcome");
    describe_counter!(
        CELLS_TOTAL,
        Unit::Count,
        "Differences of cells written to the aggregates"
    );
    counter!(CELLS_TOTAL).increment(0);
}

pub(crate) fn count_commit<E>(cells: usize, outcome: &Result<Committed, E>) {
    let word = match outcome {
        Ok(Committed::Written) => "written",
        Ok(Committed::AlreadyFolded(_)) => "already_folded",
        Err(_) => "failed",
    };
    counter!(BATCHES_TOTAL, "outcome" => word).increment(1);
    if word == "written" {
        counter!(CELLS_TOTAL).increment(cells as u64);
    }
}

//! The metrics of this crate, all of them.

use metrics::{Unit, counter, describe_counter};

use crate::{Outcome, Reconciled};

/// Objects looked at, by `outcome`: `added` to the index, `known` to it, `refused` (below the floor date, or forgotten),
/// `unreadable` and noted there, `gone`, `foreign` (no chunk by its name), `unanswered` (the store did not answer; they are tried again).
pub const OBJECTS_TOTAL: &str = "highwater_lambda_indexer_objects_total";

/// Chunks that a comparison of store and index found missing: events that got lost.
pub const MISSING_CHUNKS_TOTAL: &str = "highwater_lambda_indexer_missing_chunks_total";

/// Comparisons of store and index that were finished.
pub const RECONCILIATIONS_TOTAL: &str = "highwater_lambda_indexer_reconciliations_total";

/// Gives the recorder the descriptions. Call it once, after the recorder is in place.
pub fn describe() {
    describe_counter!(OBJECTS_TOTAL, Unit::Count, "Objects looked at by outcome");
    describe_counter!(
        MISSING_CHUNKS_TOTAL,
        Unit::Count,
        "Chunks that a comparison found missing in the index"
    );
    describe_counter!(
        RECONCILIATIONS_TOTAL,
        Unit::Count,
        "Finished comparisons of store and index"
    );
    counter!(MISSING_CHUNKS_TOTAL).increment(0);
    counter!(RECONCILIATIONS_TOTAL).increment(0);
}

pub(crate) fn count(outcome: &Outcome, unanswered: usize) {
    for (name, objects) in outcome.counts() {
        counter!(OBJECTS_TOTAL, "outcome" => name).increment(objects);
    }
    counter!(OBJECTS_TOTAL, "outcome" => "unanswered").increment(unanswered as u64);
}

pub(crate) fn count_reconciled(found: &Reconciled) {
    counter!(MISSING_CHUNKS_TOTAL).increment(found.outcome.added);
    counter!(RECONCILIATIONS_TOTAL).increment(1);
}

//! The metrics of the door. What waits, is sealed or failed is counted by the log and the seal.

use metrics::{counter, describe_counter};

/// Submissions answered 200.
const ACCEPTED: &str = "highwater_edge_submissions_total";
/// Bytes of their bodies as sent.
const ACCEPTED_BYTES: &str = "highwater_edge_submission_bytes_total";
/// Preflights of browsers, by outcome.
const PREFLIGHTS: &str = "highwater_edge_preflights_total";
/// Requests that were not taken, by reason.
const REJECTED: &str = "highwater_edge_rejections_total";

/// Describes the metrics of the door to the recorder that is installed.
pub fn describe() {
    describe_counter!(ACCEPTED, "Submissions that were answered 200.");
    describe_counter!(ACCEPTED_BYTES, "Bytes of their bodies as sent.");
    describe_counter!(
        PREFLIGHTS,
        "Browsers that asked whether a page's script may send, by outcome."
    );
    describe_counter!(REJECTED, "Requests that were not taken, by reason.");
    counter!(ACCEPTED).increment(0);
    counter!(ACCEPTED_BYTES).increment(0);
}

pub(super) fn accepted(body_bytes: usize) {
    counter!(ACCEPTED).increment(1);
    counter!(ACCEPTED_BYTES).increment(body_bytes as u64);
}

pub(super) fn preflight(outcome: &'static str) {
    counter!(PREFLIGHTS, "outcome" => outcome).increment(1);
}

pub(super) fn rejected(reason: &'static str) {
    counter!(REJECTED, "reason" => reason).increment(1);
}

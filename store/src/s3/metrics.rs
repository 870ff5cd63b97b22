//! The metrics of the back end for S3: requests and bytes as S3 bills them, tries that failed included.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use super::operation::Operation;

/// Requests by `operation`, as on the bill, and `outcome`: `ok`, or why not. Each try counts.
pub(crate) const REQUESTS_TOTAL: &str = "highwater_store_s3_requests_total";

/// Bytes of objects sent, in whatever try, by `operation`.
pub(crate) const SENT_BYTES_TOTAL: &str = "highwater_store_s3_sent_bytes_total";

/// Bytes of objects received, in whatever try.
pub(crate) const RECEIVED_BYTES_TOTAL: &str = "highwater_store_s3_received_bytes_total";

/// Requests that were not tried again although worth it, since the budget for that was spent.
pub(crate) const UNTRIED_RETRIES_TOTAL: &str = "highwater_store_s3_untried_retries_total";

/// Bytes of uploads under way.
pub(crate) const UPLOAD_BYTES: &str = "highwater_store_s3_upload_bytes";

/// How far this machine's clock is ahead of S3's, where S3 refused a request for it; 0 once one was let in.
pub(crate) const CLOCK_SKEW_SECONDS: &str = "highwater_store_s3_clock_skew_seconds";

pub(crate) fn describe() {
    describe_counter!(
        REQUESTS_TOTAL,
        Unit::Count,
        "Requests to S3 by operation and outcome, each try counted"
    );
    describe_counter!(
        SENT_BYTES_TOTAL,
        Unit::Bytes,
        "Bytes of objects sent to S3, by operation"
    );
    describe_counter!(
        RECEIVED_BYTES_TOTAL,
        Unit::Bytes,
        "Bytes of objects received from S3"
    );
    describe_counter!(
        UNTRIED_RETRIES_TOTAL,
        Unit::Count,
        "Requests to S3 not tried again since the budget for that was spent"
    );
    describe_gauge!(UPLOAD_BYTES, Unit::Bytes, "Bytes of uploads to S3 under way");
    describe_gauge!(
        CLOCK_SKEW_SECONDS,
        Unit::Seconds,
        "How far this machine's clock is ahead of S3's when S3 refuses for it, else 0"
    );
}

pub(super) fn count_request(operation: Operation, outcome: &'static str) {
    counter!(REQUESTS_TOTAL, "operation" => operation.name(), "outcome" => outcome).increment(1);
}

pub(super) fn count_sent(operation: Operation, bytes: u64) {
    counter!(SENT_BYTES_TOTAL, "operation" => operation.name()).increment(bytes);
}

pub(super) fn count_received(bytes: u64) {
    counter!(RECEIVED_BYTES_TOTAL).increment(bytes);
}

pub(super) fn count_untried_retry() {
    counter!(UNTRIED_RETRIES_TOTAL).increment(1);
}

pub(super) fn upload_begins(bytes: f64) {
    gauge!(UPLOAD_BYTES).increment(bytes);
}

pub(super) fn upload_ends(bytes: f64) {
    gauge!(UPLOAD_BYTES).decrement(bytes);
}

pub(super) fn set_clock_skew(seconds: f64) {
    gauge!(CLOCK_SKEW_SECONDS).set(seconds);
}

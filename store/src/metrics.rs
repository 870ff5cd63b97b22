//! The metrics of this crate, counted by [`crate::ObservedStore`]. Those of the back end for S3 are with it.

use metrics::{Unit, counter, describe_counter};

/// Requests by `verb` (`put`, `get`, `head`, `list`, `delete`) and `outcome` (`ok`, `already_there`, `not_found`, `failed`:
/// surely changed nothing, `unclear`: may have happened).
pub const REQUESTS_TOTAL: &str = "highwater_store_requests_total";

/// Bytes of objects created (`verb` is `put`) and read (`verb` is `get`).
pub const BYTES_TOTAL: &str = "highwater_store_bytes_total";

/// Gives the recorder the descriptions. Call it once, after the recorder is in place.
pub fn describe() {
    describe_counter!(
        REQUESTS_TOTAL,
        Unit::Count,
        "Requests to the object store by verb and outcome"
    );
    describe_counter!(
        BYTES_TOTAL,
        Unit::Bytes,
        "Bytes of objects created and read, by verb"
    );
    #[cfg(feature = "s3")]
    crate::s3::metrics::describe();
}

pub(crate) fn count_request(verb: &'static str, outcome: &'static str) {
    counter!(REQUESTS_TOTAL, "verb" => verb, "outcome" => outcome).increment(1);
}

pub(crate) fn count_bytes(verb: &'static str, bytes: u64) {
    counter!(BYTES_TOTAL, "verb" => verb).increment(bytes);
}

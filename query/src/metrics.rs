//! The metrics of this crate.

use std::time::Duration;

use http::StatusCode;
use metrics::{counter, describe_counter, describe_histogram, histogram};

/// Requests answered, by route and HTTP status.
const REQUESTS: &str = "highwater_query_requests_total";
/// Time from a request's headers to its answer, by route.
const ANSWER: &str = "highwater_query_answer_seconds";

/// Describes this crate's metrics to the recorder that is installed.
pub fn describe() {
    describe_counter!(REQUESTS, "Requests to the API and the page, by route and status.");
    describe_histogram!(
        ANSWER,
        "Seconds from a request's headers to its answer, by route."
    );
}

pub(crate) fn answered(route: &'static str, status: StatusCode, took: Duration) {
    counter!(REQUESTS, "route" => route, "status" => status.as_str().to_owned()).increment(1);
    histogram!(ANSWER, "route" => route).record(took.as_secs_f64());
}

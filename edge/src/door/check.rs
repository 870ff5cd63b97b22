//! The checks that a request's head must pass, in the order of the contract: 405, 404, 411, 414, 431, 413.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, Method};
use ping::{Submission, SubmissionError};

use super::{DoorLimits, Rejection, headers};

/// Checks a request's head; `body_bytes` is the length that it declares.
pub(crate) fn check(head: &Parts, body_bytes: u64, limits: &DoorLimits) -> Result<(), Rejection> {
    let uri = head.uri.path_and_query().map_or("", |uri| uri.as_str());
    if is_below_submit(head.uri.path()) {
        match head.method {
            Method::POST | Method::PUT => {}
            Method::GET => return Err(Rejection::Get),
            _ => return Err(Rejection::Method),
        }
        Submission::parse(uri).map_err(Rejection::Path)?;
    } else {
        return Err(Rejection::Path(SubmissionError::NotASubmission));
    }
    if !has_length(&head.headers) {
        return Err(Rejection::Length);
    }
    if uri.len() > limits.uri_bytes_max {
        return Err(Rejection::Uri);
    }
    let too_large = |value: &http::HeaderValue| value.len() > limits.header_bytes_max;
    if head
        .headers
        .iter()
        .any(|(name, value)| headers::is_stored(name) && too_large(value))
    {
        return Err(Rejection::Header);
    }
    if body_bytes > limits.body.bytes_max {
        return Err(Rejection::Body);
    }
    Ok(())
}

/// A chunked body has no length until it has come.
fn has_length(headers: &HeaderMap) -> bool {
    headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING)
}

/// Whether a path is one that pings are sent to, or looks so.
pub(super) fn is_below_submit(path: &str) -> bool {
    path.split('/').find(|segment| !segment.is_empty()) == Some("submit")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    const PATH: &str =
        "/submit/telemetry/ce39b608-f595-4c69-b6a6-f7a436604648/main/Firefox/61.0a1/nightly/1?v=4";

    fn verdict(
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body_bytes: u64,
    ) -> Result<(), &'static str> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).expect("a request").into_parts();
        check(&head, body_bytes, &DoorLimits::default()).map_err(Rejection::reason)
    }

    #[test]
    fn of_all_that_is_wrong_the_first_check_speaks() {
        let long_uri = format!("{PATH}&x={}", "y".repeat(2000));
        let long_path = format!("/submit/No/{}", "y".repeat(2000));
        let long = "z".repeat(1025);
        let (length, header) = (("content-length", "9"), ("user-agent", long.as_str()));
        let over = (8 << 20) + 1;
        assert_eq!(verdict("DELETE", &long_path, &[header], over), Err("method"));
        assert_eq!(verdict("GET", &long_uri, &[header], over), Err("get"));
        assert_eq!(verdict("POST", &long_path, &[header], over), Err("path"));
        assert_eq!(
            verdict("POST", &long_uri, &[header], over),
            Err("length_required")
        );
        assert_eq!(
            verdict("POST", &long_uri, &[length, header], over),
            Err("uri_too_long")
        );
        assert_eq!(
            verdict("PUT", PATH, &[length, header], over),
            Err("header_too_large")
        );
        assert_eq!(verdict("PUT", PATH, &[length], over), Err("body_too_large"));
        assert_eq!(verdict("PUT", PATH, &[length], over - 1), Ok(()));
    }

    #[test]
    fn limits_are_what_may_still_pass() {
        let length = ("content-length", "0");
        let fitting = format!("{PATH}{}", "x".repeat(1024 - PATH.len()));
        assert_eq!(verdict("POST", &fitting, &[length], 0), Ok(()));
        assert_eq!(
            verdict("POST", &format!("{fitting}x"), &[length], 0),
            Err("uri_too_long")
        );
        let fitting = "x".repeat(1024);
        assert_eq!(
            verdict("POST", PATH, &[length, ("user-agent", &fitting)], 0),
            Ok(())
        );
        let unstored = "x".repeat(5000);
        assert_eq!(verdict("POST", PATH, &[length, ("cookie", &unstored)], 0), Ok(()));
    }

    #[test]
    fn only_what_lies_below_submit_can_be_405() {
        assert_eq!(verdict("DELETE", "/submitted", &[], 0), Err("path"));
        assert_eq!(verdict("DELETE", "//submit", &[], 0), Err("method"));
        assert_eq!(verdict("HEAD", PATH, &[], 0), Err("method"));
        assert_eq!(verdict("GET", "/", &[], 0), Err("path"));
    }

    #[test]
    fn a_chunked_body_has_no_length() {
        let headers = [("content-length", "3"), ("transfer-encoding", "chunked")];
        assert_eq!(verdict("POST", PATH, &headers, 3), Err("length_required"));
    }
}

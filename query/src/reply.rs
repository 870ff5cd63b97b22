//! From a route's answer to the HTTP response: validators, caching, and headers that every answer bears.
//!
//! Every answer is `Cache-Control: no-cache` with an ETag by content: kept by a browser, but asked about each time. The
//! original let answers by submission date be used unasked for 24 hours, under an ETag that never changed, for its
//! numbers moved once a day; ours move while a reader looks, and a 304 costs less than an answer of yesterday.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// Layouts of a metric that an answer leaves out, separated by semicolons.
pub(crate) const OTHER_LAYOUTS: HeaderName = HeaderName::from_static("x-highwater-other-layouts");

/// The methods that every route answers.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

/// The page may load its own files and nothing else, and stand in nobody's frame.
const PAGE_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'self'; img-src 'self' data:; frame-ancestors 'none'");

/// As in the original: no answer stands in a frame.
const API_POLICY: HeaderValue = HeaderValue::from_static("frame-ancestors 'none'");

/// What a route answers with.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    content_type: &'static str,
    body: Bytes,
    extra: Option<(HeaderName, HeaderValue)>,
    is_page: bool,
}

impl Reply {
    /// JSON, open to scripts of every origin.
    pub(crate) fn json(value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("answers have string keys and finite numbers");
        Self {
            content_type: "application/json",
            body: body.into(),
            extra: None,
            is_page: false,
        }
    }

    /// A file of the page.
    pub(crate) fn page(content_type: &'static str, body: &'static [u8]) -> Self {
        Self {
            content_type,
            body: Bytes::from_static(body),
            extra: None,
            is_page: true,
        }
    }

    /// Adds a header, if the value can be one.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.extra = HeaderValue::from_str(value).ok().map(|value| (name, value));
        self
    }

    /// The response to a request with these headers: 304 when it names the content that it would get.
    pub(crate) fn into_response(self, request: &HeaderMap) -> Response<Full<Bytes>> {
        let Self {
            content_type,
            body,
            extra,
            is_page,
        } = self;
        let tag = tag_of(&body);
        let mut response = Response::new(Full::new(Bytes::new()));
        if knows(request, &tag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            *response.body_mut() = Full::new(body);
        }
        let headers = response.headers_mut();
        common(headers, is_page);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let quoted = HeaderValue::from_str(&format!("\"{tag}\"")).expect("hex digits and quotes");
        headers.insert(ETAG, quoted);
        headers.extend(extra);
        response
    }
}

impl Problem {
    /// The response that says so.
    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body().into()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        common(headers, false);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(allow) = self.allow.and_then(|allow| HeaderValue::from_str(&allow).ok()) {
            headers.insert(ALLOW, allow);
        }
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// The answer to OPTIONS, so that scripts of every origin may ask with any header.
pub(crate) fn options() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    common(headers, false);
    headers.insert(ALLOW, METHODS);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

fn common(headers: &mut HeaderMap, is_page: bool) {
    if !is_page {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        let exposed = HeaderValue::from_static("etag, x-highwater-other-layouts, allow");
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    let policy = if is_page { PAGE_POLICY } else { API_POLICY };
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
}

/// The first 128 bits of SHA-256 over the content, in hex.
fn tag_of(body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether `If-None-Match` names this tag: quoted, as the standard has it, or bare, as clients of the original send.
fn knows(request: &HeaderMap, tag: &str) -> bool {
    let values = request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|candidate| {
        let candidate = candidate.trim();
        let bare = candidate
            .strip_prefix("W/")
            .unwrap_or(candidate)
            .trim_matches('"');
        candidate == "*" || bare == tag
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(if_none_match: &str) -> StatusCode {
        let mut request = HeaderMap::new();
        request.insert(
            IF_NONE_MATCH,
            HeaderValue::from_str(if_none_match).expect("a value"),
        );
        Reply::json(&"x").into_response(&request).status()
    }

    #[test]
    fn a_known_tag_is_met_quoted_bare_weak_or_in_a_list() {
        let fresh = Reply::json(&"x").into_response(&HeaderMap::new());
        assert_eq!(fresh.status(), StatusCode::OK);
        let tag = fresh.headers()[ETAG].to_str().expect("text").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
        let bare = tag.trim_matches('"').to_owned();
        for known in [
            tag.clone(),
            bare,
            format!("W/{tag}"),
            format!("\"a\", {tag}"),
            "*".to_owned(),
        ] {
            assert_eq!(status(&known), StatusCode::NOT_MODIFIED, "{known}");
        }
        for other in ["", "\"\"", "\"a\"", "submission_date_v1"] {
            assert_eq!(status(other), StatusCode::OK, "{other}");
        }
    }

    #[test]
    fn other_content_has_another_tag() {
        assert_ne!(tag_of(b"a"), tag_of(b"b"));
    }
}

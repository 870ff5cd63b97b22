//! From a route's answer to the HTTP response: validators, caching, and headers that every answer bears.
//!
//! Every answer is `Cache-Control: no-cache` with an ETag by content: kept by a browser, but asked about each time. The
//! original let answers by submission date be used unasked for 24 hours, under an ETag that never changed, for its
//! numbers moved once a day; ours move while a reader looks, and a 304 costs less than an answer of yesterday.

use std::io;
use std::sync::Arc;

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
use service::task;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::ANSWER_BYTES_MAX;
use crate::problem::Problem;

/// The unit in which room for answers is counted.
pub(crate) const KIB: usize = 1 << 10;

/// Layouts of a metric that an answer leaves out, separated by semicolons.
pub(crate) const OTHER_LAYOUTS: HeaderName = HeaderName::from_static("x-highwater-other-layouts");

/// How many samples of an answer lie on none of its bins: they are in the sums, and in no histogram.
pub(crate) const SAMPLES_LEFT_OUT: HeaderName = HeaderName::from_static("x-highwater-samples-left-out");

/// How many values a list leaves out, those with the fewest data.
pub(crate) const VALUES_LEFT_OUT: HeaderName = HeaderName::from_static("x-highwater-values-left-out");

/// Whether there may be more raw pings than an answer has.
pub(crate) const CUT: HeaderName = HeaderName::from_static("x-highwater-cut");

/// How many chunks could not be read for an answer of raw pings.
pub(crate) const CHUNKS_LEFT_OUT: HeaderName = HeaderName::from_static("x-highwater-chunks-left-out");

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
    /// Of the body.
    tag: String,
    extra: Vec<(HeaderName, HeaderValue)>,
    is_page: bool,
}

/// Makes a reply off the threads that take pings: shaping, JSON and digest.
pub(crate) async fn made(
    make: impl FnOnce() -> Result<Reply, Problem> + Send + 'static,
) -> Result<Reply, Problem> {
    task::background(make).await
}

impl Reply {
    /// JSON.
    pub(crate) fn json(value: &impl Serialize) -> Result<Self, Problem> {
        let mut body = Written(Vec::new());
        serde_json::to_writer(&mut body, value).map_err(|_| Problem::too_large("bytes", ANSWER_BYTES_MAX))?;
        let Written(body) = body;
        Ok(Self {
            content_type: "application/json",
            tag: tag_of(&body),
            body: body.into(),
            extra: Vec::new(),
            is_page: false,
        })
    }

    /// A table of texts with commas between them.
    pub(crate) fn csv(table: String) -> Self {
        let body = table.into_bytes();
        Self {
            content_type: "text/csv; charset=utf-8",
            tag: tag_of(&body),
            body: body.into(),
            extra: Vec::new(),
            is_page: false,
        }
    }

    /// A JSON object a line.
    pub(crate) fn lines(body: Vec<u8>) -> Self {
        Self {
            content_type: "application/x-ndjson",
            tag: tag_of(&body),
            body: body.into(),
            extra: Vec::new(),
            is_page: false,
        }
    }

    /// A file of the page, and the tag of its bytes.
    pub(crate) fn page(content_type: &'static str, body: &'static [u8], tag: &str) -> Self {
        Self {
            content_type,
            body: Bytes::from_static(body),
            tag: tag.to_owned(),
            extra: Vec::new(),
            is_page: true,
        }
    }

    /// Adds a header, if the value can be one.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        let value = HeaderValue::from_str(value).ok();
        self.extra.extend(value.map(|value| (name, value)));
        self
    }

    /// Says how many values a list leaves out, if it does.
    pub(crate) fn leaving_out(self, values: u64) -> Self {
        match values {
            0 => self,
            values => self.with(VALUES_LEFT_OUT, &values.to_string()),
        }
    }

    /// Its bytes are taken from this room until they are sent.
    pub(crate) fn sent_from(self, room: &Arc<Semaphore>) -> Result<Self, Problem> {
        if self.is_page || self.body.len() < KIB {
            return Ok(self);
        }
        let taken = u32::try_from(self.body.len() / KIB).unwrap_or(u32::MAX);
        let taken = Arc::clone(room).try_acquire_many_owned(taken);
        let _taken =
            taken.map_err(|_| Problem::busy("Too many answers are being sent. Ask again in a second."))?;
        let body = self.body;
        Ok(Self {
            body: Bytes::from_owner(Sending { body, _taken }),
            ..self
        })
    }

    /// The response to a request with these headers: 304 when it names the content that it would get.
    pub(crate) fn into_response(self, request: &HeaderMap) -> Response<Full<Bytes>> {
        let Self {
            content_type,
            body,
            tag,
            extra,
            is_page,
        } = self;
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

/// An answer whose bytes are taken from a room until they are sent.
struct Sending {
    body: Bytes,
    _taken: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Sending {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

/// What is written, up to the bytes that an answer may have.
struct Written(Vec<u8>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > ANSWER_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Problem {
    /// The response that says so.
    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body().into()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        common(headers, false);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
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

/// The answer to OPTIONS: where a route is open to scripts of other origins, they may ask with any header.
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

/// Lets scripts of every origin read an answer, and a refusal, too. Without it browsers keep what the API says from the
/// pages of others.
pub(crate) fn open_to_scripts(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static(
        "etag, x-highwater-other-layouts, x-highwater-samples-left-out, x-highwater-values-left-out, allow",
    );
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
}

fn common(headers: &mut HeaderMap, is_page: bool) {
    let policy = if is_page { PAGE_POLICY } else { API_POLICY };
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
}

/// The first 128 bits of SHA-256 over the content, in hex.
pub(crate) fn tag_of(body: &[u8]) -> String {
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
    use crate::problem::Reason;

    fn status(if_none_match: &str) -> StatusCode {
        let mut request = HeaderMap::new();
        request.insert(
            IF_NONE_MATCH,
            HeaderValue::from_str(if_none_match).expect("a value"),
        );
        Reply::json(&"x").expect("small").into_response(&request).status()
    }

    #[test]
    fn a_known_tag_is_met_quoted_bare_weak_or_in_a_list() {
        let fresh = Reply::json(&"x").expect("small").into_response(&HeaderMap::new());
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
    fn an_answer_of_too_many_bytes_is_refused_when_it_has_them() {
        let long = "x".repeat(ANSWER_BYTES_MAX - 1);
        let refused = Reply::json(&long).expect_err("two quotes more");
        assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert!(Reply::json(&&long[1..]).is_ok());
    }

    #[test]
    fn what_is_being_sent_takes_its_room_until_it_is_sent() {
        let room = Arc::new(Semaphore::new(5));
        let reply = || Reply::json(&"x".repeat(3 * KIB)).expect("small").sent_from(&room);
        let first = reply().expect("room").into_response(&HeaderMap::new());
        assert_eq!(reply().expect_err("two are too many").reason, Reason::Busy);
        assert!(Reply::json(&"x").expect("small").sent_from(&room).is_ok());
        drop(first);
        assert!(reply().is_ok());
    }

    #[test]
    fn other_content_has_another_tag() {
        assert_ne!(tag_of(b"a"), tag_of(b"b"));
    }
}

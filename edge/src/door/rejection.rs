//! Why a request is not taken: its status, what the client is told to do, and how often it happened.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body_util::Full;
use ping::SubmissionError;
use service::http::text;

use super::metrics;
use crate::intake::Refusal;

/// When to come again after the memory for bodies was used up: it is free again within a body's time-out.
const OVERLOADED_RETRY_AFTER: Duration = Duration::from_secs(30);

/// When to come again after the log failed: it opens a new segment at once, or the process is started again.
const UNAVAILABLE_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The typed reason why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Neither POST nor PUT below `/submit`.
    Method,
    /// A GET below `/submit`.
    Get,
    /// No such path, or a malformed namespace.
    Path(SubmissionError),
    /// No Content-Length.
    Length,
    /// The URI is too long.
    Uri,
    /// The value of a stored header is too long.
    Header,
    /// The body is too long.
    Body,
    /// The log is full.
    Full {
        /// When to come again.
        retry_after: Duration,
    },
    /// The memory for bodies is used up.
    Overloaded,
    /// The log cannot be written.
    Unavailable,
    /// The body came too slowly: no answer.
    SlowBody,
    /// The client broke off within the body: no answer.
    CutBody,
    /// Nothing of today is indexed any more: the clock, or the floor, is wrong.
    BelowFloor,
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Full { retry_after } => Self::Full { retry_after },
            Refusal::TooLarge => Self::Body,
            Refusal::Unavailable => Self::Unavailable,
            Refusal::BelowFloor => Self::BelowFloor,
        }
    }
}

/// All reasons as metrics and counts name them, by [`Rejection::index`].
const REASONS: [&str; 13] = [
    "method",
    "get",
    "path",
    "length_required",
    "uri_too_long",
    "header_too_large",
    "body_too_large",
    "log_full",
    "overloaded",
    "log_unavailable",
    "body_slow",
    "body_cut",
    "below_floor",
];

impl Rejection {
    const fn index(self) -> usize {
        match self {
            Self::Method => 0,
            Self::Get => 1,
            Self::Path(_) => 2,
            Self::Length => 3,
            Self::Uri => 4,
            Self::Header => 5,
            Self::Body => 6,
            Self::Full { .. } => 7,
            Self::Overloaded => 8,
            Self::Unavailable => 9,
            Self::SlowBody => 10,
            Self::CutBody => 11,
            Self::BelowFloor => 12,
        }
    }

    /// The reason as metrics name it.
    pub const fn reason(self) -> &'static str {
        REASONS[self.index()]
    }

    /// The answer, or none where the connection is closed without one.
    pub fn answer(self) -> Option<Response<Full<Bytes>>> {
        let (status, told) = self.told()?;
        let mut response = text(status, told);
        let headers = response.headers_mut();
        if matches!(self, Self::Method) {
            headers.insert(ALLOW, HeaderValue::from_static("POST, PUT, OPTIONS"));
        }
        if let Some(after) = self.retry_after() {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        // The body may lie unread between this request and the next.
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        Some(response)
    }

    const fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Full { retry_after } => Some(retry_after),
            Self::Overloaded => Some(OVERLOADED_RETRY_AFTER),
            Self::Unavailable | Self::BelowFloor => Some(UNAVAILABLE_RETRY_AFTER),
            _ => None,
        }
    }

    fn told(self) -> Option<(StatusCode, String)> {
        let (status, told) = match self {
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method not allowed\nsend pings by POST or PUT",
            ),
            Self::Get => (
                StatusCode::NOT_FOUND,
                "not found\nnothing can be read here: send pings by POST or PUT",
            ),
            Self::Path(error) => return Some((StatusCode::NOT_FOUND, format!("not found\n{error}\n"))),
            Self::Length => (
                StatusCode::LENGTH_REQUIRED,
                "length required\nsend the body with a Content-Length, not chunked",
            ),
            Self::Uri => (StatusCode::URI_TOO_LONG, "URI too long\nshorten path and query"),
            Self::Header => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "header too large\nshorten the longest of your headers",
            ),
            Self::Body => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body too large\ncompress it, or send less",
            ),
            Self::Full { .. } => (
                StatusCode::INSUFFICIENT_STORAGE,
                "storage full\nsend the ping again later",
            ),
            Self::Overloaded => (
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded\nsend the ping again later",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "storage unavailable\nsend the ping again later",
            ),
            Self::BelowFloor => (
                StatusCode::SERVICE_UNAVAILABLE,
                "clock or floor date wrong\nsend the ping again later",
            ),
            Self::SlowBody | Self::CutBody => return None,
        };
        Some((status, format!("{told}\n")))
    }
}

/// How often each reason occurred since the process began.
#[derive(Debug, Default)]
pub struct Rejections {
    counts: [AtomicU64; REASONS.len()],
}

impl Rejections {
    pub(super) fn count(&self, rejection: Rejection) {
        self.counts[rejection.index()].fetch_add(1, Ordering::Relaxed);
        metrics::rejected(rejection.reason());
    }

    /// The reasons that occurred, with their counts.
    pub fn by_reason(&self) -> Vec<(&'static str, u64)> {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        REASONS
            .into_iter()
            .zip(counts)
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

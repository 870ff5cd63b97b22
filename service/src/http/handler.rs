//! What a listener asks of whoever answers, and the plain answers.

use std::future::Future;

use ::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use ::http::{Request, Response, StatusCode};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;

/// Answers requests. One handler serves all connections of a listener.
pub trait Handler: Send + Sync + 'static {
    /// The answer to one request, or the wish to close its connection without one.
    ///
    /// The future is dropped when the connection breaks or the drain of a shutdown takes too long.
    fn handle(&self, request: Request<Incoming>) -> impl Future<Output = Answer> + Send;

    /// Whether a request asks how the process is, which is answered although all connections are taken.
    fn is_heartbeat(&self, request: &Request<Incoming>) -> bool {
        let _ = request;
        false
    }

    /// The answer to a request for which there is no connection left. Its body is not read.
    fn no_seat(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let _ = request;
        let mut refusal = text(
            StatusCode::SERVICE_UNAVAILABLE,
            "all connections are taken\nask again in a while\n",
        );
        refusal
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("10"));
        refusal
    }
}

/// A response, or none.
pub type Answer = Result<Response<Full<Bytes>>, Hangup>;

/// The connection is closed without an answer: the client was too slow or is gone. A 408 would make clients drop what
/// they wanted to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection is closed without an answer")]
pub struct Hangup;

/// An answer of plain text.
pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    typed(status, "text/plain; charset=utf-8", body.into())
}

/// An answer of JSON, already written out.
pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    typed(status, "application/json", body.into())
}

fn typed(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

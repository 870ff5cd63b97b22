//! One connection, from its first byte to its last: hyper under watch, and a graceful end.

use std::error::Error;
use std::io;
use std::pin::pin;
use std::sync::Arc;

use ::http::header::{CONNECTION, HeaderValue};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::body::Sender;
use super::connection_limit::Seat;
use super::watch::Watched;
use super::{Answer, ConnectionLimits, Handler, Hangup};
use crate::metrics::{self, Closed};
use crate::shutdown::Shutdown;

/// The longest head, and the most that is read ahead of a body: it bounds what a connection costs beside the budget for
/// bodies. Longer heads are answered 414 or 431 by hyper.
const BUFFER_BYTES_MAX: usize = 64 << 10;

/// What all connections of a listener share.
pub(super) struct Shared<H> {
    pub(super) handler: H,
    pub(super) listener: &'static str,
    pub(super) limits: Arc<ConnectionLimits>,
    /// Answer what is in flight, then close.
    pub(super) drain: Shutdown,
    /// Close now.
    pub(super) cut: Shutdown,
}

/// Serves a connection to its end.
pub(super) async fn serve<H: Handler>(shared: Arc<Shared<H>>, stream: TcpStream, seat: Arc<Seat>) {
    tokio::select! {
        biased;
        () = shared.cut.wished() => metrics::closed(shared.listener, Closed::Drain),
        () = seat.serving.asked_for_room() => metrics::closed(shared.listener, Closed::Displaced),
        () = converse(&shared, stream, &seat) => {}
    }
}

async fn converse<H: Handler>(shared: &Arc<Shared<H>>, stream: TcpStream, seat: &Arc<Seat>) {
    let serving = &seat.serving;
    let watched = Watched::new(
        stream,
        shared.listener,
        Arc::clone(&shared.limits),
        serving.clone(),
    );
    let service = service_fn(|mut request: hyper::Request<Incoming>| {
        let (shared, seat, guard) = (Arc::clone(shared), Arc::clone(seat), serving.begin());
        request.extensions_mut().insert(Sender::new(&seat));
        async move {
            let answer = match seat.is_kept() {
                true => answer_on_kept_seat(&shared.handler, request, &seat).await,
                false => shared.handler.handle(request).await,
            };
            drop(guard);
            answer
        }
    });
    let connection = http1::Builder::new()
        .half_close(shared.limits.answer_half_closed)
        .max_buf_size(BUFFER_BYTES_MAX)
        .header_read_timeout(None) // the watch has its own
        .serve_connection(TokioIo::new(watched), service);
    let mut connection = pin!(connection);
    let mut draining = false;
    let outcome = loop {
        tokio::select! {
            biased;
            () = shared.drain.wished(), if !draining => {
                draining = true;
                serving.drain();
                connection.as_mut().graceful_shutdown();
            }
            outcome = connection.as_mut() => break outcome,
        }
    };
    if let Err(error) = outcome {
        count(shared.listener, &error);
    }
}

/// The answer to a request whose connection found only a seat for heartbeats. What is answered there gives the seat back.
async fn answer_on_kept_seat<H: Handler>(
    handler: &H,
    request: hyper::Request<Incoming>,
    seat: &Seat,
) -> Answer {
    let mut answer = if handler.is_heartbeat(&request) {
        handler.handle(request).await?
    } else if seat.move_up().await {
        return handler.handle(request).await;
    } else {
        handler.no_seat(&request)
    };
    let close = HeaderValue::from_static("close");
    answer.headers_mut().insert(CONNECTION, close);
    Ok(answer)
}

/// Counts a failed connection by its reason.
fn count(listener: &'static str, error: &hyper::Error) {
    let cause = error.source();
    let timed_out = |cause: &io::Error| cause.kind() == io::ErrorKind::TimedOut;
    if error.is_parse() {
        metrics::closed(listener, Closed::Malformed);
    } else if cause.is_some_and(<dyn Error>::is::<Hangup>) {
        metrics::closed(listener, Closed::Body);
    } else if !cause
        .and_then(|cause| cause.downcast_ref())
        .is_some_and(timed_out)
    {
        metrics::closed(listener, Closed::Broken); // the watch has counted the others
    }
}

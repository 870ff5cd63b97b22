//! A connection's bytes under watch: whoever sends no head, lies idle, or never reads an answer is hung up on.
//!
//! The watch sits below hyper, which has no time-out for an unread answer and only one for heads and idleness
//! together. Slow bodies are the concern of `body`.

use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use super::ConnectionLimits;
use super::serving::Serving;
use crate::metrics::{self, Closed};

/// How long a connection lingers at the end of the process: most have nothing unread.
const DRAIN_LINGER: Duration = Duration::from_millis(200);

/// How long the rest of a head may take at the end of the process.
const DRAIN_HEAD: Duration = Duration::from_secs(1);

/// What the connection waits for when it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaits {
    /// The first byte of the first request.
    First,
    /// The rest of a head.
    Head,
    /// The end of the request that is being answered: no deadline here.
    Answer,
    /// The first byte of a further request.
    Next,
    /// That the client closes, too.
    End,
}

/// A stream under watch.
pub(super) struct Watched {
    stream: TcpStream,
    listener: &'static str,
    limits: Arc<ConnectionLimits>,
    serving: Serving,
    /// Requests that the watch knows to have begun.
    seen: usize,
    awaits: Awaits,
    /// The end of the process has shortened the deadline of a head.
    hurried: bool,
    read_deadline: Pin<Box<Sleep>>,
    /// There while the client takes nothing.
    write_deadline: Option<Pin<Box<Sleep>>>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "deadlines of the network, not of a core"
)]
impl Watched {
    pub(super) fn new(
        stream: TcpStream,
        listener: &'static str,
        limits: Arc<ConnectionLimits>,
        serving: Serving,
    ) -> Self {
        let read_deadline = Box::pin(sleep(limits.header_timeout));
        Self {
            stream,
            listener,
            limits,
            serving,
            seen: 0,
            awaits: Awaits::First,
            hurried: false,
            read_deadline,
            write_deadline: None,
        }
    }

    fn set_read_deadline(&mut self, after: Duration) {
        self.read_deadline.as_mut().reset(Instant::now() + after);
    }

    /// Notices that a request began or ended since the last read, or that the process ends.
    fn follow_serving(&mut self) {
        if self.serving.begun() != self.seen {
            self.seen = self.serving.begun();
            self.awaits = Awaits::Answer;
        }
        if self.awaits == Awaits::Answer && self.serving.is_idle() {
            self.awaits = Awaits::Next;
            self.set_read_deadline(self.limits.idle_timeout);
        }
        if self.awaits == Awaits::Head && !self.hurried && self.serving.is_draining() {
            self.hurried = true;
            self.set_read_deadline(DRAIN_HEAD);
        }
    }

    /// Notices that bytes came.
    fn follow_bytes(&mut self) {
        match self.awaits {
            Awaits::First => self.awaits = Awaits::Head, // its deadline runs from the connection's start
            Awaits::Next => {
                self.serving.count_silence();
                self.awaits = Awaits::Head;
                self.set_read_deadline(self.limits.header_timeout);
            }
            Awaits::Head | Awaits::Answer | Awaits::End => {}
        }
    }

    /// Gives the connection up. It is closed without lingering.
    fn hang_up(&mut self, why: Closed) -> io::Error {
        self.awaits = Awaits::End;
        self.set_read_deadline(Duration::ZERO);
        metrics::closed(self.listener, why);
        io::Error::new(io::ErrorKind::TimedOut, why.word())
    }

    /// Passes a write's outcome on, unless the client has taken nothing for too long.
    fn progress<T>(&mut self, outcome: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.write_deadline = None;
            return outcome;
        }
        let after = self.limits.write_timeout;
        let deadline = self.write_deadline.get_or_insert_with(|| Box::pin(sleep(after)));
        if deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(self.hang_up(Closed::UnreadAnswer)));
        }
        Poll::Pending
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.follow_serving();
        let before = buffer.filled().len();
        if let Poll::Ready(outcome) = Pin::new(&mut self.stream).poll_read(cx, buffer) {
            if buffer.filled().len() > before {
                self.follow_bytes();
            }
            return Poll::Ready(outcome);
        }
        let why = match self.awaits {
            Awaits::Answer | Awaits::End => return Poll::Pending,
            Awaits::First => Closed::Silent,
            Awaits::Head => Closed::SlowHead,
            Awaits::Next => Closed::Idle,
        };
        match self.read_deadline.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(self.hang_up(why))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.progress(outcome, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Says that nothing follows, then reads on a while: closing with bytes unread would reset the connection, and the
    /// answer might be lost on its way.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.awaits != Awaits::End {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            self.awaits = Awaits::End;
            let after = if self.serving.is_draining() {
                self.limits.linger_timeout.min(DRAIN_LINGER)
            } else {
                self.limits.linger_timeout
            };
            self.set_read_deadline(after);
        }
        let mut scrap = [MaybeUninit::uninit(); 4096];
        while self.read_deadline.as_mut().poll(cx).is_pending() {
            let mut scrap = ReadBuf::uninit(&mut scrap);
            let outcome = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut scrap));
            if outcome.is_err() || scrap.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.progress(outcome, cx)
    }
}

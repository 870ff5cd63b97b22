//! The trait between the HTTP door and the log: a submission that passed the checks asks to be kept.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;

/// Keeps submissions.
pub trait Intake: Send + Sync + 'static {
    /// Whether a submission with so long a body would be kept now. Asked before the body is read, so that a client whose
    /// ping cannot be kept need not send it; it promises nothing.
    ///
    /// # Errors
    /// See [`Refusal`].
    fn admit(&self, body_bytes: u64) -> Result<(), Refusal> {
        let _ = body_bytes;
        Ok(())
    }

    /// Keeps a submission: `Ok` once it is on disk. When the future is dropped before, it may be kept or not.
    ///
    /// # Errors
    /// See [`Refusal`].
    fn submit(&self, accepted: Accepted) -> impl Future<Output = Result<(), Refusal>> + Send;
}

/// A submission that passed the checks of the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Path and query as sent. It parses as a `ping::Submission`.
    pub uri: Bytes,
    /// The headers that are stored: names in lower case, values decoded, in the order of the request.
    pub headers: Vec<(String, String)>,
    /// The body as sent, most often gzip.
    pub body: Bytes,
}

/// Why a submission is not kept now. The client is asked to come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The budget of the log is used up: nothing was appended. Answered 507.
    #[error("the log is full")]
    Full {
        /// When to come again.
        retry_after: Duration,
    },
    /// No log or chunk can hold so large a ping: nothing was appended. Answered 413.
    #[error("the ping is larger than the log can hold")]
    TooLarge,
    /// A write or sync failed, or the edge is ending: the submission may be kept or not. Answered 503.
    #[error("the log cannot be written")]
    Unavailable,
    /// By the clock of this machine it is a day before which nothing is indexed any more: the submission is not kept.
    /// Answered 503.
    #[error("today is below the floor date")]
    BelowFloor,
}

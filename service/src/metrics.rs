//! The metrics of this crate. Other crates list theirs in their own file of this name.

use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};

/// Connections open now, by listener.
const CONNECTIONS: &str = "highwater_service_connections";
/// Connections accepted, by listener.
const ACCEPTED: &str = "highwater_service_connections_accepted_total";
/// Connections that were closed by us without an answer, by listener and reason.
const CLOSED: &str = "highwater_service_connections_closed_total";
/// Failures to accept a connection, such as a lack of file descriptors, by listener.
const ACCEPT_FAILURES: &str = "highwater_service_accept_failures_total";

/// Why a connection was closed without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Nothing was ever sent.
    Silent,
    /// The headers did not end in time.
    SlowHead,
    /// No further request came.
    Idle,
    /// It waited for its client longer than any other when there was no more room.
    Displaced,
    /// The client took nothing of its answer for too long.
    UnreadAnswer,
    /// What came was no HTTP; hyper answered 400, 414 or 431 by itself.
    Malformed,
    /// The body was too slow, or cut.
    Body,
    /// The client broke off.
    Broken,
    /// A request in flight outlived the drain of a shutdown.
    Drain,
}

impl Closed {
    /// The reason as the metric's label has it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::SlowHead => "slow_head",
            Self::Idle => "idle",
            Self::Displaced => "displaced",
            Self::UnreadAnswer => "unread_answer",
            Self::Malformed => "malformed",
            Self::Body => "body",
            Self::Broken => "broken",
            Self::Drain => "drain",
        }
    }
}

/// Describes this crate's metrics to the recorder that is installed.
pub fn describe() {
    describe_gauge!(CONNECTIONS, "Connections open now.");
    describe_counter!(ACCEPTED, "Connections accepted.");
    describe_counter!(
        CLOSED,
        "Connections closed without an answer, or as malformed, by reason."
    );
    describe_counter!(ACCEPT_FAILURES, "Failures to accept a connection.");
}

pub(crate) fn connections(listener: &'static str) -> Gauge {
    gauge!(CONNECTIONS, "listener" => listener)
}

pub(crate) fn accepted(listener: &'static str) -> Counter {
    counter!(ACCEPTED, "listener" => listener)
}

pub(crate) fn accept_failures(listener: &'static str) -> Counter {
    counter!(ACCEPT_FAILURES, "listener" => listener)
}

pub(crate) fn closed(listener: &'static str, why: Closed) {
    counter!(CLOSED, "listener" => listener, "reason" => why.word()).increment(1);
}

//! The metrics of this crate. Other crates list theirs in their own file of this name.

use metrics::{Counter, Gauge, Unit, counter, describe_counter, describe_gauge, gauge};

use crate::process::Figures;

/// Connections open now, by listener.
const CONNECTIONS: &str = "highwater_service_connections";
/// Connections accepted, by listener.
const ACCEPTED: &str = "highwater_service_connections_accepted_total";
/// Connections that were closed by us without an answer, by listener and reason.
const CLOSED: &str = "highwater_service_connections_closed_total";
/// Failures to accept a connection, such as a lack of file descriptors, by listener.
const ACCEPT_FAILURES: &str = "highwater_service_accept_failures_total";

/// Memory of this process that is resident now.
const RESIDENT: &str = "highwater_service_resident_bytes";
/// The most memory that was resident at once.
const RESIDENT_MAX: &str = "highwater_service_resident_max_bytes";
/// Threads of this process.
const THREADS: &str = "highwater_service_threads";
/// Open file descriptors of this process.
const OPEN_FILES: &str = "highwater_service_open_files";

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
    describe_gauge!(
        RESIDENT,
        Unit::Bytes,
        "Memory of this process that is resident now."
    );
    describe_gauge!(
        RESIDENT_MAX,
        Unit::Bytes,
        "The most memory of this process that was resident at once."
    );
    describe_gauge!(THREADS, Unit::Count, "Threads of this process.");
    describe_gauge!(OPEN_FILES, Unit::Count, "Open file descriptors of this process.");
}

/// Publishes what the operating system says of this process.
#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
pub(crate) fn publish(figures: &Figures) {
    let Figures {
        resident_bytes,
        resident_max_bytes,
        threads,
        open_files,
    } = *figures;
    for (name, value) in [
        (RESIDENT, resident_bytes),
        (RESIDENT_MAX, resident_max_bytes),
        (THREADS, threads),
        (OPEN_FILES, open_files),
    ] {
        if let Some(value) = value {
            gauge!(name).set(value as f64);
        }
    }
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

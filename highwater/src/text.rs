//! What a person reads, and stops reading: moments, and an output that was closed.

use ping::Timestamp;
use time::OffsetDateTime;
use time::macros::format_description;

/// A moment as `2017-01-30T23:31:40.278000Z`.
pub(crate) fn moment(timestamp: Timestamp) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(timestamp.as_micros()) * 1_000)
        .ok()
        .and_then(|moment| moment.format(&format).ok())
        .unwrap_or_else(|| format!("{} µs after 1970", timestamp.as_micros()))
}

/// Whether the reader of the output stopped reading, as `| head` does: that ends a command well.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let closed = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    };
    error.chain().any(closed)
}

/// An error with its causes, each said once: many errors name their cause already.
pub(crate) fn words(error: &anyhow::Error) -> String {
    let mut words = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if words.is_empty() {
            words = cause;
        } else if !words.contains(&cause) {
            words.push_str(": ");
            words.push_str(&cause);
        }
    }
    words
}

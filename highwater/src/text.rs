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
    if is_want_of_room(error) {
        words.push_str(ROOM);
    }
    words
}

/// What is to be done where a command ends for want of room.
const ROOM: &str = "; there is no room: free some in the file system that it names or that the data directory lies in (`df -h`; \
                    `df -i` where bytes are free), and start again: nothing that was acknowledged is lost";

/// Whether a disk, or a database on one, had no room.
fn is_want_of_room(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let is_disk = cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(disk::is_want_of_room);
        is_disk || cause.to_string().contains("database or disk is full")
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::words;

    #[test]
    fn an_error_for_want_of_room_says_what_to_do_and_that_nothing_is_lost() {
        let full = anyhow::Error::new(Error::from(ErrorKind::StorageFull)).context("cannot make the file x");
        let database = anyhow::anyhow!("the index: database or disk is full");
        for error in [full, database] {
            let words = words(&error);
            assert!(
                words.contains("free some") && words.contains("df -i") && words.contains("lost"),
                "{words}"
            );
        }
        let other =
            words(&anyhow::Error::new(Error::from(ErrorKind::PermissionDenied)).context("cannot read x"));
        assert!(!other.contains("free some"), "{other}");
    }
}

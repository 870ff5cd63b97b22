//! How moments and amounts are written for a person.

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

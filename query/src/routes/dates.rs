//! Which versions and dates of a channel have data, newest first.

use std::cmp::Reverse;

use aggregate_store::{AggregateReads, DateClock, VersionDate};
use serde::Serialize;

use crate::explain;
use crate::problem::Problem;
use crate::reply::Reply;

/// One line of the answer, in the original's words.
#[derive(Debug, Serialize)]
struct Entry {
    version: String,
    date: String,
}

/// Versions and dates: the greatest version first, and its latest date.
pub(crate) async fn answer(
    reads: &dyn AggregateReads,
    clock: DateClock,
    channel: &str,
) -> Result<Reply, Problem> {
    let mut known = reads.dates(clock, channel).await?;
    if known.is_empty() {
        return Err(explain::no_channel(reads, clock, channel).await?);
    }
    newest_first(&mut known);
    let entries: Vec<Entry> = known
        .into_iter()
        .map(|VersionDate { version, date }| Entry { version, date })
        .collect();
    Ok(Reply::json(&entries))
}

/// Versions descend as numbers, then dates as texts; what is no number, such as `UNKNOWN`, comes after what is.
pub(crate) fn newest_first(entries: &mut [VersionDate]) {
    entries.sort_by_cached_key(|VersionDate { version, date }| {
        let number = |text: &str| text.parse::<u64>().ok();
        Reverse((
            number(version),
            version.clone(),
            number(date).is_some(),
            date.clone(),
        ))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_descend_as_numbers_and_unknown_ones_come_last() {
        let entry = |(version, date): (&str, &str)| VersionDate {
            version: version.to_owned(),
            date: date.to_owned(),
        };
        let sorted = [
            ("100", "20210101"),
            ("9", "20210102"),
            ("9", "20210101"),
            ("9", "UNKNOWN"),
            ("UNKNOWN", "20210101"),
            ("", "20210101"),
        ];
        let mut entries: Vec<_> = sorted.into_iter().rev().map(entry).collect();
        newest_first(&mut entries);
        assert_eq!(entries, sorted.map(entry));
    }
}

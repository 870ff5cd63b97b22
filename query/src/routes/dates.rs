//! Which versions and dates of a channel have data, newest first. Those that clients of the original could not use, such as
//! builds without a date, are left to [`super::values`].

use std::cmp::Reverse;

use aggregate_store::{AggregateReads, DateClock, Listed, Source, VersionDate};
use serde::Serialize;

use crate::compatible::{is_usable_date, is_usable_name};
use crate::explain;
use crate::limits::LIST_DATES_MAX;
use crate::problem::Problem;
use crate::reply::{Reply, made};

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
    let known = reads
        .dates(&Source::telemetry_main(), clock, channel, LIST_DATES_MAX)
        .await?;
    if known.values.is_empty() {
        return Err(explain::no_channel(reads, channel).await?);
    }
    made(move || list(known)).await
}

fn list(known: Listed<VersionDate>) -> Result<Reply, Problem> {
    let Listed { mut values, left_out } = known;
    values.retain(|entry| is_usable_name(&entry.version) && is_usable_date(&entry.date));
    newest_first(&mut values);
    let entries = values
        .into_iter()
        .map(|VersionDate { version, date }| Entry { version, date });
    let entries: Vec<Entry> = entries.collect();
    Ok(Reply::json(&entries)?.leaving_out(left_out))
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

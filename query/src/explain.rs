//! Why there is no data: asked of the store step by step, from the largest reason to the smallest.

use std::collections::BTreeSet;

use aggregate_store::{AggregateError, AggregateReads, CellQuery, DateClock, Filters};

use crate::problem::{Problem, Reason, list};
use crate::routes::Question;

/// Why a channel has no data.
pub(crate) async fn no_channel(
    reads: &dyn AggregateReads,
    clock: DateClock,
    channel: &str,
) -> Result<Problem, AggregateError> {
    let known = reads.channels(clock).await?;
    if known.is_empty() {
        return Ok(Problem::nothing_received());
    }
    let sentence = format!(
        "No ping of channel `{channel}` was folded. There is data of: {}.",
        list(known.iter().map(String::as_str))
    );
    Ok(Problem::new(Reason::ChannelUnknown, sentence))
}

/// Why a channel has no data of a version.
pub(crate) async fn no_version(
    reads: &dyn AggregateReads,
    clock: DateClock,
    channel: &str,
    version: &str,
) -> Result<Problem, AggregateError> {
    let known = reads.dates(clock, channel).await?;
    if known.is_empty() {
        return no_channel(reads, clock, channel).await;
    }
    let sentence = format!(
        "No ping of {channel} {version} was folded. Versions of {channel} with data: {}.",
        list(newest_versions(known.iter().map(|entry| entry.version.as_str())))
    );
    Ok(Problem::new(Reason::VersionUnknown, sentence))
}

/// Why a question for a metric has no data. `stored` is the name under which this channel and version have it.
pub(crate) async fn no_data(
    reads: &dyn AggregateReads,
    question: &Question,
    stored: Option<&str>,
) -> Result<Problem, AggregateError> {
    let Question {
        clock,
        channel,
        version,
        dates,
        metric,
        ..
    } = question;
    let known = reads.dates(*clock, channel).await?;
    if !known.iter().any(|entry| entry.version == *version) {
        return no_version(reads, *clock, channel, version).await;
    }
    let Some(stored) = stored else {
        let sentence =
            format!("No ping of {channel} {version} sent {metric}. /filters/ lists the metrics that it has.");
        return Ok(Problem::new(Reason::MetricUnknown, sentence));
    };
    let everywhere = CellQuery {
        dates: None,
        ..question.unfiltered(stored)
    };
    let rows = reads.series(&everywhere).await?;
    let there: BTreeSet<&str> = rows.iter().map(|row| row.date.as_str()).collect();
    if !dates.iter().any(|date| there.contains(date.as_str())) {
        let sentence = format!(
            "{metric} has no data in {channel} {version} at these dates. It has at: {}.",
            list(there.into_iter().rev())
        );
        return Ok(Problem::new(Reason::DatesWithoutData, sentence));
    }
    filters_exclude(reads, question, stored).await
}

async fn filters_exclude(
    reads: &dyn AggregateReads,
    question: &Question,
    stored: &str,
) -> Result<Problem, AggregateError> {
    let Question {
        channel,
        version,
        metric,
        filters,
        sent,
        ..
    } = question;
    let mut sentence = if sent.is_empty() {
        format!("{metric} has data in {channel} {version} at these dates, but not of the usual processes.")
    } else {
        let filters = list(sent.iter().map(String::as_str));
        format!("{metric} has data in {channel} {version} at these dates, but none with {filters}.")
    };
    let mut elsewhere = Vec::new();
    for process in reads.filter_options(channel, version).await?.processes {
        let filters = Filters {
            processes: Some(vec![process.clone()]),
            ..filters.clone()
        };
        let query = CellQuery {
            filters,
            ..question.cells(stored)
        };
        if !reads.series(&query).await?.is_empty() {
            elsewhere.push(process);
        }
    }
    if elsewhere.is_empty() {
        sentence.push_str(" Take a filter away.");
    } else {
        let processes = list(elsewhere.iter().map(String::as_str));
        sentence.push_str(&format!(
            " It was sent by these processes: {processes}. Ask with child=<process>."
        ));
    }
    Ok(Problem::new(Reason::FiltersExclude, sentence))
}

/// Versions without repeats, the greatest number first.
fn newest_versions<'a>(versions: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let distinct: BTreeSet<(Option<u64>, &str)> =
        versions.map(|version| (version.parse().ok(), version)).collect();
    distinct.into_iter().rev().map(|(_, version)| version).collect()
}

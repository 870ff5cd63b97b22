//! Why there is no data: asked of the store step by step, from the largest reason to the smallest.

use std::collections::BTreeSet;

use aggregate_store::{
    AggregateError, AggregateReads, CellQuery, DateClock, Dimension, Listed, Source, ValueOf,
};

use crate::limits::{LIST_DATES_MAX, NAMES_IN_A_SENTENCE};
use crate::problem::{Problem, Reason, list};
use crate::routes::Question;

/// Why a channel has no data.
pub(crate) async fn no_channel(reads: &dyn AggregateReads, channel: &str) -> Result<Problem, AggregateError> {
    let known = reads
        .channels(&Source::telemetry_main(), NAMES_IN_A_SENTENCE)
        .await?;
    if known.values.is_empty() {
        return Ok(Problem::nothing_received());
    }
    let sentence = format!(
        "No ping of channel `{channel}` was folded. There is data of: {}.",
        list(known.values.iter().map(String::as_str), known.left_out)
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
    let known = reads
        .dates(&Source::telemetry_main(), clock, channel, LIST_DATES_MAX)
        .await?;
    if known.values.is_empty() {
        return no_channel(reads, channel).await;
    }
    let versions = newest_versions(known.values.iter().map(|entry| entry.version.as_str()));
    // What is left out are dates with their versions: how many further versions are among them, nobody counted.
    let further = match known.left_out {
        0 => "",
        _ => ", and maybe others at dates with less data",
    };
    let sentence = format!(
        "No ping of {channel} {version} was folded. Versions of {channel} with data: {}{further}.",
        list(versions, 0)
    );
    Ok(Problem::new(Reason::VersionUnknown, sentence))
}

/// Why this channel and version have no data of a metric under any name.
pub(crate) async fn no_metric(
    reads: &dyn AggregateReads,
    question: &Question,
) -> Result<Problem, AggregateError> {
    let Question {
        clock,
        channel,
        version,
        metric,
        ..
    } = question;
    if reads
        .filter_options(&Source::telemetry_main(), channel, version, 1)
        .await?
        .metrics
        .is_empty()
    {
        return no_version(reads, *clock, channel, version).await;
    }
    let sentence =
        format!("No ping of {channel} {version} sent {metric}. /filters/ lists the metrics that it has.");
    Ok(Problem::new(Reason::MetricUnknown, sentence))
}

/// The newest dates at which this channel and version have data of a stored metric, whatever is asked beside.
pub(crate) async fn dates_of(
    reads: &dyn AggregateReads,
    question: &Question,
    stored: &str,
) -> Result<Listed<String>, AggregateError> {
    let date = ValueOf::Dimension(Dimension::named(question.clock.dimension()));
    reads
        .values_of(&question.at_any_date(stored), date, NAMES_IN_A_SENTENCE)
        .await
}

/// Why a question for a metric has no data. This channel and version have it under the name `stored`, at `known` dates.
pub(crate) async fn no_data(
    reads: &dyn AggregateReads,
    question: &Question,
    stored: &str,
    known: &Listed<String>,
) -> Result<Problem, AggregateError> {
    let asked = question.unfiltered(stored);
    let date = ValueOf::Dimension(Dimension::named(question.clock.dimension()));
    let there = reads.values_of(&asked, date, 1).await?;
    if !there.values.is_empty() {
        return filters_exclude(reads, question, stored).await;
    }
    let Question {
        channel,
        version,
        metric,
        ..
    } = question;
    let newest_first = known.values.iter().rev().map(String::as_str);
    let sentence = format!(
        "{metric} has no data in {channel} {version} at these dates. It has at: {}.",
        list(newest_first, known.left_out)
    );
    Ok(Problem::new(Reason::DatesWithoutData, sentence))
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
        sent,
        ..
    } = question;
    let mut sentence = if sent.is_empty() {
        format!("{metric} has data in {channel} {version} at these dates, but not of the usual processes.")
    } else {
        let filters = list(sent.iter().map(String::as_str), 0);
        format!("{metric} has data in {channel} {version} at these dates, but none with {filters}.")
    };
    let of_any_process = CellQuery {
        processes: None,
        ..question.cells(stored)
    };
    let elsewhere = reads
        .values_of(&of_any_process, ValueOf::Process, NAMES_IN_A_SENTENCE)
        .await?;
    if elsewhere.values.is_empty() {
        sentence.push_str(" Take a filter away.");
    } else {
        let processes = list(elsewhere.values.iter().map(String::as_str), elsewhere.left_out);
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

//! Which values a dimension has: all of them, those among them that clients of the original could not use.

use std::collections::BTreeSet;

use aggregate_store::{AggregateReads, DateClock, FilterOptions};
use serde::Serialize;

use crate::explain;
use crate::limits::{LIST_DATES_MAX, LIST_VALUES_MAX};
use crate::parameters::Parameters;
use crate::problem::{Problem, Reason};
use crate::reply::{Reply, made};
use crate::withheld::Withheld;

/// The parameters of this route.
pub(crate) const PARAMETERS: [&str; 4] = ["source", "dimension", "channel", "version"];

/// The only source whose values are known by now.
const SOURCE: &str = "telemetry/main";

#[derive(Debug, Serialize)]
struct Values {
    source: &'static str,
    dimension: String,
    /// Ascending by bytes.
    values: Vec<OneValue>,
    /// How many more there are, those with the fewest data.
    left_out: u64,
}

#[derive(Debug, Serialize)]
struct OneValue {
    value: String,
}

/// The values that have data: of `channel` alone, of versions and dates within a channel, of all others within a channel and
/// version.
pub(crate) async fn answer(
    reads: &dyn AggregateReads,
    withheld: &Withheld,
    parameters: &Parameters,
) -> Result<Reply, Problem> {
    let [source, dimension] = parameters.required(["source", "dimension"])?;
    if source != SOURCE {
        let sentence = format!(
            "There is no source `{}` here: it is {SOURCE}.",
            source.escape_debug()
        );
        return Err(Problem::new(Reason::InvalidParameter, sentence));
    }
    let (values, left_out) = match dimension {
        "channel" => channels(reads).await?,
        "version" => versions(reads, parameters).await?,
        "build_date" => dates(reads, DateClock::BuildDate, parameters).await?,
        "submission_date" => dates(reads, DateClock::SubmissionDate, parameters).await?,
        other => options(reads, withheld, other, parameters).await?,
    };
    let all = Values {
        source: SOURCE,
        dimension: dimension.to_owned(),
        values: values.into_iter().map(|value| OneValue { value }).collect(),
        left_out,
    };
    made(move || Reply::json(&all)).await
}

type Found = (BTreeSet<String>, u64);

async fn channels(reads: &dyn AggregateReads) -> Result<Found, Problem> {
    let known = reads.channels(DateClock::SubmissionDate, LIST_VALUES_MAX).await?;
    Ok((known.values.into_iter().collect(), known.left_out))
}

async fn versions(reads: &dyn AggregateReads, parameters: &Parameters) -> Result<Found, Problem> {
    let [channel] = parameters.required(["channel"])?;
    let known = reads
        .dates(DateClock::SubmissionDate, channel, LIST_DATES_MAX)
        .await?;
    if known.values.is_empty() {
        return Err(explain::no_channel(reads, DateClock::SubmissionDate, channel).await?);
    }
    let versions = known.values.into_iter().map(|entry| entry.version);
    Ok((versions.collect(), known.left_out))
}

async fn dates(
    reads: &dyn AggregateReads,
    clock: DateClock,
    parameters: &Parameters,
) -> Result<Found, Problem> {
    let [channel] = parameters.required(["channel"])?;
    let version = parameters.given("version");
    let known = reads.dates(clock, channel, LIST_DATES_MAX).await?;
    let entries = known.values.into_iter();
    let of_version = entries.filter(|entry| version.is_none_or(|version| version == entry.version));
    let dates: BTreeSet<String> = of_version.map(|entry| entry.date).collect();
    if dates.is_empty() {
        return Err(match version {
            Some(version) => explain::no_version(reads, clock, channel, version).await?,
            None => explain::no_channel(reads, clock, channel).await?,
        });
    }
    Ok((dates, known.left_out))
}

async fn options(
    reads: &dyn AggregateReads,
    withheld: &Withheld,
    dimension: &str,
    parameters: &Parameters,
) -> Result<Found, Problem> {
    const KNOWN: [&str; 7] = [
        "metric",
        "application",
        "architecture",
        "os",
        "os_version",
        "process",
        "e10s",
    ];
    if !KNOWN.contains(&dimension) {
        let sentence = format!(
            "dimension is one of channel, version, build_date, submission_date, {}.",
            KNOWN.join(", ")
        );
        return Err(Problem::new(Reason::InvalidParameter, sentence));
    }
    let [channel, version] = parameters.required(["channel", "version"])?;
    let FilterOptions {
        metrics,
        applications,
        architectures,
        os,
        processes,
        e10s,
        left_out,
    } = reads.filter_options(channel, version, LIST_VALUES_MAX).await?;
    if metrics.is_empty() && applications.is_empty() {
        return Err(explain::no_version(reads, DateClock::SubmissionDate, channel, version).await?);
    }
    let values: BTreeSet<String> = match dimension {
        "metric" => metrics
            .into_iter()
            .filter(|metric| !withheld.holds(metric))
            .collect(),
        "application" => applications.into_iter().collect(),
        "architecture" => architectures.into_iter().collect(),
        "os" => os.into_iter().map(|(name, _)| name).collect(),
        "os_version" => os.into_iter().map(|(_, version)| version).collect(),
        "process" => processes.into_iter().collect(),
        _ => e10s.into_iter().collect(),
    };
    Ok((values, left_out))
}

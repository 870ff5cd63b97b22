//! Which values a dimension of the original's source has: all of them, those among them that clients of the original could not use.

use std::collections::BTreeSet;

use aggregate_store::{AggregateReads, DateClock, Dimension, FilterOptions, Listed, Source, VersionDate};
use readers::values::beside::is_beside;
use serde::Serialize;

use crate::explain;
use crate::generic::refuse_strangers;
use crate::limits::{LIST_DATES_MAX, LIST_VALUES_MAX};
use crate::parameters::Parameters;
use crate::problem::{Problem, Reason};
use crate::reply::{Reply, made};
use crate::withheld::Withheld;

/// The parameters of this route.
pub(crate) const PARAMETERS: [&str; 4] = ["source", "dimension", "channel", "version"];

/// The source whose lists are by channel and version.
const SOURCE: &str = Source::TELEMETRY_MAIN;

/// Whether a question is for the original's source, or for none.
pub(crate) fn is_of_main(parameters: &Parameters) -> bool {
    parameters.given("source").is_none_or(|source| source == SOURCE)
}

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
    refuse_strangers(parameters, &PARAMETERS)?;
    let [_, dimension] = parameters.required(["source", "dimension"])?;
    let found = match dimension {
        "channel" => {
            let channels = reads.channels(&Source::telemetry_main(), LIST_VALUES_MAX).await?;
            Found::Names(channels)
        }
        "version" => dates(reads, DateClock::SubmissionDate, parameters).await?,
        "build_date" => dates(reads, DateClock::BuildDate, parameters).await?,
        "submission_date" => dates(reads, DateClock::SubmissionDate, parameters).await?,
        _ => options(reads, dimension, parameters).await?,
    };
    let version = parameters.given("version").map(str::to_owned);
    let (dimension, withheld) = (dimension.to_owned(), withheld.clone());
    made(move || {
        let (values, left_out) = found.values(&dimension, version.as_deref(), &withheld);
        Reply::json(&Values {
            source: SOURCE,
            dimension,
            values: values.into_iter().map(|value| OneValue { value }).collect(),
            left_out,
        })
    })
    .await
}

/// What the store lists.
enum Found {
    Names(Listed<String>),
    Dates(Listed<VersionDate>),
    Options(FilterOptions),
}

impl Found {
    /// The values of a dimension, and how many are left out.
    fn values(self, dimension: &str, version: Option<&str>, withheld: &Withheld) -> (BTreeSet<String>, u64) {
        match self {
            Self::Names(names) => (names.values.into_iter().collect(), names.left_out),
            Self::Dates(dates) => {
                let entries = dates.values.into_iter();
                let values = match dimension {
                    "version" => entries.map(|entry| entry.version).collect(),
                    _ => entries
                        .filter(|entry| version.is_none_or(|version| version == entry.version))
                        .map(|entry| entry.date)
                        .collect(),
                };
                (values, dates.left_out)
            }
            Self::Options(options) => of_options(options, dimension, withheld),
        }
    }
}

fn of_options(options: FilterOptions, dimension: &str, withheld: &Withheld) -> (BTreeSet<String>, u64) {
    let FilterOptions {
        metrics,
        processes,
        os,
        mut others,
        left_out,
    } = options;
    let values: BTreeSet<String> = match dimension {
        "metric" => metrics
            .into_iter()
            .filter(|metric| !withheld.holds(metric) && !is_beside(metric))
            .collect(),
        Dimension::OS => os.into_iter().map(|(name, _)| name).collect(),
        Dimension::OS_VERSION => os.into_iter().map(|(_, version)| version).collect(),
        "process" => processes
            .into_iter()
            .filter(|process| !process.is_empty())
            .collect(),
        _ => others.remove(dimension).unwrap_or_default().into_iter().collect(),
    };
    (values, left_out)
}

async fn dates(
    reads: &dyn AggregateReads,
    clock: DateClock,
    parameters: &Parameters,
) -> Result<Found, Problem> {
    let [channel] = parameters.required(["channel"])?;
    let known = reads
        .dates(&Source::telemetry_main(), clock, channel, LIST_DATES_MAX)
        .await?;
    let version = parameters.given("version");
    let is_asked = |entry: &VersionDate| version.is_none_or(|version| version == entry.version);
    match (known.values.iter().any(is_asked), version) {
        (true, _) => Ok(Found::Dates(known)),
        (false, Some(version)) => Err(explain::no_version(reads, clock, channel, version).await?),
        (false, None) => Err(explain::no_channel(reads, channel).await?),
    }
}

async fn options(
    reads: &dyn AggregateReads,
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
    let options = reads
        .filter_options(&Source::telemetry_main(), channel, version, LIST_VALUES_MAX)
        .await?;
    if options.is_empty() {
        return Err(explain::no_version(reads, DateClock::SubmissionDate, channel, version).await?);
    }
    Ok(Found::Options(options))
}

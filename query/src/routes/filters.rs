//! Which values each filter can take, and the metrics, of a channel and version.

use std::collections::BTreeSet;

use aggregate_store::{AggregateReads, DateClock, Dimension, Source, original_os_version};
use readers::values::beside::is_beside;
use serde::Serialize;

use crate::compatible::is_usable_key;
use crate::definitions::Definitions;
use crate::explain;
use crate::limits::LIST_VALUES_MAX;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::reply::{Reply, made};
use crate::withheld::Withheld;

/// The parameters of this route.
pub(crate) const PARAMETERS: [&str; 2] = ["channel", "version"];

/// The answer in the original's words; it had `e10sEnabled` first, and `child` in its place later: here are both.
#[derive(Debug, Serialize)]
struct Options {
    /// Without the prefix under which counts are stored.
    metric: BTreeSet<String>,
    application: Vec<String>,
    architecture: Vec<String>,
    /// `name,version`; of a version of Linux its first three characters.
    os: BTreeSet<String>,
    /// Processes under their own names.
    child: Vec<String>,
    #[serde(rename = "e10sEnabled")]
    e10s_enabled: Vec<String>,
}

/// The values that have data.
pub(crate) async fn answer(
    reads: &dyn AggregateReads,
    definitions: &Definitions,
    withheld: &Withheld,
    parameters: &Parameters,
) -> Result<Reply, Problem> {
    let [channel, version] = parameters.required(PARAMETERS)?;
    let mut known = reads
        .filter_options(&Source::telemetry_main(), channel, version, LIST_VALUES_MAX)
        .await?;
    if known.is_empty() {
        return Err(explain::no_version(reads, DateClock::BuildDate, channel, version).await?);
    }
    known
        .metrics
        .retain(|metric| !withheld.holds(metric) && !definitions.is_string(metric) && !is_beside(metric));
    // That of pings themselves.
    known.processes.retain(|process| !process.is_empty());
    let usable = |mut names: Vec<String>| {
        names.retain(|name| is_usable_key(name));
        names
    };
    let mut of = |dimension: &str| usable(known.others.remove(dimension).unwrap_or_default());
    let (application, architecture) = (of(Dimension::APPLICATION), of(Dimension::ARCHITECTURE));
    let e10s_enabled = of(Dimension::E10S);
    made(move || {
        let shown = |metric: String| match metric.strip_prefix("[[COUNT]]_") {
            Some(bare) => bare.to_owned(),
            None => metric,
        };
        let options = Options {
            metric: known
                .metrics
                .into_iter()
                .map(shown)
                .filter(|metric| is_usable_key(metric))
                .collect(),
            application,
            architecture,
            // Whoever reads it splits it at the comma.
            os: known
                .os
                .iter()
                .map(|(name, version)| (name, original_os_version(name, version)))
                .filter(|(name, version)| !name.contains(',') && !version.contains(','))
                .map(|(name, version)| format!("{name},{version}"))
                .collect(),
            child: usable(known.processes),
            e10s_enabled,
        };
        Ok(Reply::json(&options)?.leaving_out(known.left_out))
    })
    .await
}

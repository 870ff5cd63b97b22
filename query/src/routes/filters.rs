//! Which values each filter can take, and the metrics, of a channel and version.

use std::collections::BTreeSet;

use aggregate_store::{AggregateReads, DateClock, FilterOptions, original_os_version};
use serde::Serialize;

use crate::compatible::is_usable_key;
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
    withheld: &Withheld,
    parameters: &Parameters,
) -> Result<Reply, Problem> {
    let [channel, version] = parameters.required(PARAMETERS)?;
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
        return Err(explain::no_version(reads, DateClock::BuildDate, channel, version).await?);
    }
    let withheld = withheld.clone();
    let usable = |mut names: Vec<String>| {
        names.retain(|name| is_usable_key(name));
        names
    };
    made(move || {
        let shown = |metric: String| match metric.strip_prefix("[[COUNT]]_") {
            Some(bare) => bare.to_owned(),
            None => metric,
        };
        let metrics = metrics.into_iter().filter(|metric| !withheld.holds(metric));
        let options = Options {
            metric: metrics
                .map(shown)
                .filter(|metric| is_usable_key(metric))
                .collect(),
            application: usable(applications),
            architecture: usable(architectures),
            // Whoever reads it splits it at the comma.
            os: os
                .iter()
                .map(|(name, version)| (name, original_os_version(name, version)))
                .filter(|(name, version)| !name.contains(',') && !version.contains(','))
                .map(|(name, version)| format!("{name},{version}"))
                .collect(),
            child: usable(processes),
            e10s_enabled: usable(e10s),
        };
        Ok(Reply::json(&options)?.leaving_out(left_out))
    })
    .await
}

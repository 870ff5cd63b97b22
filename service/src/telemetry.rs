//! What a process says of itself: log lines to standard error, and metrics in Prometheus' text format.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::shutdown::Shutdown;
use crate::{metrics, process, task};

/// How often the recorder gathers its histograms' samples, which lie in memory until then.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Upper bounds, in seconds, of the histograms of durations: real ones, so that those of several nodes can be added.
const SECONDS: [f64; 14] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0,
];

/// What the histograms of short durations begin with: those of the edge's log.
const SHORT: &str = "highwater_edge_log_";

/// Their upper bounds, in seconds, ten a decade from 0.1 ms to 1 s: a percentile read off them errs by a few per cent.
const SHORT_SECONDS: [f64; 44] = [
    0.0001, 0.000_125, 0.000_16, 0.0002, 0.000_25, 0.000_32, 0.0004, 0.0005, 0.000_63, 0.0008, //
    0.001, 0.001_25, 0.001_6, 0.002, 0.002_5, 0.003_2, 0.004, 0.005, 0.006_3, 0.008, //
    0.01, 0.012_5, 0.016, 0.02, 0.025, 0.032, 0.04, 0.05, 0.063, 0.08, //
    0.1, 0.125, 0.16, 0.2, 0.25, 0.32, 0.4, 0.5, 0.63, 0.8, //
    1.0, 2.0, 5.0, 10.0,
];

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// A filter of log lines that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("log filter {filter:?}: {source}; write a level (info) or targets (info,edge=debug)")]
pub struct LogFilterError {
    filter: String,
    source: ParseError,
}

/// Sends log lines to standard error from now on. The filter is a level or a list of `target=level`. When log lines
/// already go somewhere, as in a test that starts two services, they go on doing so.
///
/// # Errors
/// When the filter cannot be read.
pub fn log(format: LogFormat, filter: &str) -> Result<(), LogFilterError> {
    let targets: Targets = filter.parse().map_err(|source| LogFilterError {
        filter: filter.to_owned(),
        source,
    })?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Human => {
            use std::io::IsTerminal;
            lines.with_ansi(std::io::stderr().is_terminal()).boxed()
        }
        LogFormat::Json => lines.json().boxed(),
    };
    // An error means that another subscriber is there already.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(targets))
        .try_init();
    Ok(())
}

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Records metrics from now on. A second call changes nothing.
pub fn record_metrics() {
    RECORDER.get_or_init(|| {
        let handle = install();
        metrics::describe();
        handle
            .inspect_err(
                |error| tracing::warn!(%error, "metrics are recorded elsewhere: /metrics stays empty"),
            )
            .ok()
    });
}

fn install() -> Result<PrometheusHandle, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Prefix(SHORT.to_owned()), &SHORT_SECONDS)?
        .install_recorder()
}

/// All metrics in Prometheus' text format; empty before [`record_metrics`].
pub fn render() -> String {
    metrics::publish(&process::figures());
    RECORDER
        .get()
        .and_then(Option::as_ref)
        .map(PrometheusHandle::render)
        .unwrap_or_default()
}

/// Keeps the recorder's memory bounded until the shutdown.
pub async fn upkeep(shutdown: Shutdown) {
    let Some(Some(handle)) = RECORDER.get() else {
        return;
    };
    loop {
        tokio::select! {
            biased;
            () = shutdown.wished() => return,
            () = task::sleep(UPKEEP_EVERY) => handle.run_upkeep(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_recorded_once_and_rendered() {
        record_metrics();
        record_metrics();
        ::metrics::counter!("highwater_service_test_total").increment(3);
        assert!(
            render().contains("highwater_service_test_total 3"),
            "{}",
            render()
        );
    }

    #[test]
    fn a_filter_that_cannot_be_read_says_how_to_write_one() {
        let error = log(LogFormat::Human, "edge=loud").expect_err("no such level");
        assert!(error.to_string().contains("edge=debug"), "{error}");
        log(LogFormat::Json, "warn,edge=debug").expect("a filter");
    }
}

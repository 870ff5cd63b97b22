//! What a running program says under `/metrics`: gauges, and the samples that a histogram took between two readings.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use service::task;

use super::client::Client;

/// Gauges are published once a second; on a busy machine that may take long.
const PATIENCE_SECONDS: usize = 60;

/// One reading.
#[derive(Debug)]
pub(crate) struct Metrics {
    text: String,
}

/// What a histogram of seconds took: by the upper bound of each bucket, how many samples are not above it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    up_to: Vec<(f64, f64)>,
}

impl Metrics {
    /// Reads them.
    pub(crate) async fn read(address: &str) -> Result<Self> {
        let answer = Client::connect(address).await?.get("/metrics").await?;
        ensure!(answer.status == 200, "/metrics was answered {}", answer.status);
        let text = String::from_utf8(answer.body)?;
        Ok(Self { text })
    }

    /// The value of a metric without labels.
    pub(crate) fn value(&self, name: &str) -> Option<f64> {
        let line = self
            .text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        line.trim().parse().ok()
    }

    /// The samples of a histogram without labels so far; none before the first.
    pub(crate) fn samples(&self, name: &str) -> Result<Samples> {
        let prefix = format!("{name}_bucket{{le=\"");
        let mut up_to = Vec::new();
        for bucket in self.text.lines().filter_map(|line| line.strip_prefix(&prefix)) {
            let (bound, count) = bucket.split_once("\"} ").context("a bucket of another form")?;
            let bound = if bound == "+Inf" {
                f64::INFINITY
            } else {
                bound.parse()?
            };
            up_to.push((bound, count.trim().parse()?));
        }
        Ok(Samples { up_to })
    }
}

/// Waits until metrics without labels have these values.
pub(crate) async fn wait_for(address: &str, wanted: &[(&str, f64)]) -> Result<()> {
    let has_them = |metrics: &Metrics| {
        wanted
            .iter()
            .all(|(name, value)| metrics.value(name) == Some(*value))
    };
    if wait_until(address, PATIENCE_SECONDS, has_them).await? {
        return Ok(());
    }
    let metrics = Metrics::read(address).await?;
    let is: Vec<_> = wanted.iter().map(|(name, _)| metrics.value(name)).collect();
    bail!("{wanted:?} was waited for, and it is {is:?}")
}

/// How many chunks are in the store, of all since the start.
#[cfg(feature = "aws")]
pub(crate) async fn chunks_so_far(address: &str) -> Result<usize> {
    let sealed = Metrics::read(address)
        .await?
        .value("highwater_edge_chunks_sealed_total");
    Ok(sealed.unwrap_or(0.0) as usize)
}

/// Waits until at least so many chunks are in the store, of all since the start, and nothing waits. The counter is asked
/// first, for gauges are of a second ago.
#[cfg(feature = "aws")]
pub(crate) async fn wait_for_chunks(address: &str, chunks: usize, seconds: usize) -> Result<()> {
    let sealed = |metrics: &Metrics| metrics.value("highwater_edge_chunks_sealed_total").unwrap_or(0.0);
    ensure!(
        wait_until(address, seconds, |metrics| sealed(metrics) >= chunks as f64).await?,
        "{chunks} chunks were waited for, and there are {}",
        sealed(&Metrics::read(address).await?)
    );
    wait_for(address, &[("highwater_edge_waiting_pings", 0.0)]).await
}

async fn wait_until(address: &str, seconds: usize, is_so: impl Fn(&Metrics) -> bool) -> Result<bool> {
    for _ in 0..seconds * 10 {
        if is_so(&Metrics::read(address).await?) {
            return Ok(true);
        }
        task::sleep(Duration::from_millis(100)).await;
    }
    Ok(false)
}

impl Samples {
    /// Those that came after an earlier reading.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let before = |bound: f64| {
            let bucket = earlier.up_to.iter().find(|(earlier, _)| *earlier == bound);
            bucket.map_or(0.0, |(_, count)| *count)
        };
        let up_to = self
            .up_to
            .iter()
            .map(|(bound, count)| (*bound, count - before(*bound)));
        Self {
            up_to: up_to.collect(),
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> f64 {
        self.up_to.last().map_or(0.0, |(_, count)| *count)
    }

    /// The seconds that a share of them do not exceed, evenly spread within each bucket; NaN when there are none. What
    /// lies beyond the last bound is told as that bound.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let rank = self.count() * share;
        let (mut low, mut below) = (0.0, 0.0);
        for (bound, count) in &self.up_to {
            if *count >= rank && *count > 0.0 {
                let high = if bound.is_finite() { *bound } else { low };
                return low + (high - low) * (rank - below) / (count - below);
            }
            (low, below) = (*bound, *count);
        }
        f64::NAN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(samples: &[f64]) -> Metrics {
        let bucket = |bound: &f64| {
            let count = samples.iter().filter(|sample| *sample <= bound).count();
            let bound = if bound.is_finite() {
                bound.to_string()
            } else {
                "+Inf".to_owned()
            };
            format!("x_seconds_bucket{{le=\"{bound}\"}} {count}\n")
        };
        let bounds: Vec<f64> = (1..=100).map(|percent| f64::from(percent) / 100.0).collect();
        let buckets: String = bounds.iter().chain([&f64::INFINITY]).map(bucket).collect();
        Metrics {
            text: format!("# TYPE x_seconds histogram\n{buckets}open_things 7\nopen_things_more 8\n"),
        }
    }

    #[test]
    fn quantiles_of_what_came_between_two_readings_err_by_less_than_a_bucket() {
        let early = [0.999, 0.998, 0.5];
        let late: Vec<f64> = (0..1_000).map(|n| f64::from(n * 7 % 1_000) / 1_000.0).collect();
        let both: Vec<f64> = early.iter().chain(&late).copied().collect();
        let of = |samples: &[f64]| reading(samples).samples("x_seconds").expect("well formed");
        let between = of(&both).since(&of(&early));
        assert_eq!(between.count(), 1_000.0);
        let mut sorted = late;
        sorted.sort_by(f64::total_cmp);
        for share in [0.01, 0.5, 0.9, 0.99] {
            let exact = sorted[(share * 999.0) as usize];
            let read = between.quantile(share);
            assert!((read - exact).abs() <= 0.01, "{share}: {read} for {exact}");
        }
    }

    #[test]
    fn a_histogram_that_took_nothing_has_no_quantile() {
        assert!(
            reading(&[])
                .samples("x_seconds")
                .expect("well formed")
                .quantile(0.99)
                .is_nan()
        );
        assert!(
            reading(&[])
                .samples("y_seconds")
                .expect("absent")
                .quantile(0.99)
                .is_nan()
        );
    }

    #[test]
    fn a_metric_is_found_by_its_whole_name() {
        assert_eq!(reading(&[]).value("open_things"), Some(7.0));
        assert_eq!(reading(&[]).value("open"), None);
    }
}

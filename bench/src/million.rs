//! A million aggregates of one channel and version: the pings that make them, and what is asked of them.

use std::collections::BTreeMap;
use std::io::Write;

use aggregate_store::{Batch, Dimension};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sketch::Cell;

use crate::sample::{Sample, day};

/// Builds of the version.
const BUILDS: u32 = 60;
/// Metrics that are asked for in turn.
const METRICS: usize = 100;
/// A keyed metric whose rows are about so many is asked for.
const KEYED_ROWS: u64 = 7_600;

/// URI and body of ping `n`, as if it came from one of the builds of one nightly version.
pub(crate) fn ping(sample: &Sample, n: usize) -> Result<(String, Vec<u8>)> {
    let (uri, body) = sample.ping(n);
    let mut body: Value = serde_json::from_slice(&body)?;
    let application = &mut body["application"];
    ensure!(application.is_object(), "a sample ping has no application");
    application["channel"] = json!("nightly");
    application["version"] = json!("54.0a1");
    let build = build(n as u32 % BUILDS);
    application["buildId"] = json!(build);
    let document = uri
        .split('/')
        .nth(3)
        .context("a sample ping has no document id")?;
    let uri = format!("/submit/telemetry/{document}/main/Firefox/54.0a1/nightly/{build}?v=4");
    Ok((uri, body.to_string().into_bytes()))
}

/// A build of each of the days before pings are received.
fn build(number: u32) -> String {
    format!("{}030205", day().plus_days(-i64::from(number)))
}

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Metrics without labels, each with many rows.
    pub(crate) metrics: Vec<String>,
    /// A metric with labels.
    pub(crate) keyed: String,
    /// Its rows.
    pub(crate) keyed_rows: u64,
    /// An application and a system, of which most pings are.
    pub(crate) application: String,
    /// The system.
    pub(crate) os: String,
}

impl Asked {
    /// What there is most of.
    pub(crate) fn of(batch: &Batch) -> Result<Self> {
        let (mut plain, mut keyed) = (BTreeMap::<&str, u64>::new(), BTreeMap::<&str, u64>::new());
        let (mut applications, mut systems) = (BTreeMap::<&str, u64>::new(), BTreeMap::<&str, u64>::new());
        for (address, _) in batch.cells.iter() {
            let metric = batch.metrics[address.metric as usize].as_str();
            let is_keyed = !batch.labels[address.label as usize].is_empty();
            *if is_keyed { &mut keyed } else { &mut plain }
                .entry(metric)
                .or_default() += 1;
            let set = &batch.dimension_sets[address.dimension_set as usize];
            *applications.entry(set.value(Dimension::APPLICATION)).or_default() += 1;
            *systems.entry(set.value(Dimension::OS)).or_default() += 1;
        }
        let most = |counts: &BTreeMap<&str, u64>| {
            let most = counts.iter().max_by_key(|(_, rows)| **rows);
            most.map(|(value, _)| (*value).to_owned())
                .context("nothing was folded")
        };
        let mut metrics: Vec<(&str, u64)> = plain
            .into_iter()
            .filter(|(metric, _)| is_histogram(metric))
            .collect();
        metrics.sort_by_key(|(metric, rows)| (std::cmp::Reverse(*rows), *metric));
        let (keyed, keyed_rows) = keyed
            .into_iter()
            .min_by_key(|(_, rows)| rows.abs_diff(KEYED_ROWS))
            .context("no keyed metric")?;
        Ok(Self {
            metrics: metrics
                .iter()
                .take(METRICS)
                .map(|(metric, _)| (*metric).to_owned())
                .collect(),
            keyed: keyed.to_owned(),
            keyed_rows,
            application: most(&applications)?,
            os: most(&systems)?,
        })
    }

    /// The first question: one metric under two filters, each metric in turn.
    pub(crate) fn filtered(&self) -> Vec<String> {
        let of = |metric: &String| {
            format!(
                "/api/v1/aggregates?source=telemetry/main&metric={}&application={}&os={}",
                encoded(metric),
                encoded(&self.application),
                encoded(&self.os)
            )
        };
        self.metrics.iter().map(of).collect()
    }

    /// The second: one metric of every build and system.
    pub(crate) fn grouped(&self) -> Vec<String> {
        let of = |metric: &String| {
            format!(
                "/api/v1/aggregates?source=telemetry/main&metric={}&group_by=build_date,os",
                encoded(metric)
            )
        };
        self.metrics.iter().map(of).collect()
    }

    /// The third: a keyed metric by label.
    pub(crate) fn labelled(&self) -> Vec<String> {
        vec![format!(
            "/api/v1/aggregates?source=telemetry/main&metric={}&group_by=label&limit=10000",
            encoded(&self.keyed)
        )]
    }

    /// What a peer is told of it.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "metrics": self.metrics, "keyed": self.keyed, "application": self.application, "os": self.os,
        })
    }
}

/// Writes all rows as NDJSON, as an engine would keep them: names, then the bins and their samples.
pub(crate) fn write_rows(batch: &Batch, file: &mut impl Write) -> Result<()> {
    for (address, bytes) in batch.cells.iter() {
        let set = &batch.dimension_sets[address.dimension_set as usize];
        let cell = Cell::decode(bytes)?;
        let mut row = json!({
            "metric": batch.metrics[address.metric as usize], "label": batch.labels[address.label as usize],
            "process": batch.processes[address.process as usize], "count": cell.count(), "sum": cell.sum().to_string(),
            "bounds": cell.bins().iter().map(|(bound, _)| *bound).collect::<Vec<i64>>(),
            "samples": cell.bins().iter().map(|(_, samples)| *samples as i64).collect::<Vec<i64>>(),
        });
        for (dimension, value) in set.values() {
            row[dimension.as_str()] = json!(value);
        }
        writeln!(file, "{row}")?;
    }
    Ok(())
}

fn is_histogram(metric: &str) -> bool {
    !metric.starts_with("SCALARS_") && !metric.starts_with("SIMPLE_MEASURES_") && !metric.starts_with('[')
}

fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

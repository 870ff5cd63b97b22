//! Are the generated pings as large, as rich and as hard to compress as real ones? The figures are printed.
#![expect(
    clippy::print_stdout,
    reason = "the figures are for the reader of the test's output"
)]

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;

use ping::SubmissionDate;
use sample_pings::{Options, Population, gzip};
use serde_json::Value;

/// What is measured over a number of pings.
#[derive(Debug, Default)]
struct Figures {
    pings: usize,
    bytes: usize,
    gzip_bytes: usize,
    zstd_bytes: usize,
    /// Histograms by where they stand: parent, content, gpu, extension; then keyed labels.
    parent: usize,
    content: usize,
    other: usize,
    labels: usize,
    /// Every named measurement: histograms, labels, and the single values of payload and environment.
    metrics: usize,
    old: usize,
    dimensions: HashSet<u64>,
    /// (dimensions, metric, process, label) of histograms.
    keys: HashSet<u64>,
    /// The same with scalars and simple measurements.
    all_keys: HashSet<u64>,
    types: BTreeSet<u64>,
    documents: HashSet<String>,
    clients: HashSet<String>,
}

impl Figures {
    fn measure(pings: u64) -> Self {
        let population = Population::new(1, Options::default());
        let received = date("20170424").start();
        let mut figures = Self::default();
        let mut stream = zstd::Encoder::new(Vec::new(), 3).expect("a stream");
        for n in 0..pings {
            let ping = population.ping(n, received);
            stream.write_all(&ping.body).expect("room");
            figures.bytes += ping.body.len();
            if n % 10 == 0 {
                figures.gzip_bytes += gzip(&ping.body, 6).len() * 10;
            }
            figures.documents.insert(ping.document_id);
            figures.clients.insert(ping.client_id);
            figures.pings += 1;
            figures.look_into(&serde_json::from_slice(&ping.body).expect("JSON"));
        }
        figures.zstd_bytes = stream.finish().expect("room").len();
        figures
    }

    fn look_into(&mut self, body: &Value) {
        let (payload, environment) = (&body["payload"], &body["environment"]);
        let dimensions = hash(&dimensions(body));
        self.dimensions.insert(dimensions);
        self.parent += self.histograms(dimensions, "parent", payload);
        self.metrics += leaves(payload) + leaves(environment);
        for child in payload["childPayloads"].as_array().into_iter().flatten() {
            self.content += self.histograms(dimensions, "content", child);
            self.old += 1;
        }
        for process in ["parent", "content", "gpu", "extension"] {
            let section = &payload["processes"][process];
            let found = self.histograms(dimensions, process, section);
            if process == "content" {
                self.content += found;
            } else {
                self.other += found;
            }
            for (name, value) in members(&section["scalars"]) {
                self.single(dimensions, process, name, "", value);
            }
            for (name, labels) in members(&section["keyedScalars"]) {
                for (label, value) in members(labels) {
                    self.single(dimensions, process, name, label, value);
                }
            }
        }
        for (name, value) in members(&payload["simpleMeasurements"]) {
            self.single(dimensions, "parent", name, "", value);
            for (inner, value) in members(value) {
                self.single(dimensions, "parent", &format!("{name}_{inner}"), "", value);
            }
        }
    }

    /// Enters the histograms of a section and its labels; says how many of the former.
    fn histograms(&mut self, dimensions: u64, process: &str, section: &Value) -> usize {
        for (metric, histogram) in members(&section["histograms"]) {
            self.types
                .insert(histogram["histogram_type"].as_u64().expect("a type"));
            self.keys.insert(hash(&(dimensions, metric, process, "")));
            self.all_keys.insert(hash(&(dimensions, metric, process, "")));
        }
        for (metric, labels) in members(&section["keyedHistograms"]) {
            for (label, _) in members(labels) {
                self.labels += 1;
                self.keys.insert(hash(&(dimensions, metric, process, label)));
                self.all_keys.insert(hash(&(dimensions, metric, process, label)));
            }
        }
        members(&section["histograms"]).count()
    }

    fn single(&mut self, dimensions: u64, process: &str, name: &str, label: &str, value: &Value) {
        if value.is_number() || value.is_boolean() {
            self.all_keys
                .insert(hash(&(dimensions, name, process, label, "single")));
        }
    }

    fn mean(&self, total: usize) -> f64 {
        total as f64 / self.pings as f64
    }

    fn print(&self) {
        let gzip = self.bytes as f64 / self.gzip_bytes as f64;
        let zstd = self.bytes as f64 / self.zstd_bytes as f64;
        println!(
            "{} pings: mean body {:.1} KB, gzip -6 {gzip:.2}, one zstd -3 stream {zstd:.2}",
            self.pings,
            self.mean(self.bytes) / 1_000.0
        );
        println!(
            "histograms a ping: parent {:.1}, content {:.1}, other {:.1}, labels {:.1}; metrics in all {:.0}",
            self.mean(self.parent),
            self.mean(self.content),
            self.mean(self.other),
            self.mean(self.labels),
            self.mean(self.metrics)
        );
        println!(
            "combinations of dimensions {}, keys {}, with single numbers {}, documents {}, clients {}, old children {}",
            self.dimensions.len(),
            self.keys.len(),
            self.all_keys.len(),
            self.documents.len(),
            self.clients.len(),
            self.old
        );
    }
}

/// Channel, major version, build date, application, architecture, system, its version, process model.
fn dimensions(body: &Value) -> [String; 8] {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let (application, environment) = (&body["application"], &body["environment"]);
    let os = &environment["system"]["os"];
    let version = text(&application["version"]);
    let os_version = text(&os["version"]);
    let short = os["name"] == "Linux";
    [
        text(&application["channel"]),
        version.split('.').next().expect("a part").to_owned(),
        text(&application["buildId"])[..8].to_owned(),
        text(&application["name"]),
        text(&application["architecture"]),
        text(&os["name"]),
        if short {
            os_version[..3].to_owned()
        } else {
            os_version
        },
        environment["settings"]["e10sEnabled"].to_string(),
    ]
}

/// Histograms and single values below `value`.
fn leaves(value: &Value) -> usize {
    match value {
        Value::Object(object) if object.contains_key("histogram_type") => 1,
        Value::Object(object) => object.values().map(leaves).sum(),
        Value::Array(list) => list.iter().map(leaves).sum(),
        Value::Null => 0,
        _ => 1,
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn hash(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

fn date(text: &str) -> SubmissionDate {
    text.parse().expect("a date")
}

#[test]
fn two_thousand_pings_are_like_real_ones() {
    let figures = Figures::measure(2_000);
    figures.print();
    let within = |what: &str, value: f64, low: f64, high: f64| {
        assert!(
            (low..=high).contains(&value),
            "{what} is {value:.2}, not in {low}..={high}"
        );
    };
    within(
        "the mean body in KB",
        figures.mean(figures.bytes) / 1_000.0,
        92.0,
        102.0,
    );
    within("gzip", figures.bytes as f64 / figures.gzip_bytes as f64, 4.2, 4.6);
    within("zstd", figures.bytes as f64 / figures.zstd_bytes as f64, 8.5, 9.2);
    within("parent histograms", figures.mean(figures.parent), 268.0, 278.0);
    within("content histograms", figures.mean(figures.content), 113.0, 121.0);
    within("labels", figures.mean(figures.labels), 82.0, 88.0);
    let aggregated = figures.parent + figures.content + figures.other + figures.labels;
    within("histograms and labels", figures.mean(aggregated), 465.0, 485.0);
    within("metrics", figures.mean(figures.metrics), 1_000.0, 1_700.0);
    within("dimensions", figures.dimensions.len() as f64, 700.0, 760.0);
    within("keys", figures.keys.len() as f64, 338_000.0, 352_000.0);
    within("repeats", 2_000.0 - figures.documents.len() as f64, 15.0, 45.0);
    assert_eq!(figures.types.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
}

/// A minute of CPU: run it (`HIGHWATER_SOAK=1`) when the catalogue or the population changes.
#[test]
fn ten_thousand_pings_make_a_million_keys_soak() {
    if std::env::var_os("HIGHWATER_SOAK").is_none() {
        println!("left out: HIGHWATER_SOAK is not set");
        return;
    }
    let figures = Figures::measure(10_000);
    figures.print();
    assert!(
        (950_000..1_050_000).contains(&figures.keys.len()),
        "{}",
        figures.keys.len()
    );
}

//! What the stored pings must add up to: slow, obvious, and without a database.

use std::collections::{BTreeMap, BTreeSet};

use aggregate_store::Counters;
use aggregator::fold::FoldSettings;
use aggregator::fold::oracle::{self, OraclePing, Totals};
use ping::Submission;
use serde_json::{Value, json};
use sketch::{UserSketch, coupon_of};

use crate::Found;

/// What everything must add up to.
pub struct Expected {
    /// The lines of the dump.
    pub lines: BTreeSet<String>,
    /// Pings by what became of them.
    pub counters: Counters,
}

/// A copy of a document, in the order that decides.
struct Copy<'a> {
    found: &'a Found,
    key: Option<[u8; 16]>,
    ping: OraclePing,
}

/// Adds up all records, in any order.
///
/// # Panics
/// When a record is none that the edge takes.
pub fn expected<'a>(records: impl Iterator<Item = &'a Found>) -> Expected {
    let mut counters = Counters::default();
    let mut copies = Vec::new();
    for found in records {
        let submission = Submission::parse(&found.uri).expect("it was taken");
        if found.error.is_some() {
            counters.errored_pings += 1;
        } else if submission.document_type.as_deref() != Some("main") {
            match serde_json::from_slice::<Value>(&found.body) {
                Ok(body) if body.is_object() => counters.stored_only += 1,
                _ => counters.errored_pings += 1,
            }
        } else if let Ok(ping) = oracle::read(&found.body, found.date) {
            let key = submission.document_key().map(|key| *key.as_bytes());
            copies.push(Copy { found, key, ping });
        } else {
            counters.errored_pings += 1;
        }
    }
    let mut totals = Totals::default();
    for copy in &copies {
        if copies.iter().any(|earlier| is_repeat(copy, earlier)) {
            counters.repeated += 1;
        } else {
            counters.folded += 1;
            totals.add(&copy.ping.totals, 1);
        }
    }
    let lines = cell_lines(&totals).chain(user_lines(&copies)).collect();
    Expected { lines, counters }
}

fn is_repeat(copy: &Copy<'_>, earlier: &Copy<'_>) -> bool {
    let window = FoldSettings::default().repeat_window.as_micros();
    let order = |copy: &Copy<'_>| (copy.found.received, copy.found.id);
    let apart = copy.found.received.micros_since(earlier.found.received);
    copy.key.is_some()
        && copy.key == earlier.key
        && order(earlier) < order(copy)
        && u128::from(apart.unsigned_abs()) <= window
}

/// The lines of a dump for these sums.
pub fn cell_lines(totals: &Totals) -> impl Iterator<Item = String> {
    totals
        .cells
        .iter()
        .map(|((set, metric, process, label, layout), sums)| {
            let bins = sums.bins.iter();
            let of = |dimension: &str| set.value(dimension);
            let line = json!({
                "kind": "cell", "source": "telemetry/main", "metric": metric,
                "submission_date": set.submission_date().to_string(),
                "channel": of("channel"), "version": of("version"), "build_date": of("build_date"),
                "application": of("application"), "architecture": of("architecture"), "os": of("os"),
                "os_version": of("os_version"), "e10s": of("e10s"), "process": process, "label": label,
                "layout": layout.to_string(), "count": sums.count as i64, "sum": sums.sum.to_string(),
                "bins": bins.map(|(bound, samples)| json!([bound, samples.to_string()])).collect::<Vec<_>>(),
            });
            line.to_string()
        })
}

fn user_lines(copies: &[Copy<'_>]) -> impl Iterator<Item = String> {
    let mut users: BTreeMap<String, (Value, BTreeSet<String>)> = BTreeMap::new();
    for copy in copies {
        let body: Value = serde_json::from_slice(&copy.found.body).expect("the oracle read it");
        let version = body["application"]["version"].as_str().expect("a version");
        let line = json!({
            "kind": "users", "source": "telemetry/main", "submission_date": copy.found.date.to_string(),
            "application": body["application"]["name"], "channel": body["application"]["channel"],
            "version": version.split('.').next(), "os": body["environment"]["system"]["os"]["name"],
        });
        let client = copy.ping.client_id.clone();
        let (_, clients) = users.entry(line.to_string()).or_insert((line, BTreeSet::new()));
        clients.extend(client);
    }
    users.into_values().map(|(mut line, clients)| {
        let mut sketch = UserSketch::new();
        for client in clients {
            sketch.insert(coupon_of(&client).expect("an id"));
        }
        line["image"] = Value::String(hex::encode(sketch.to_image()));
        line.to_string()
    })
}

/// A line of a dump, its fields in the order in which the lines here have them.
///
/// # Panics
/// When it is no JSON.
pub fn normal(line: &str) -> String {
    let value: Value = serde_json::from_str(line).expect("a line of JSON");
    value.to_string()
}

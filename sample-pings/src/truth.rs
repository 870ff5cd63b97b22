//! What the aggregates of the pings sent must be: a ledger, slow and obvious, that knows nothing of the aggregator.
//!
//! It reads the JSON of each ping as a tree, so it also holds for pings that were not generated here, as long as
//! their histograms are well-formed and their repeats lie within the window of repeats.

use std::collections::{BTreeMap, BTreeSet};

use ping::SubmissionDate;
use serde_json::{Map, Value};

use crate::sample_ping::SamplePing;

/// What a sum belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricKey {
    /// As stored: a count histogram has `[[COUNT]]_` before its name.
    pub metric: String,
    /// `parent`, `content`, `gpu`, or another process under its own name.
    pub process: String,
    /// Empty for what is not keyed.
    pub label: String,
}

/// What was added to an aggregate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contribution {
    /// Submissions, each child payload counting as one.
    pub count: u64,
    /// The sum of the histograms' sums.
    pub sum: u128,
}

/// The ledger of the pings sent.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    documents: BTreeSet<String>,
    clients: BTreeMap<SubmissionDate, BTreeSet<String>>,
    sums: BTreeMap<MetricKey, Contribution>,
    sent: u64,
}

impl Truth {
    /// Enters a ping that was accepted. Its histograms count once for each document id; its client counts on every
    /// day that a copy is received.
    ///
    /// # Panics
    ///
    /// If the body is no main ping of the shape generated here.
    pub fn add(&mut self, sent: &SamplePing) {
        self.sent += 1;
        let clients = self.clients.entry(sent.submission_date).or_default();
        clients.insert(sent.client_id.clone());
        if !self.documents.insert(sent.document_id.clone()) {
            return;
        }
        let body: Value = serde_json::from_slice(&sent.body).expect("a generated body is JSON");
        let payload = &body["payload"];
        self.add_process("parent", payload);
        for child in payload["childPayloads"].as_array().into_iter().flatten() {
            self.add_process("content", child);
        }
        for (process, section) in members(&payload["processes"]) {
            // Histograms of the parent stand in the payload itself.
            if process != "parent" {
                self.add_process(process, section);
            }
        }
    }

    /// Pings entered, repeats too.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Distinct documents.
    pub fn documents(&self) -> u64 {
        self.documents.len() as u64
    }

    /// Distinct clients by the day on which their pings were received.
    pub fn clients(&self) -> BTreeMap<SubmissionDate, usize> {
        self.clients
            .iter()
            .map(|(day, clients)| (*day, clients.len()))
            .collect()
    }

    /// Distinct clients over all days.
    pub fn clients_altogether(&self) -> usize {
        self.clients.values().flatten().collect::<BTreeSet<_>>().len()
    }

    /// Every sum of a histogram, keyed ones by label.
    pub fn sums(&self) -> &BTreeMap<MetricKey, Contribution> {
        &self.sums
    }

    /// The sums of plain histograms, by (metric, process).
    pub fn histogram_sums(&self) -> BTreeMap<(String, String), Contribution> {
        let plain = self.sums.iter().filter(|(key, _)| key.label.is_empty());
        plain
            .map(|(key, sum)| ((key.metric.clone(), key.process.clone()), *sum))
            .collect()
    }

    /// Every histogram and keyed histogram of an object that has them as members.
    fn add_process(&mut self, process: &str, section: &Value) {
        for (metric, histogram) in members(&section["histograms"]) {
            self.add_histogram(metric, process, "", histogram);
        }
        for (metric, labels) in members(&section["keyedHistograms"]) {
            for (label, histogram) in members(labels) {
                self.add_histogram(metric, process, label, histogram);
            }
        }
    }

    fn add_histogram(&mut self, metric: &str, process: &str, label: &str, histogram: &Value) {
        let kind = histogram["histogram_type"].as_u64().expect("a type");
        let sum = histogram["sum"].as_u64().expect("a sum");
        let metric = if kind == 4 {
            format!("[[COUNT]]_{metric}")
        } else {
            metric.to_owned()
        };
        let key = MetricKey {
            metric,
            process: process.to_owned(),
            label: label.to_owned(),
        };
        let entry = self.sums.entry(key).or_default();
        entry.count += 1;
        entry.sum += u128::from(sum);
    }
}

/// The members of an object; none, if it is not there.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

//! A ping that stands in a declaration, and what must become of it.

use ping::{Submission, SubmissionDate};

use super::fault::{Fault, Position};
use super::node::{Node, Value};
use super::source::Source;
use super::table::{self, Faults, Table};
use crate::dates::leading_date;

/// What one example may expect.
const EXPECT_MAX: usize = 1_000;

/// An example.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Where it stands in the file.
    pub at: Position,
    /// What it is submitted to.
    pub uri: String,
    /// Its source.
    pub source: Source,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The day of its receipt, if that matters.
    pub received: Option<SubmissionDate>,
    /// Its body, as bytes.
    pub body: Vec<u8>,
    /// What must become of it.
    pub expect: Vec<Expected>,
}

/// A contribution that must be there, or only dimensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Where it stands in the file.
    pub at: Position,
    /// Of which metric.
    pub metric: Option<String>,
    /// Under which label.
    pub label: Option<String>,
    /// Which category.
    pub value: Option<String>,
    /// The sum of its samples.
    pub sum: Option<i64>,
    /// How many samples, or how many times the category.
    pub samples: Option<i64>,
    /// The dimensions of the ping.
    pub dimensions: Vec<(String, String)>,
}

/// What stands in an expectation besides dimensions.
const OWN: [&str; 5] = ["metric", "label", "value", "sum", "samples"];

/// Names that an expectation may use.
pub(super) struct Known<'a> {
    pub(super) sources: &'a [Source],
    pub(super) dimensions: Vec<&'a str>,
    pub(super) metrics: Vec<String>,
}

impl Example {
    pub(super) fn read(node: &Node, known: &Known<'_>, faults: &mut Faults) -> Option<Self> {
        let keys = ["uri", "body", "headers", "received", "expect"];
        let table = Table::with_keys(node, "an example", &keys, faults)?;
        let uri = table.need("uri", "an example", faults);
        let body = table.need("body", "an example", faults);
        let (uri, source) = uri.and_then(|node| read_uri(node, known, faults))?;
        let headers = table
            .get("headers")
            .map_or_else(Vec::new, |node| read_headers(node, faults));
        let received = table.get("received").and_then(|node| date(node, faults));
        let expect = table.get("expect").map_or_else(Vec::new, |node| {
            let items = table::list(node, "`expect`", EXPECT_MAX, faults);
            let read = items
                .iter()
                .filter_map(|item| Expected::read(item, known, faults));
            read.collect()
        });
        let body = match &body?.value {
            Value::Text(text) => text.as_bytes().to_vec(),
            _ => body?.to_json().to_string().into_bytes(),
        };
        Some(Self {
            at: table.at,
            uri,
            source,
            headers,
            received,
            body,
            expect,
        })
    }
}

impl Expected {
    fn read(node: &Node, known: &Known<'_>, faults: &mut Faults) -> Option<Self> {
        let table = Table::of(node, "what is expected", faults)?;
        let mut dimensions = Vec::new();
        for (key, node) in table.entries {
            if OWN.contains(&key.text.as_str()) {
                continue;
            }
            if !known.dimensions.contains(&key.text.as_str()) {
                let words = OWN.iter().chain(&known.dimensions).copied();
                faults.push(Fault::unknown(key.at, "dimension", &key.text, words));
            } else if let Some(value) = table::plain(node, "a dimension's value", faults) {
                dimensions.push((key.text.clone(), value));
            }
        }
        let mut word = |key: &str| {
            let node = table.get(key)?;
            table::plain(node, &format!("`{key}`"), faults)
        };
        let (metric, label, value) = (word("metric"), word("label"), word("value"));
        let mut number = |key: &str| {
            let node = table.get(key)?;
            table::whole(node, &format!("`{key}`"), i64::MIN..=i64::MAX, faults)
        };
        let (sum, samples) = (number("sum"), number("samples"));
        let at = table.get("metric").map_or(table.at, |node| node.at);
        if metric.as_deref() == Some("") {
            let words = "`metric` names none: leave it out where only dimensions are expected";
            faults.push(Fault::new(at, words));
        } else if let Some(name) = &metric
            && !known.metrics.contains(name)
        {
            let names = known.metrics.iter().map(String::as_str);
            faults.push(Fault::unknown(at, "metric", name, names));
        }
        Some(Self {
            at: table.at,
            metric,
            label,
            value,
            sum,
            samples,
            dimensions,
        })
    }
}

fn read_uri(node: &Node, known: &Known<'_>, faults: &mut Faults) -> Option<(String, Source)> {
    let uri = table::text(node, "`uri`", faults)?;
    let submission = match Submission::parse(uri) {
        Ok(submission) => submission,
        Err(error) => {
            faults.push(Fault::new(node.at, error.to_string()));
            return None;
        }
    };
    let source = Source::of(&submission);
    let found = source.filter(|source| known.sources.contains(source));
    if found.is_none() {
        faults.push(Fault::new(node.at, "the example is of none of `sources`"));
    }
    Some((uri.to_owned(), found?))
}

fn read_headers(node: &Node, faults: &mut Faults) -> Vec<(String, String)> {
    let Some(table) = Table::of(node, "`headers`", faults) else {
        return Vec::new();
    };
    let entries = table.entries.iter();
    let read = entries.filter_map(|(name, node)| {
        let value = table::plain(node, "a header", faults)?;
        Some((name.text.to_ascii_lowercase(), value))
    });
    read.collect()
}

/// A day, as 2026-10-01.
pub(super) fn date(node: &Node, faults: &mut Faults) -> Option<SubmissionDate> {
    let word = table::text(node, "a day", faults)?;
    let read = leading_date(word).filter(|_| word.len() == 10);
    if read.is_none() {
        let words = "a day is written as 2026-10-01".to_owned();
        faults.push(Fault::new(node.at, words));
    }
    read
}

//! A file of definitions, known by its `$schema`, and several of them together.

use std::collections::BTreeMap;

use super::limits::{FILE_BYTES_MAX, NODES_MAX};
use super::metric::MetricDefinition;
use super::ping::PingDefinition;
use crate::declaration::fault::{Fault, Position};
use crate::declaration::node::{Node, Value};
use crate::declaration::table::{Faults, Table, one_of};
use crate::glean::{CustomLayouts, EVENTS};

/// What a file defines.
#[derive(Clone, Copy)]
enum Schema {
    Metrics,
    Pings,
}

const SCHEMAS: [(&str, Schema); 4] = [
    ("moz://mozilla.org/schemas/glean/metrics/2-0-0", Schema::Metrics),
    ("moz://mozilla.org/schemas/glean/metrics/1-0-0", Schema::Metrics),
    ("moz://mozilla.org/schemas/glean/pings/2-0-0", Schema::Pings),
    ("moz://mozilla.org/schemas/glean/pings/1-0-0", Schema::Pings),
];

/// Keys of a file that define nothing.
const ASIDE: [&str; 3] = ["$schema", "$tags", "no_lint"];

/// What is defined for one application. What is not in it is counted all the same: the SDK's own metrics, and those of
/// libraries, are in no application's file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Definitions {
    /// Metrics, by `category.name`.
    pub metrics: BTreeMap<String, MetricDefinition>,
    /// Pings, by name.
    pub pings: BTreeMap<String, PingDefinition>,
}

/// Two files define one thing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is defined by two files: take it out of one of them")]
pub struct DefinedTwice(
    /// The metric or ping.
    pub String,
);

impl Definitions {
    /// Reads the text of a `metrics.yaml` or `pings.yaml`.
    ///
    /// # Errors
    /// All that is wrong with it, in the order of the file.
    pub fn read(text: &str) -> Result<Self, Vec<Fault>> {
        let node = Node::within(text, FILE_BYTES_MAX, NODES_MAX).map_err(|fault| vec![fault])?;
        let mut faults = Vec::new();
        let read = Self::of(&node, &mut faults);
        faults.sort_by_key(|fault| fault.at);
        match read {
            Some(read) if faults.is_empty() => Ok(read),
            _ => Err(faults),
        }
    }

    fn of(node: &Node, faults: &mut Faults) -> Option<Self> {
        let table = Table::of(node, "the file", faults)?;
        let schema = table.need("$schema", "the file", faults)?;
        let schema = one_of(schema, "$schema", &SCHEMAS, faults)?;
        let mut read = Self::default();
        for (word, node) in table.entries {
            let name = &word.text;
            if ASIDE.contains(&name.as_str()) {
                continue;
            }
            if name.starts_with('$') {
                faults.push(Fault::unknown(word.at, "key", name, ASIDE));
                continue;
            }
            match schema {
                Schema::Metrics => read.read_category(name, node, faults),
                Schema::Pings => {
                    let ping = PingDefinition::read(name, node, faults);
                    read.pings.extend(ping.map(|ping| (name.clone(), ping)));
                }
            }
        }
        Some(read)
    }

    fn read_category(&mut self, category: &str, node: &Node, faults: &mut Faults) {
        // A category of which nothing is left.
        if node.value == Value::Null {
            return;
        }
        let Some(table) = Table::of(node, &format!("`{category}`"), faults) else {
            return;
        };
        for (word, node) in table.entries {
            let name = format!("{category}.{}", word.text);
            let metric = MetricDefinition::read(&name, node, faults);
            if let Some(metric) = metric
                && self.metrics.insert(name.clone(), metric).is_some()
            {
                faults.push(twice(word.at, &name));
            }
        }
    }

    /// Adds what another file defines.
    ///
    /// # Errors
    /// When both define one metric or ping.
    pub fn add(&mut self, other: Self) -> Result<(), DefinedTwice> {
        let Self { metrics, pings } = other;
        let metric = metrics.keys().find(|metric| self.metrics.contains_key(*metric));
        let ping = pings.keys().find(|ping| self.pings.contains_key(*ping));
        if let Some(name) = metric.or(ping) {
            return Err(DefinedTwice(name.clone()));
        }
        self.metrics.extend(metrics);
        self.pings.extend(pings);
        Ok(())
    }

    /// The definition of a metric as answers name it: `events:…`, `…:numerator` and `…:denominator`, too.
    #[must_use]
    pub fn metric(&self, counted: &str) -> Option<&MetricDefinition> {
        let names = [
            Some(counted),
            counted.strip_prefix(EVENTS),
            counted.strip_suffix(":numerator"),
            counted.strip_suffix(":denominator"),
        ];
        names.into_iter().flatten().find_map(|name| {
            let metric = self.metrics.get(name)?;
            let counts = metric.counted_as(name);
            counts.iter().any(|(known, _)| known == counted).then_some(metric)
        })
    }

    /// The layouts of custom distributions.
    #[must_use]
    pub fn custom_layouts(&self) -> CustomLayouts {
        let metrics = self.metrics.iter();
        metrics
            .filter_map(|(name, metric)| Some((name.clone(), metric.layout?)))
            .collect()
    }
}

fn twice(at: Position, name: &str) -> Fault {
    Fault::new(at, format!("`{name}` is defined twice"))
}

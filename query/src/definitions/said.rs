//! What is said of one metric of a source: by the application's definitions, or by its product's declaration.

use std::collections::BTreeMap;

use aggregate_store::Source;
use readers::declaration::Declaration;
use readers::definitions::{Expiry, MetricDefinition};
use sketch::Layout;

/// In place of the names of pings: every ping of the application. The SDK's own word.
const ALL_PINGS: &str = "all-pings";

/// The namespace whose pings are none of Glean's.
pub(super) const TELEMETRY: &str = "telemetry";

/// The one number of the SDK's own that has a unit: no application's definitions say it.
const OWN_DURATION: &str = "glean.baseline.duration";

/// The unit of a metric that is the SDK's own.
pub(crate) fn own_unit(metric: &str) -> Option<&'static str> {
    (metric == OWN_DURATION).then_some("ns")
}

/// What is said of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said<'a> {
    /// What it measures; may be empty.
    pub(crate) description: &'a str,
    /// The unit of its numbers.
    pub(crate) unit: Option<&'a str>,
    /// Its labels, where these are listed.
    pub(crate) labels: &'a [String],
    /// The layout by which bins are read that were counted under their keys.
    pub(crate) layout: Option<Layout>,
    /// Until when it is recorded.
    pub(crate) expires: Option<Expiry>,
}

impl<'a> Said<'a> {
    pub(super) fn defined(definition: &'a MetricDefinition) -> Self {
        Self {
            description: &definition.description,
            unit: definition.unit.as_deref(),
            labels: definition.labels.as_deref().unwrap_or_default(),
            layout: definition.layout,
            expires: definition.expires,
        }
    }

    pub(super) fn declared(metric: &'a DeclaredMetric) -> Self {
        Self {
            description: &metric.description,
            unit: Some(metric.unit.as_str()).filter(|unit| !unit.is_empty()),
            labels: &metric.labels,
            layout: None,
            expires: None,
        }
    }
}

/// Whether a metric is sent in the pings of a source. Definitions name pings, and no application.
pub(crate) fn is_sent_in(definition: &MetricDefinition, source: &Source) -> bool {
    let (namespace, ping) = source.as_str().split_once('/').unwrap_or_default();
    let pings = &definition.send_in_pings;
    namespace != TELEMETRY && pings.iter().any(|name| name == ping || name == ALL_PINGS)
}

/// A metric of a declared product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DeclaredMetric {
    description: String,
    unit: String,
    labels: Vec<String>,
}

/// What is declared of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct DeclaredSource {
    /// By the names under which they count.
    metrics: BTreeMap<String, DeclaredMetric>,
    /// Their names.
    dimensions: Vec<String>,
}

/// Declared products by their sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Products(BTreeMap<String, DeclaredSource>);

impl Products {
    pub(super) fn declare(&mut self, declaration: &Declaration) {
        for source in &declaration.sources {
            let mut metrics = BTreeMap::new();
            for metric in declaration.metrics.iter().filter(|metric| metric.is_of(source)) {
                let declared = DeclaredMetric {
                    description: metric.description.clone(),
                    unit: metric.unit.clone(),
                    labels: metric.labels.clone(),
                };
                metrics.extend(metric.parts().into_iter().map(|name| (name, declared.clone())));
            }
            let dimensions = declaration.dimensions.iter();
            let dimensions = dimensions.map(|dimension| dimension.name.clone()).collect();
            let declared = DeclaredSource { metrics, dimensions };
            self.0.insert(source.to_string(), declared);
        }
    }

    pub(super) fn of(&self, source: &Source) -> Option<&BTreeMap<String, DeclaredMetric>> {
        self.0.get(source.as_str()).map(|declared| &declared.metrics)
    }

    pub(super) fn dimensions(&self, source: &Source) -> &[String] {
        self.0
            .get(source.as_str())
            .map_or(&[], |declared| declared.dimensions.as_slice())
    }

    pub(super) fn holds(&self, source: &Source) -> bool {
        self.of(source).is_some()
    }
}

//! Keyed metrics: one layout, many labels.

use crate::generic_metric::{generic, some_kind, some_tier};
use crate::metric::{Metric, Tier};
use crate::names::Names;

/// A keyed metric of one process with every label it can have.
pub(crate) struct KeyedMetric {
    pub(crate) metric: Metric,
    /// Reported by content processes, else by the parent.
    pub(crate) in_content: bool,
    pub(crate) labels: Vec<(String, Tier)>,
}

/// How many keyed metrics there are.
const KEYED: usize = 28;

/// All keyed metrics, with fresh names.
pub(crate) fn keyed_metrics(names: &mut Names) -> Vec<KeyedMetric> {
    (0..KEYED).map(|nth| keyed_metric(names, nth)).collect()
}

fn keyed_metric(names: &mut Names, nth: usize) -> KeyedMetric {
    let kind = some_kind(names.dice());
    let name = names.metric(kind);
    let mut metric = generic(name, kind, names.dice());
    metric.points = metric.points.min(8.0);
    let labels = match nth % 8 {
        0 => 8,
        1..4 => 4,
        _ => 2,
    };
    let labels = (0..labels)
        .map(|_| {
            let label = names.label(nth);
            (label, some_tier(names.dice()))
        })
        .collect();
    KeyedMetric {
        metric,
        in_content: nth % 4 == 3,
        labels,
    }
}

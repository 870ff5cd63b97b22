//! All metrics of the simulated browser: which there are, where they are reported, and by how many clients.
//!
//! The catalogue is the same for every seed, as the metrics of a browser are for all its users.

use crate::generic_metric::{generic, some_kind, some_tier};
use crate::keyed::{KeyedMetric, keyed_metrics};
use crate::layout::Kind;
use crate::metric::{Metric, Tier};
use crate::names::Names;
use crate::trend::TRENDS;

/// A metric as one process reports it.
pub(crate) struct Listed {
    pub(crate) metric: usize,
    pub(crate) tier: Tier,
}

/// Every metric, and the list of each process.
pub(crate) struct Catalogue {
    pub(crate) metrics: Vec<Metric>,
    pub(crate) parent: Vec<Listed>,
    pub(crate) content: Vec<Listed>,
    pub(crate) gpu: Vec<Listed>,
    pub(crate) extension: Vec<Listed>,
    pub(crate) keyed: Vec<KeyedMetric>,
}

/// How many plain metrics there are besides the headline ones.
const METRICS: usize = 333;

/// Denominators and two use counters, by their real names, which readers treat specially.
const KNOWN: &[(&str, Kind)] = &[
    ("CONTENT_DOCUMENTS_DESTROYED", Kind::Count),
    ("TOP_LEVEL_CONTENT_DOCUMENTS_DESTROYED", Kind::Count),
    ("USE_COUNTER2_GRID_LAYOUT_DOCUMENT", Kind::Boolean),
    ("USE_COUNTER2_GRID_LAYOUT_PAGE", Kind::Boolean),
];

impl Catalogue {
    pub(crate) fn new() -> Self {
        let mut names = Names::new("metrics");
        let mut catalogue = Self {
            metrics: Vec::new(),
            parent: Vec::new(),
            content: Vec::new(),
            gpu: Vec::new(),
            extension: Vec::new(),
            keyed: Vec::new(),
        };
        catalogue.add_headlines(&mut names);
        for (name, kind) in KNOWN {
            names.take(name);
            let metric = generic((*name).to_owned(), *kind, names.dice());
            let place = catalogue.add(metric);
            catalogue.content.push(always(place));
            catalogue.parent.push(always(place));
        }
        for _ in 0..METRICS {
            catalogue.add_generic(&mut names);
        }
        catalogue.keyed = keyed_metrics(&mut names);
        catalogue
    }

    fn add_headlines(&mut self, names: &mut Names) {
        for trend in TRENDS {
            names.take(trend.name);
            let mut metric = Metric::new(trend.name.to_owned(), &trend.parameters);
            metric.median = trend.median;
            metric.spread = trend.spread;
            metric.points = trend.points;
            metric.weight = trend.weight;
            metric.trend = Some(trend);
            let place = self.add(metric);
            self.parent.push(always(place));
            if trend.in_content {
                self.content.push(always(place));
            }
        }
    }

    fn add_generic(&mut self, names: &mut Names) {
        let kind = some_kind(names.dice());
        let name = names.metric(kind);
        let metric = generic(name, kind, names.dice());
        let place = self.add(metric);
        let dice = names.dice();
        let tier = some_tier(dice);
        self.parent.push(Listed { metric: place, tier });
        if dice.chance(0.48) {
            self.content.push(Listed { metric: place, tier });
        }
        if dice.chance(0.01) {
            self.gpu.push(Listed {
                metric: place,
                tier: Tier::Always,
            });
        }
        if dice.chance(0.008) {
            self.extension.push(Listed { metric: place, tier });
        }
    }

    fn add(&mut self, metric: Metric) -> usize {
        self.metrics.push(metric);
        self.metrics.len() - 1
    }
}

fn always(metric: usize) -> Listed {
    Listed {
        metric,
        tier: Tier::Always,
    }
}

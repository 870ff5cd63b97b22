//! All metrics of the simulated browser: which there are, where they are reported, and by how many clients.
//!
//! The catalogue is the same for every seed, as the metrics of a browser are for all its users.

use crate::dice::Dice;
use crate::keyed::{KeyedMetric, keyed_metrics};
use crate::layout::Kind;
use crate::metric::{Metric, Parameters, Tier};
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

/// A metric of this kind with chance parameters, as frequent as in real pings.
pub(crate) fn generic(name: String, kind: Kind, dice: &mut Dice) -> Metric {
    const EXPONENTIAL: &[(u64, u64, u64)] = &[
        (1, 10_000, 50),
        (1, 10_000, 50),
        (1, 10_000, 50),
        (1, 3_000, 10),
        (1, 3_000, 10),
        (1, 30_000, 50),
        (1, 1_000, 50),
        (1, 1_000_000, 50),
        (1, 60_000, 1_000),
        (1, 60_000, 50),
        (32_768, 16_777_216, 100),
        (1, 300_000, 20),
        (1, 5_000, 10),
        (50, 60_000, 20),
        (8_192, 8_000_000, 50),
    ];
    const LINEAR: &[(u64, u64, u64)] = &[
        (1, 10, 11),
        (1, 16, 17),
        (1, 4, 5),
        (1, 100, 101),
        (1, 32, 33),
        (1, 8, 9),
        (1, 100, 10),
        (1, 24, 25),
        (1, 1_000, 50),
        (1, 256, 257),
        (1, 120, 50),
    ];
    let (low, high, bins) = match kind {
        Kind::Exponential => dice.pick(EXPONENTIAL),
        Kind::Linear => dice.pick(LINEAR),
        Kind::Boolean | Kind::Flag | Kind::Count => (1, 2, 3),
        Kind::Categorical => (1, 50, 51),
    };
    let mut metric = Metric::new(
        name,
        &Parameters {
            kind,
            low,
            high,
            bins,
        },
    );
    let place = 0.1 + 0.55 * dice.unit();
    metric.median = match kind {
        Kind::Exponential => low as f64 * (high as f64 / low as f64).powf(place),
        Kind::Categorical => 1.0 + 6.0 * place,
        _ => high as f64 * place,
    };
    metric.spread = 0.25 + 0.8 * dice.unit();
    metric.points = dice.log_normal(1.75, 1.0).clamp(0.5, 40.0);
    metric.weight = dice.log_normal(2.4, 1.1);
    metric
}

fn always(metric: usize) -> Listed {
    Listed {
        metric,
        tier: Tier::Always,
    }
}

/// Kinds as frequent as in real pings.
pub(crate) fn some_kind(dice: &mut Dice) -> Kind {
    match dice.below(100) {
        0..47 => Kind::Exponential,
        47..72 => Kind::Linear,
        72..83 => Kind::Boolean,
        83..92 => Kind::Flag,
        92..96 => Kind::Count,
        _ => Kind::Categorical,
    }
}

/// Most are reported by all, some by all clients of a kind, some by chance.
pub(crate) fn some_tier(dice: &mut Dice) -> Tier {
    match dice.below(100) {
        0..58 => Tier::Always,
        58..84 => Tier::Kin(0.5),
        84..92 => Tier::Own(0.7),
        _ => Tier::Own(0.3),
    }
}

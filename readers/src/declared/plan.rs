//! A declaration compiled for one source: what the walk over its bodies needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use sketch::Layout;

use super::edition::{Edition, Guard};
use super::trie::{Target, Trie};
use crate::declaration::{Clients, Declaration, Dimension, From, Metric, Type};
use crate::values::Kind;

/// Reads the pings of one declared source.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) trie: Trie,
    pub(super) dimensions: Vec<Dimension>,
    /// What is looked for in their values.
    pub(super) guards: Vec<Guard>,
    pub(super) metrics: Vec<Plan>,
    listed: Vec<Listed>,
}

/// A metric as the sink knows it: its place in [`Reader::metrics`] is what [`Name::Listed`](crate::values::Name) says.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its whole name.
    pub name: String,
    /// What its samples are.
    pub kind: Kind,
    /// What its numbers are.
    pub unit: String,
    /// Whether it has labels.
    pub labeled: bool,
    /// In which bins its numbers lie.
    pub layout: Layout,
    /// What it says.
    pub description: String,
}

/// A declared metric, and what is computed of it once.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) metric: Metric,
    /// Its place in the list; the second part of a rate has the next.
    pub(super) listed: u32,
    /// Whether it may have several values in a ping.
    pub(super) is_many: bool,
    /// The lower bounds of its bins.
    pub(super) bounds: Arc<[i64]>,
    /// `values` and `labels`, ascending.
    pub(super) values: Vec<String>,
    pub(super) labels: Vec<String>,
}

impl Plan {
    pub(super) fn bin_of(&self, number: i64) -> i64 {
        sketch::bin_among(&self.bounds, number)
    }
}

impl Reader {
    /// The reader of the source at this place of [`Declaration::sources`]. None if there is no such source.
    #[must_use]
    pub fn new(declaration: &Declaration, place: usize) -> Option<Self> {
        Self::by(declaration, place, Edition::NEWEST)
    }

    /// The same, by the rules of this edition.
    #[must_use]
    pub fn by(declaration: &Declaration, place: usize, edition: Edition) -> Option<Self> {
        let (source, privacy) = (declaration.sources.get(place)?, declaration.privacy.get(place)?);
        let mut trie = Trie::new();
        if let Some(path) = &declaration.client_id
            && privacy.clients != Clients::None
        {
            trie.insert(path, Target::Client);
        }
        for (place, dimension) in (0..).zip(&declaration.dimensions) {
            if let From::Path(path) = &dimension.from {
                trie.insert(path, Target::Dimension(place));
            }
        }
        let (mut metrics, mut listed) = (Vec::new(), Vec::new());
        let mut bounds: BTreeMap<Layout, Arc<[i64]>> = BTreeMap::new();
        let own = declaration.metrics.iter().filter(|metric| metric.is_of(source));
        for (place, metric) in (0..).zip(own) {
            trie.insert(&metric.path, Target::Metric(place));
            let bounds = bounds
                .entry(metric.layout)
                .or_insert_with(|| metric.layout.lower_bounds().into());
            metrics.push(Plan {
                listed: u32::try_from(listed.len()).ok()?,
                is_many: metric.labeled
                    || metric.kind == Type::TextList
                    || metric.kind.kind() == Kind::Distribution,
                bounds: Arc::clone(bounds),
                values: sorted(&metric.values),
                labels: sorted(&metric.labels),
                metric: metric.clone(),
            });
            listed.extend(metric.parts().into_iter().map(|name| Listed::of(name, metric)));
        }
        let dimensions = declaration.dimensions.iter();
        let guards = dimensions.map(|dimension| Guard::of(dimension, edition));
        Some(Self {
            trie,
            dimensions: declaration.dimensions.clone(),
            guards: guards.collect(),
            metrics,
            listed,
        })
    }

    /// The metrics, by the places that the sink is told.
    #[must_use]
    pub fn metrics(&self) -> &[Listed] {
        &self.listed
    }

    /// The dimensions, by the places that the sink is told.
    #[must_use]
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }
}

impl Listed {
    fn of(name: String, metric: &Metric) -> Self {
        Self {
            name,
            kind: metric.kind.kind(),
            unit: metric.unit.clone(),
            labeled: metric.labeled,
            layout: metric.layout,
            description: metric.description.clone(),
        }
    }
}

fn sorted(texts: &[String]) -> Vec<String> {
    let mut texts = texts.to_vec();
    texts.sort_unstable();
    texts
}
